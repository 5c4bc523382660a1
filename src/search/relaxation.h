// What would do when no network keeps the budgets, and what takes so much of them. Every number is an answer of the
// solver. Called by the search stage. Stateless.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "search/auto_search.h"

namespace hot {

// The part of a network that takes the most of a budget.
struct LargestShare {
  std::string part;         // "slot3", "stem", "tail", "head"
  std::string choice = "";  // of slots
  double share = 0;         // of what the network takes; of ram_kib, which is a maximum, 1
};

// One budget of latency_ms, flash_kib, ram_kib, memory_kib.
struct BudgetRelaxation {
  std::string budget;
  double limit = 0;
  std::optional<double> alone = {};  // the smallest that would do with the others held; unset: none would
  double used = 0;                   // by the network of Relaxation::factor
  LargestShare largest = {};         // of `used`
};

struct Relaxation {
  double factor = 1;                      // the smallest by which all budgets together must be multiplied
  std::optional<int64_t> most_macs = {};  // where min_macs is set: the largest that would do, the budgets held
  std::vector<BudgetRelaxation> budgets = {};
  bool optimal = true;  // proven; false: the solver gave up somewhere, less may do
};

// Of budgets that no network keeps (where one does, factors are at most 1). min_macs is held; unset: it can't be kept
// whatever the other budgets are. Factors are exact to 1 part in 10^12. Throws what AutoSearch throws.
std::optional<Relaxation> SmallestRelaxation(const LookupTable& table, const Budgets& budgets, const Solver& solver,
                                             const CostCorrection& correction);

// "all budgets times 1.32 would do, or one alone: latency_ms 0.512; slot2 (irb-k3-e3) takes the most of latency_ms,
// 41 %". Rounded up, so that what it says does. Latencies are multiplied by `passes`.
std::string RelaxationText(const Relaxation& relaxation, int passes);

}  // namespace hot
