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

  std::optional<Candidate> Best(Objective objective, const Budgets& budgets) {
    SearchResult found = AutoSearch(table_, objective, budgets, 1, solver_, correction_);
    proven_ = proven_ && found.optimal;
    if (found.candidates.empty()) return std::nullopt;
    return std::move(found.candidates.front());
  }

  std::optional<Candidate> Fastest() {
    Budgets budgets = budgets_;
    budgets.latency_ms.reset();
    return Best(Objective::kLatency, budgets);
  }

  // The point of the front with the most quality within `latency_ms`: of the networks with that quality the fastest.
  // Asks for more answers until there is one of less quality.
  std::optional<Candidate> PointWithin(std::optional<double> latency_ms) const {
    Budgets budgets = budgets_;
    budgets.latency_ms = latency_ms;
    for (int k = kTies;; k *= kTies) {
      SearchResult found =
          AutoSearch(table_, Objective::kAccuracy, budgets, k, solver_, correction_, /*min_distance=*/0);
      if (found.candidates.empty()) return std::nullopt;
      const auto worse = std::ranges::find_if(
          found.candidates, [&](const Candidate& c) { return !SameQuality(c, found.candidates.front()); });
      const bool all = worse != found.candidates.end() || std::ssize(found.candidates) < k;
      if (!all && k < kMostTies) continue;
      Candidate point = *std::min_element(found.candidates.begin(), worse, [](const Candidate& a, const Candidate& b) {
        return a.latency_ns < b.latency_ns;
      });
      point.optimal = point.optimal && all;
      return point;
    }
  }

  // Whether the solver was sure of all that Best() gave.
  bool proven() const { return proven_; }

 private:
  static constexpr int kTies = 16, kMostTies = 4096;

  static bool SameQuality(const Candidate& a, const Candidate& b) {
    return a.quality ? a.quality == b.quality : a.macs == b.macs;
  }

  const LookupTable& table_;
  const Budgets& budgets_;
  const Solver& solver_;
  const CostCorrection& correction_;
  bool proven_ = true;
};

}  // namespace

std::vector<Candidate> ParetoFront(const LookupTable& table, const Budgets& budgets, int most, const Solver& solver,
                                   const CostCorrection& correction) {
  if (most < 2) throw Error(Code::kInvalidArgument, "front", "expected at least 2 points, got " + std::to_string(most));
  Sweep sweep(table, budgets, solver, correction);
  const std::optional<Candidate> fastest = sweep.Fastest();
  if (!fastest) return {};
  std::vector<Candidate> points;  // from the slow end
  if (std::optional<Candidate> best = sweep.PointWithin(std::nullopt)) points.push_back(*std::move(best));
  if (points.empty()) return {};  // the solver gave up
  const double step_ns = (points.front().latency_ns - fastest->latency_ns) / (most - 1);
  double steps = most - 1;  // of the level asked last, from the fastest; counted, since rounding could ask one twice
  while (points.back().latency_ns > fastest->latency_ns) {
    const double last_ns = points.back().latency_ns;
    steps = std::max(0.0, std::min(steps, std::ceil((last_ns - fastest->latency_ns) / step_ns)) - 1);
    const double level_ns = fastest->latency_ns + steps * step_ns;
    std::optional<Candidate> point = sweep.PointWithin(std::min(JustEnoughMs(level_ns), JustBelowMs(last_ns)));
    if (!point) break;  // the solver gave up
    points.push_back(*std::move(point));
  }
  std::ranges::reverse(points);
  for (size_t i = 0; i < points.size(); ++i) points[i].rank = static_cast<int>(i) + 1;
  return points;
}

std::optional<LatencyPrice> PriceOfLatency(const LookupTable& table, const Budgets& budgets, const Solver& solver,
                                           const CostCorrection& correction) {
  if (!budgets.latency_ms || *budgets.latency_ms <= 0) return std::nullopt;
  Sweep sweep(table, budgets, solver, correction);
  const auto quality_within = [&](double latency_ms) -> std::optional<double> {
    Budgets shifted = budgets;
    shifted.latency_ms = latency_ms;
    const std::optional<Candidate> best = sweep.Best(Objective::kAccuracy, shifted);
    return best ? std::optional(QualityOf(*best)) : std::nullopt;
  };
  const std::optional<double> quality = quality_within(*budgets.latency_ms);
  if (!quality) return std::nullopt;
  constexpr double kSteps = 5;
  LatencyPrice price{.step_ms = std::min(1.0, std::pow(10, std::floor(std::log10(*budgets.latency_ms / kSteps)))),
                     .scored = HasQuality(table),
                     .quality = *quality};
  const std::optional<double> more = quality_within(*budgets.latency_ms + price.step_ms);
  price.more = more.value_or(*quality) - *quality;
  if (const auto less = quality_within(*budgets.latency_ms - price.step_ms)) price.less = *quality - *less;
  price.optimal = sweep.proven();
  return price;
}

}  // namespace hot
