// AutoSearch (source paper, section 4.2): top-k networks of a look-up table, accuracy-aware (most MACs, or best sum of
// TableRow::quality where the table has it, within the budgets) or latency-aware (lowest predicted latency).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "search/lookup_table.h"
#include "search/solver.h"

namespace hot {

enum class Objective { kAccuracy, kLatency };
std::string ObjectiveName(Objective objective);

// Unset: no such budget. KiB = 1024 bytes.
struct Budgets {
  std::optional<double> latency_ms;  // stem + slots + tail + head
  std::optional<double> flash_kib;   // weight and bias bytes, summed over the whole network
  std::optional<double> ram_kib;     // max over time of live activations
  std::optional<double> memory_kib;  // M_max of the paper's eq. 4: sum over slots of weights + peak <= M_max - M_head
  // quality_min, either: MACs, or the mean over slots of TableRow::quality.
  std::optional<int64_t> min_macs;
  std::optional<double> min_quality;
};

// Prediction = intercept + slope * sum of rows; {0, 1} is the plain sum.
struct CostCorrection {
  double intercept_ns = 0;
  double slope = 1;
  double sigma = 0;  // standard deviation of measured over predicted; 0: unknown
};

struct Candidate {
  Objective objective = Objective::kAccuracy;
  int rank = 0;  // 1-based within objective and width
  double width = 1.0;
  std::vector<Choice> choices;
  int64_t macs = 0;               // whole network
  std::optional<double> quality;  // mean over slots of TableRow::quality, where all have one
  double latency_ns = 0;          // predicted
  int64_t flash_bytes = 0, ram_bytes = 0, memory_bytes = 0;
  std::string solver;
  bool optimal = false;
  int64_t solve_ns = 0;
};

struct SearchResult {
  std::vector<Candidate> candidates;  // empty: infeasible
  bool optimal = true;                // proven; false: the solver gave up, there may be better ones
  // What would be needed at least, each budget alone; set when infeasible.
  double smallest_latency_ms = 0, smallest_flash_kib = 0, smallest_ram_kib = 0, smallest_memory_kib = 0;
  int64_t largest_macs = 0;
};

// What the objective accuracy makes as large as it can: the quality where the table has one, else MACs.
double QualityOf(const Candidate& candidate);

// Whether a network with these costs and this latency keeps every budget.
bool KeepsBudgets(const Candidate& candidate, double latency_ns, const Budgets& budgets);

// What an infeasible search would need at least, as text: "the smallest that would do, each alone: latency_ms 0.412,
// ...".
std::string SmallestText(const SearchResult& result);

// ram_kib is a maximum, so it only removes choices; the other budgets are sums. M_head is weights + peak of stem, tail
// and head. Latencies are rounded to whole nanoseconds a row, so that the program is exact in integers; a budget holds
// on the corrected prediction. Throws Error(kInvalidArgument) for k < 1, an empty table or slope <= 0, and what the
// solver throws. `min_distance`: candidates differ from each other in the blocks of at least that many slots, so of
// networks that differ in number formats only the best is a candidate (SolveApart); 0: each is one. What formats cost
// at borders counts.
SearchResult AutoSearch(const LookupTable& table, Objective objective, const Budgets& budgets, int k,
                        const Solver& solver, const CostCorrection& correction, int min_distance = 1);

// Prediction of given choices (one a slot); Error(kNotFound) when the table lacks a choice.
Candidate Predict(const LookupTable& table, const std::vector<Choice>& choices, const CostCorrection& correction);

}  // namespace hot
