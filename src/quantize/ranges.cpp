#include "quantize/ranges.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace hot {
namespace {

constexpr double kPercentileTail = 1e-5;
constexpr int kFractions = 100;          // of an end that a search tries
constexpr double kLeastFraction = 0.1;   // below it no range of a tensor with so many values is the best
constexpr double kLeastDensity = 1e-10;  // stands for zero in a logarithm

using Histogram = RangeObserver::Histogram;

struct Range {
  double low = 0, high = 0;
};

double Square(double value) { return value * value; }

// Of a value that stands for its bin: its distance from the integer it becomes.
double SquaredError(const Histogram& histogram, const Range& range, const Scheme& scheme) {
  const ActivationScale scale = ScaleOf(range.low, range.high, scheme);
  const double lowest = (scheme.lowest - scale.zero_point) * static_cast<double>(scale.scale);
  const double highest = (scheme.highest - scale.zero_point) * static_cast<double>(scale.scale);
  double error = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    const double value = histogram.low + (static_cast<double>(i) + 0.5) * histogram.width;
    const double rounded = std::nearbyint(value / scale.scale) * scale.scale;
    error += static_cast<double>(histogram.counts[i]) * Square(std::clamp(rounded, lowest, highest) - value);
  }
  return error;
}

int BinOf(const Histogram& histogram, double value) {
  const double bin = std::floor((value - histogram.low) / histogram.width);
  return static_cast<int>(std::clamp(bin, 0.0, static_cast<double>(histogram.counts.size()) - 1));
}

// Counts of the bins in [first, last] without the one of zero, which every scale holds exactly.
std::vector<double> Density(const Histogram& histogram, int first, int last) {
  std::vector<double> density;
  for (int bin = first; bin <= last; ++bin)
    density.push_back(static_cast<double>(histogram.counts[static_cast<size_t>(bin)]));
  const double zero = std::floor(-histogram.low / histogram.width);
  if (zero >= first && zero <= last) density[static_cast<size_t>(zero) - static_cast<size_t>(first)] = 0;
  return density;
}

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// What is left of a density when only one number a step is known: each step's mass, spread over its bins with values.
std::vector<double> AfterRounding(const std::vector<double>& density, int steps) {
  std::vector<double> after(density.size(), 0);
  const size_t count = density.size();
  for (int step = 0; step < steps; ++step) {
    const size_t begin = count * static_cast<size_t>(step) / static_cast<size_t>(steps);
    const size_t end = count * (static_cast<size_t>(step) + 1) / static_cast<size_t>(steps);
    double mass = 0, filled = 0;
    for (size_t i = begin; i < end; ++i) {
      mass += density[i];
      filled += density[i] > 0 ? 1 : 0;
    }
    for (size_t i = begin; i < end; ++i) after[i] = density[i] > 0 ? mass / filled : 0;
  }
  return after;
}

double Divergence(const Histogram& histogram, const Range& range, const Scheme& scheme) {
  const int first = BinOf(histogram, range.low), last = BinOf(histogram, range.high);
  if (last - first < scheme.steps()) return std::numeric_limits<double>::infinity();
  std::vector<double> before = Density(histogram, first, last);
  const std::vector<double> after = AfterRounding(before, scheme.steps());
  const int end = static_cast<int>(histogram.counts.size()) - 1;
  if (first > 0) before.front() += Sum(Density(histogram, 0, first - 1));
  if (last < end) before.back() += Sum(Density(histogram, last + 1, end));
  const double mass_before = Sum(before), mass_after = Sum(after);
  if (mass_after <= 0) return std::numeric_limits<double>::infinity();
  double divergence = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == 0) continue;
    const double p = before[i] / mass_before, q = std::max(after[i] / mass_after, kLeastDensity);
    divergence += p * std::log(p / q);
  }
  return divergence;
}

// Tries fractions of both ends together, then of each alone.
template <typename Cost>
Range Search(const Range& whole, const Cost& cost) {
  Range best = whole;
  double least = cost(whole);
  const auto attempt = [&](bool move_low, bool move_high) {
    const Range start = best;
    for (int i = kFractions - 1; i >= kFractions * kLeastFraction; --i) {
      const double fraction = static_cast<double>(i) / kFractions;
      const Range range{move_low ? whole.low * fraction : start.low, move_high ? whole.high * fraction : start.high};
      const double error = cost(range);
      if (error < least) {
        least = error;
        best = range;
      }
    }
  };
  const bool below = whole.low<0, above = whole.high> 0;
  attempt(below, above);
  if (below && above) {
    attempt(false, true);
    attempt(true, false);
  }
  return best;
}

}  // namespace

ActivationScale ScaleOf(double low, double high, const Scheme& scheme) {
  const double from = std::min(0.0, low), to = std::max(0.0, high);
  if (scheme.symmetric)
    return {static_cast<float>(std::max(std::max(-from, to) / scheme.highest, 1e-9 / scheme.highest)), 0};
  const double scale = std::max((to - from) / scheme.steps(), 1e-9);
  const double zero_point = std::nearbyint(scheme.lowest - from / scale);
  return {static_cast<float>(scale), static_cast<int>(std::clamp<double>(zero_point, scheme.lowest, scheme.highest))};
}

std::span<const std::string> RangeMethods() {
  static const std::array<std::string, 4> kMethods{"minmax", "percentile", "mse", "kl"};
  return kMethods;
}

std::pair<float, float> EstimateRange(const RangeObserver& observer, std::string_view method, const Scheme& scheme) {
  if (method == "minmax") return observer.Percentile(0);
  if (method == "percentile") {
    const auto [low, high] = observer.Percentile(kPercentileTail);
    return low == high ? observer.Percentile(0) : std::pair(low, high);
  }
  if (method != "mse" && method != "kl") {
    const std::span<const std::string> known = RangeMethods();
    throw Error(Code::kInvalidArgument, "quantize.ranges", "unknown method \"" + std::string(method) + "\"",
                "known: " + JoinNames({known.begin(), known.end()}));
  }
  const Histogram histogram = observer.histogram();
  if (histogram.counts.empty()) return observer.Percentile(0);
  const Range whole{std::min(0.0, static_cast<double>(observer.min())),
                    std::max(0.0, static_cast<double>(observer.max()))};
  const Range best = Search(whole, [&](const Range& range) {
    return method == "mse" ? SquaredError(histogram, range, scheme) : Divergence(histogram, range, scheme);
  });
  return {static_cast<float>(best.low), static_cast<float>(best.high)};
}

}  // namespace hot
