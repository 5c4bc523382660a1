// The journal: measurements and finished work, kept for ever. Rows are never overwritten; a newer one supersedes.
// Implementations: sqlite/. Every one passes store_contract_test. What it returns is a copy. Thread-safe.
// Format and migrations: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"

namespace hot {

// Everything that changes the number. Equal keys, comparable numbers.
struct MeasurementKey {
  std::string graph_key;  // structural hash, precision included
  std::string device;     // fingerprint of board, CPU model, kernel, governor, kind and number of cores
  std::string toolchain;  // "openvino"
  std::string toolchain_version;
  std::string flags;      // canonical text
  std::string precision;  // executed: "fp32", "int8"
  std::string scheme;     // quantization scheme, "" in float
  int threads = 1;
  int batch = 1;
  bool operator==(const MeasurementKey&) const = default;
};

struct MeasurementRow {
  int64_t id = 0;  // given by the store
  MeasurementKey key;
  bool estimate = false;                 // a vendor's estimate, not measured
  std::vector<int64_t> samples_ns;       // raw, in order
  std::vector<int64_t> canary_ns;        // canary's reading beside each sample; same length
  double median_ns = 0;                  // of canary-normalised samples, see docs/formats/journal.md
  double low_ns = 0, high_ns = 0;        // 95 % interval of the median
  double raw_median_ns = 0, p90_ns = 0;  // of the raw samples
  double canary_median_ns = 0;
  bool steady = true;  // false: the interval's target was not reached before the cap
  std::string note;
  int64_t created = 0;  // Unix seconds
};

// A finished piece of work whose result others may reuse: kind "candidate", "trial", "evaluation", ... body is JSON.
struct RecordRow {
  int64_t id = 0;
  std::string kind;
  std::string key;  // hash of everything it depends on
  std::string study;
  std::string body;  // JSON
  int64_t created = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual void AddMeasurement(const MeasurementRow& row) = 0;
  // The newest row of that key.
  virtual std::optional<MeasurementRow> FindMeasurement(const MeasurementKey& key) const = 0;
  // All rows of that key, superseded ones too.
  virtual int64_t CountMeasurements(const MeasurementKey& key) const = 0;
  // Newest row of each key measured on that device, by id.
  virtual std::vector<MeasurementRow> Measurements(const std::string& device) const = 0;
  virtual void AddRecord(const RecordRow& row) = 0;
  virtual std::optional<RecordRow> FindRecord(const std::string& kind, const std::string& key) const = 0;
  virtual std::vector<RecordRow> Records(const std::string& study) const = 0;
};

// Opens or makes a SQLite journal (WAL, busy timeout 30 s, migrated forward). Throws Error(kFailedPrecondition) for a
// journal of a newer version ("made by a newer hot"), kDataLoss for a file that is no journal, kPermissionDenied.
std::unique_ptr<Store> OpenSqliteStore(const fs::path& file);

}  // namespace hot
