#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/quantize.h"

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

}  // namespace

void RangeObserver::Observe(const float* values, int64_t count) {
  if (count == 0 || broken_) return;
  const auto [low, high] = std::minmax_element(values, values + count);
  broken_ = std::any_of(values, values + count, [](float value) { return !std::isfinite(value); });
  if (broken_) {
    min_ = max_ = std::numeric_limits<float>::quiet_NaN();
    return;
  }
  if (histogram_.empty()) Start(*low, *high);
  Grow(*low, *high);
  min_ = std::min(min_, *low);
  max_ = std::max(max_, *high);
  for (int64_t i = 0; i < count; ++i) {
    const auto bin = static_cast<int>((static_cast<double>(values[i]) - low_) / width_);
    ++histogram_[static_cast<size_t>(std::clamp(bin, 0, kBins - 1))];
  }
}

void RangeObserver::Start(float low, float high) {
  min_ = low;
  max_ = high;
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

}  // namespace hot
