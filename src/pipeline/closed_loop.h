// What stage verify decides, without a device: which networks are measured whole, when it is enough, and which of them
// are returned. Solve, measure the most useful answers, correct the cost model, solve again (docs/adr/0005). Called by
// the verify stage with the device behind `measure`, by tests with a made-up one. Stateless; nothing is random, so
// equal tables and measurements give equal results.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/correction.h"
#include "search/auto_search.h"
#include "store/store.h"

namespace hot {

// Whole networks measured beyond the table, the baseline among them: about a minute on the host. The correction has two
// unknowns a width, so more networks would hardly sharpen it, and few studies train more candidates than that.
inline constexpr int kMostNetworks = 20;
// Measured before the cost model is corrected again. Small, because what the first, uncorrected answers teach decides
// which networks are worth measuring; with the baseline enough to fit slope and intercept.
inline constexpr int kNetworksAtOnce = 5;

// A latency budget L means P(latency <= L) >= 95 %: one-sided quantile of the normal distribution.
inline constexpr double kBudgetQuantile = 1.645;
// Relative standard deviation of a whole network's measurement, of kWholeOptions' loads beside the reference network
// (`scripts/bench fidelity budgets`, what was returned v measured again; docs/adr/0014). Estimates repeat exactly.
inline constexpr double kRepeatSigma = 0.0075;

struct LoopStudy {
  std::span<const LookupTable> tables;  // one a width, of the searched precision; the baseline's width, too
  std::vector<double> widths;           // searched
  std::vector<Objective> objectives;
  Budgets budgets;
  int k = 8;  // answers a width and objective
  const Solver& solver;
  double repeat_sigma = 0;  // of a measurement: kRepeatSigma, or 0 for estimates
  int min_distance = 1;     // slots in which answers of a width and objective differ at least
};

struct VerifiedNetwork {
  Candidate network;  // its latency is the plain sum of rows
  MeasurementRow row;
  bool keeps = false;  // every budget, with the margin; set by CloseLoop()
};

// One row a network, in order. Called with at most kNetworksAtOnce, none of them twice.
using MeasureNetworks = std::function<std::vector<MeasurementRow>(const std::vector<Candidate>&)>;

struct LoopResult {
  // By width, objective and rank. Each was measured and keeps every budget, latency with the margin of kBudgetQuantile;
  // the best k of a width and objective: by MACs, or by measured latency, each at least min_distance slots from every
  // better one. Predictions are corrected. `optimal`: the solver's last answers, with proof, hold it. Empty: nothing
  // measured keeps the budgets.
  std::vector<Candidate> candidates;
  Corrections corrections;
  std::vector<VerifiedNetwork> networks;  // all that were measured, in order, the baseline first
  // Smallest measured latency among networks of the searched widths that keep all other budgets; unset: there is none.
  std::optional<double> smallest_latency_ns;
  std::vector<std::string> notes;  // one a width and objective without a candidate: what would be needed
};

// What a network's measured latency is multiplied with before it is compared with the budget.
double BudgetMargin(double sigma);

// The solver asks for mean + z * sigma within the latency budget, sigma of model and measurement together, until a
// width and objective has a success, then for the measurement's own margin. A width and objective whose answers all
// miss the latency budget aims lower by what they missed; one for which the cost model sees no network, or that has no
// success when the last measurements are due, tries the fastest networks. Where none of its own answers keeps the
// budgets, the width's other measured networks stand in, the baseline last. `baseline` was measured before, since
// budgets may depend on it. Throws what AutoSearch, Predict and `measure` throw.
LoopResult CloseLoop(const LoopStudy& study, VerifiedNetwork baseline, const MeasureNetworks& measure);

}  // namespace hot
