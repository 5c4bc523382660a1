// The look-up table of one device, toolchain, precision and width: a row for every slot and distinct choice, and rows
// for stem, tail and head (source paper, section 3 and 4.2). Built by pipeline/ from the journal. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/backbone.h"

namespace hot {

struct TableRow {
  std::string part;      // "slot3", "stem", "tail", "head"; "decode", "resize", "output" (application.h)
  Choice choice;         // of slots
  bool searched = true;  // false: the baseline's, which the study's space leaves out: measured, never an answer
  std::string graph_key;
  int64_t macs = 0;
  int64_t weight_bytes = 0;
  int64_t peak_bytes = 0;     // live activations of the part alone
  int64_t carried_bytes = 0;  // taps alive meanwhile
  double latency_ns = 0;      // canary-normalised median
  double low_ns = 0, high_ns = 0;
  double raw_median_ns = 0;  // as the clock said
  int samples = 0;
  bool steady = true;
  // Of slots, where the study scores choices by something other than MACs (search.quality): higher is better, and the
  // sum over slots is a network's. In a table all rows that are searched have one, or none has.
  std::optional<double> quality;
};

// What two neighbouring slots in these number formats cost beside their rows, more than two in the table's precision
// (docs/adr/0012); less than nothing where the rows say too much.
struct FormatBorder {
  int slot = 0;  // 1-based; the border is behind it. 0: behind the stem; of the last: before what is behind the slots
  Precision before = Precision::kFp32, after = Precision::kFp32;
  double latency_ns = 0;
};

struct LookupTable {
  double width = 1.0;
  Precision precision = Precision::kFp32;
  // Mean and 90th percentile of a row's samples over their median (measure/latency_statistic.h), the median over rows.
  // Rows hold medians: percentiles do not add up, but a network's are about so many times its median.
  double mean_over_median = 1, p90_over_median = 1;
  std::vector<std::vector<TableRow>> slots;  // by slot, by choice
  std::vector<TableRow> fixed;               // stem, tail, head, and steps around the network
  // Of tables whose rows are in several number formats; 0 where there is none.
  std::vector<FormatBorder> borders;
};

// Whether choices are scored by TableRow::quality; else MACs stand for quality.
bool HasQuality(const LookupTable& table);

// Of the border behind `slot` (1-based), in whole nanoseconds.
int64_t BorderNs(const LookupTable& table, int slot, Precision before, Precision after);

// One element of "tables" in table.json (docs/formats/run.md).
std::string ToJson(const LookupTable& table);
// Throws Error(kDataLoss) with `where` in front on text that is no such table.
LookupTable LookupTableFromJson(const std::string& text, const std::string& where);

}  // namespace hot
