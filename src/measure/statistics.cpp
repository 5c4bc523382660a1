#include <algorithm>
#include <cmath>
#include <utility>

#include "core/rng.h"
#include "measure/measure.h"

namespace hot {
namespace {

// Largest number k of values that may be left out on each side so that the interval between the rest still covers the
// median with at least 95 %: P(Binomial(n, 1/2) < k) <= 2.5 %. -1 when even the extremes don't (n < 6).
int ValuesOutside(int n) {
  double log_term = -n * std::log(2.0);  // log P(X = 0)
  double below = 0;
  int k = -1;
  for (int i = 0; i < n; ++i) {
    below += std::exp(log_term);
    if (below > 0.025) break;
    k = i;
    log_term += std::log(static_cast<double>(n - i)) - std::log(i + 1.0);
  }
  return k;
}

double Median(std::vector<double> values) { return Percentile(std::move(values), 0.5); }

double MedianOfResample(const std::vector<double>& values, Rng& rng) {
  std::vector<double> drawn(values.size());
  for (double& value : drawn) value = values[static_cast<size_t>(rng.Below(std::ssize(values)))];
  return Median(std::move(drawn));
}

}  // namespace

double Percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double position = std::clamp(p, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto index = static_cast<size_t>(position);
  if (index + 1 >= values.size()) return values.back();
  return values[index] + (position - static_cast<double>(index)) * (values[index + 1] - values[index]);
}

MedianInterval MedianWithInterval(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto n = static_cast<int>(values.size());
  const auto outside = static_cast<size_t>(std::max(0, ValuesOutside(n)));
  const double median = (values[static_cast<size_t>((n - 1) / 2)] + values[static_cast<size_t>(n / 2)]) / 2;
  return {median, values[outside], values[values.size() - 1 - outside]};
}

RatioInterval MedianRatio(const std::vector<double>& a, const std::vector<double>& b, int rounds, uint64_t seed) {
  if (a.empty() || b.empty()) return {};
  Rng rng(seed);
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const double numerator = MedianOfResample(a, rng);
    ratios.push_back(numerator / MedianOfResample(b, rng));
  }
  return {.ratio = Median(a) / Median(b), .low = Percentile(ratios, 0.025), .high = Percentile(ratios, 0.975)};
}

}  // namespace hot
