#include "quantize/range_observer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace hot {
namespace {

// Folds pairs of bins into one half: the lower when the range grows upwards, else the upper.
void MergePairs(std::vector<int64_t>& bins, bool into_lower) {
  const size_t half = bins.size() / 2;
  std::vector<int64_t> merged(bins.size(), 0);
  const size_t offset = into_lower ? 0 : half;
  for (size_t i = 0; i < half; ++i) merged[offset + i] = bins[2 * i] + bins[2 * i + 1];
  bins = std::move(merged);
}

struct Extremes {
  float low, high;
  bool finite;
};

// In lanes, so that the compiler can use vectors. A NaN or an infinity times zero is NaN, and so is a sum with it.
Extremes FindExtremes(const float* values, int64_t count) {
  constexpr int64_t kLanes = 16;
  std::array<float, kLanes> low, high, poison{};
  low.fill(values[0]);
  high.fill(values[0]);
  const auto take = [&](int64_t i, size_t lane) {
    low[lane] = values[i] < low[lane] ? values[i] : low[lane];
    high[lane] = values[i] > high[lane] ? values[i] : high[lane];
    poison[lane] += values[i] * 0.0f;
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) take(i + static_cast<int64_t>(lane), lane);
  }
  for (; i < count; ++i) take(i, 0);
  return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end()),
          std::none_of(poison.begin(), poison.end(), [](float value) { return std::isnan(value); })};
}

}  // namespace

void RangeObserver::Observe(const float* values, int64_t count) {
  if (count == 0 || broken_) return;
  const Extremes seen = FindExtremes(values, count);
  broken_ = !seen.finite;
  if (broken_) {
    min_ = max_ = std::numeric_limits<float>::quiet_NaN();
    empty_ = false;
    return;
  }
  if (empty_) Start(seen.low, seen.high);
  empty_ = false;
  min_ = std::min(min_, seen.low);
  max_ = std::max(max_, seen.high);
  if (!with_histogram_) return;
  Grow(seen.low, seen.high);
  for (int64_t i = 0; i < count; ++i) {
    const auto bin = static_cast<int>((static_cast<double>(values[i]) - low_) / width_);
    ++histogram_[static_cast<size_t>(std::clamp(bin, 0, kBins - 1))];
  }
}

void RangeObserver::Start(float low, float high) {
  min_ = low;
  max_ = high;
  if (!with_histogram_) return;
  low_ = low;
  // A constant tensor gets bins, too; their width must still be seen beside its magnitude.
  const double smallest = std::max(1e-6, std::abs(static_cast<double>(low)) * 1e-6);
  width_ = std::max(static_cast<double>(high) - low, smallest) / kBins;
  histogram_.assign(kBins, 0);
}

void RangeObserver::Grow(float low, float high) {
  while (high > low_ + width_ * kBins) {
    MergePairs(histogram_, true);
    width_ *= 2;
  }
  while (low < low_) {
    MergePairs(histogram_, false);
    low_ -= width_ * kBins;
    width_ *= 2;
  }
}

std::pair<float, float> RangeObserver::Percentile(double tail) const {
  if (tail <= 0 || histogram_.empty() || broken_) return {min_, max_};
  int64_t total = 0;
  for (const int64_t bin : histogram_) total += bin;
  const double outside = tail * static_cast<double>(total);
  int first = 0, last = kBins - 1;
  for (double left = outside; first < last && static_cast<double>(histogram_[static_cast<size_t>(first)]) <= left;
       ++first) {
    left -= static_cast<double>(histogram_[static_cast<size_t>(first)]);
  }
  for (double left = outside; last > first && static_cast<double>(histogram_[static_cast<size_t>(last)]) <= left;
       --last) {
    left -= static_cast<double>(histogram_[static_cast<size_t>(last)]);
  }
  const auto low = static_cast<float>(low_ + first * width_), high = static_cast<float>(low_ + (last + 1) * width_);
  return {std::max(min_, low), std::min(max_, high)};
}

RangeObserver::Histogram RangeObserver::histogram() const {
  if (broken_ || histogram_.empty()) return {};
  return {.low = low_, .width = width_, .counts = histogram_};
}

}  // namespace hot
