// Quality against latency: the Pareto front of a look-up table and the price of a millisecond. Every point is an answer
// of the solver with proof, so both are right for whatever it can solve (pairs of neighbours, corrections). Called by
// the search stage. Stateless.
#pragma once

#include <optional>
#include <vector>

#include "search/auto_search.h"

namespace hot {

// By rising latency. No network that keeps the budgets (but latency_ms, which is what the front is over) is as fast as
// a point and better, or as good and faster. Ranks count from 1; `optimal` false: the solver gave up before the proof.
// At most `most` points: the fastest, the best, and between them, for latencies at equal steps, the best within each,
// once. Points that lie between these are left out, so with a large `most` the front is whole. Empty: infeasible.
// Throws Error(kInvalidArgument) for most < 2, and what AutoSearch throws.
std::vector<Candidate> ParetoFront(const LookupTable& table, const Budgets& budgets, int most, const Solver& solver,
                                   const CostCorrection& correction);

// What a little more or less latency buys at the budget: quality (QualityOf) of the best networks within it, exactly.
struct LatencyPrice {
  bool operator==(const LatencyPrice&) const = default;
  double step_ms = 0;               // 1 ms, or 0.1, 0.01, ... where the budget is below five steps
  bool scored = false;              // whether qualities are mean scores of slots (TableRow::quality); else MACs
  double quality = 0;               // of the best within budgets.latency_ms
  double more = 0;                  // gained by budgets.latency_ms + step_ms
  std::optional<double> less = {};  // lost by budgets.latency_ms - step_ms; unset: no network keeps that
  bool optimal = true;              // proven; false: the solver gave up somewhere
};

// Unset without a latency budget, and when no network keeps the budgets. Throws what AutoSearch throws.
std::optional<LatencyPrice> PriceOfLatency(const LookupTable& table, const Budgets& budgets, const Solver& solver,
                                           const CostCorrection& correction);

}  // namespace hot
