// Which range of an activation is quantized, from what calibration observed: all of it, or less, where clipping a few
// values makes the steps of all others finer. Called by Quantize(). Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "quantize/range_observer.h"
#include "quantize/scheme.h"

namespace hot {

// real = scale * (q - zero_point), q in [scheme.lowest, scheme.highest].
struct ActivationScale {
  float scale = 1;
  int zero_point = 0;
  bool operator==(const ActivationScale&) const = default;
};

// The range always holds zero, so that padding and ReLU are exact (Jacob et al., 2018, section 2.1).
ActivationScale ScaleOf(double low, double high, const Scheme& scheme);

// "minmax", "percentile", "mse", "kl".
std::span<const std::string> RangeMethods();

// Both ends, low <= high:
// - minmax: the extremes;
// - percentile: one value in 100,000 stays outside on each side;
// - mse: least mean squared error of rounding and clipping (Nagel et al., 2021, section 3.1);
// - kl: least Kullback-Leibler divergence between the values' distributions before and after (Migacz, "8-bit Inference
//   with TensorRT", 2017), without the values that are zero. The extremes where steps are finer than histogram bins, as
//   with 16 bits.
// All need a histogram except minmax, which is what they give without one. Throws Error(kInvalidArgument) on an unknown
// method.
std::pair<float, float> EstimateRange(const RangeObserver& observer, std::string_view method, const Scheme& scheme);

}  // namespace hot
