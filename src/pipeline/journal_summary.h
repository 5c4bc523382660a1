// What a journal has, in numbers: for `hot journal show`, and for finding a device by the first letters of its
// fingerprint. Reads only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/store.h"

namespace hot {

// Rows that differ in nothing but the network.
struct MeasuredGroup {
  std::string device, label;  // fingerprint, and what a person would call it; empty when nobody wrote it down
  std::string toolchain, toolchain_version, precision;
  int threads = 1;
  bool estimate = false;
  int64_t rows = 0, superseded = 0;  // the newest of each key, and older ones
  int64_t unsteady = 0;              // of `rows`
  int64_t newest = 0;                // Unix seconds
};

struct RecordGroup {
  std::string kind, study;
  int64_t rows = 0, newest = 0;
};

struct JournalSummary {
  std::vector<MeasuredGroup> measured;  // by device, toolchain, version, precision, threads
  std::vector<RecordGroup> records;     // by kind and study
};

JournalSummary SummarizeJournal(const Store& store);

// The one fingerprint that begins so. Throws Error(kNotFound), or kInvalidArgument when there are several.
std::string FindDevice(const JournalSummary& summary, const std::string& prefix);

}  // namespace hot
