// What calibration keeps of one tensor: extremes and, unless they are enough, a histogram whose bins double in width
// when a value falls outside, so that memory stays fixed and no picture is read twice. Filled by deploy/calibrate, read
// by ranges.h. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace hot {

class RangeObserver {
 public:
  // Without a histogram only the extremes are known, several times as fast.
  explicit RangeObserver(bool histogram = true) : with_histogram_(histogram) {}

  // A value that is not finite makes min, max and Percentile NaN for good.
  void Observe(const float* values, int64_t count);
  bool empty() const { return empty_; }
  float min() const { return min_; }
  float max() const { return max_; }
  // Range that leaves at most `tail` of the observed values outside on each side; tail 0, or no histogram: min-max.
  std::pair<float, float> Percentile(double tail) const;

  // Bin i holds the values in [low + i * width, low + (i + 1) * width). Empty without a histogram, and when a value was
  // not finite.
  struct Histogram {
    double low = 0, width = 0;
    std::span<const int64_t> counts;
  };
  Histogram histogram() const;

 private:
  static constexpr int kBins = 2048;
  void Start(float low, float high);
  void Grow(float low, float high);
  bool with_histogram_;
  std::vector<int64_t> histogram_;  // over [low_, low_ + kBins * width_)
  double low_ = 0, width_ = 0;
  float min_ = 0, max_ = 0;
  bool broken_ = false, empty_ = true;
};

}  // namespace hot
