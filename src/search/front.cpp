#include "search/front.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace hot {
namespace {

constexpr double kNsPerMs = 1e6;

// The smallest budget that `latency_ns` keeps, and the largest that it does not: milliseconds round.
double JustEnoughMs(double latency_ns) {
  double latency_ms = latency_ns / kNsPerMs;
  while (latency_ms * kNsPerMs < latency_ns) latency_ms = std::nextafter(latency_ms, INFINITY);
  return latency_ms;
}
double JustBelowMs(double latency_ns) {
  double latency_ms = latency_ns / kNsPerMs;
  while (latency_ms * kNsPerMs >= latency_ns) latency_ms = std::nextafter(latency_ms, -INFINITY);
  return latency_ms;
}

class Sweep {
 public:
  Sweep(const LookupTable& table, const Budgets& budgets, const Solver& solver, const CostCorrection& correction)
      : table_(table), budgets_(budgets), solver_(solver), correction_(correction) {}

  std::optional<Candidate> Best(Objective objective, const Budgets& budgets) const {
    SearchResult found = AutoSearch(table_, objective, budgets, 1, solver_, correction_);
    if (found.candidates.empty()) return std::nullopt;
    return std::move(found.candidates.front());
  }

  std::optional<Candidate> Fastest() const {
    Budgets budgets = budgets_;
    budgets.latency_ms.reset();
    return Best(Objective::kLatency, budgets);
  }

  // The point of the front with the most quality within `latency_ms`: of the networks with that quality the fastest.
  std::optional<Candidate> PointWithin(std::optional<double> latency_ms) const {
    Budgets budgets = budgets_;
    budgets.latency_ms = latency_ms;
    const std::optional<Candidate> best = Best(Objective::kAccuracy, budgets);
    if (!best) return std::nullopt;
    AskForQuality(*best, budgets);
    budgets.latency_ms.reset();
    std::optional<Candidate> point = Best(Objective::kLatency, budgets);
    HOT_ASSERT(point);
    point->objective = Objective::kAccuracy;
    point->optimal = point->optimal && best->optimal;
    point->solve_ns += best->solve_ns;
    return point;
  }

 private:
  // At least as good as `network`.
  static void AskForQuality(const Candidate& network, Budgets& budgets) { budgets.min_macs = network.macs; }

  const LookupTable& table_;
  const Budgets& budgets_;
  const Solver& solver_;
  const CostCorrection& correction_;
};

}  // namespace

std::vector<Candidate> ParetoFront(const LookupTable& table, const Budgets& budgets, int most, const Solver& solver,
                                   const CostCorrection& correction) {
  if (most < 2) throw Error(Code::kInvalidArgument, "front", "expected at least 2 points, got " + std::to_string(most));
  const Sweep sweep(table, budgets, solver, correction);
  const std::optional<Candidate> fastest = sweep.Fastest();
  if (!fastest) return {};
  std::vector<Candidate> points = {*sweep.PointWithin(std::nullopt)};  // from the slow end
  const double step_ns = (points.front().latency_ns - fastest->latency_ns) / (most - 1);
  while (points.back().latency_ns > fastest->latency_ns) {
    const double last_ns = points.back().latency_ns;
    const double steps = std::ceil((last_ns - fastest->latency_ns) / step_ns) - 1;  // of the highest level below it
    const double level_ns = fastest->latency_ns + std::max(0.0, steps) * step_ns;
    points.push_back(*sweep.PointWithin(std::min(JustEnoughMs(level_ns), JustBelowMs(last_ns))));
  }
  std::ranges::reverse(points);
  for (size_t i = 0; i < points.size(); ++i) points[i].rank = static_cast<int>(i) + 1;
  return points;
}

std::optional<LatencyPrice> PriceOfLatency(const LookupTable& table, const Budgets& budgets, const Solver& solver,
                                           const CostCorrection& correction) {
  if (!budgets.latency_ms || *budgets.latency_ms <= 0) return std::nullopt;
  const Sweep sweep(table, budgets, solver, correction);
  const auto macs_within = [&](double latency_ms) -> std::optional<int64_t> {
    Budgets shifted = budgets;
    shifted.latency_ms = latency_ms;
    const std::optional<Candidate> best = sweep.Best(Objective::kAccuracy, shifted);
    return best ? std::optional(best->macs) : std::nullopt;
  };
  const std::optional<int64_t> macs = macs_within(*budgets.latency_ms);
  if (!macs) return std::nullopt;
  constexpr double kSteps = 5;
  LatencyPrice price{.step_ms = std::min(1.0, std::pow(10, std::floor(std::log10(*budgets.latency_ms / kSteps)))),
                     .macs = *macs};
  price.more_macs = *macs_within(*budgets.latency_ms + price.step_ms) - *macs;
  if (const auto less = macs_within(*budgets.latency_ms - price.step_ms)) price.less_macs = *macs - *less;
  return price;
}

}  // namespace hot
