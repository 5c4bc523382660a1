// Loops over maps seen as rows x channels in memory order (channels-last), compiled for the vector units of several
// CPUs. Maps are float or bfloat16, arithmetic is float. Private to train/. Work is cut into chunks that don't depend
// on the number of threads, so neither does the result.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <vector>

namespace hot {

struct Rows {
  int64_t rows = 0, channels = 0;
  int64_t elements() const { return rows * channels; }
};

// Mean and sum of squared deviations of every channel, combined over chunks by Chan et al., "Algorithms for computing
// the sample variance", 1983, equation 2.1.
struct Moments {
  std::vector<float> mean;
  std::vector<double> squared_deviation;
};
template <typename T>
Moments ChannelMoments(const T* x, Rows shape);

// Per channel: z = x * scale + shift, clamped to [low, high]; outside of it no gradient passes.
struct AffineClamp {
  std::vector<float> scale, shift;
  float low, high;
};
template <typename T>
void ApplyAffineClamp(const T* x, Rows shape, const AffineClamp& affine, T* y);

// Sums over rows of g and g * (x - mean), g being the gradient that passes the clamp.
struct GradientSums {
  std::vector<double> gradient, gradient_deviation;
};
template <typename T>
GradientSums SumGradients(const T* x, const T* dy, Rows shape, const AffineClamp& affine,
                          const std::vector<float>& mean);

// dx = scale * g + slope * x + offset, per channel.
struct InputGradient {
  std::vector<float> slope, offset;
};
template <typename T>
void ApplyInputGradient(const T* x, const T* dy, Rows shape, const AffineClamp& affine, const InputGradient& input,
                        T* dx);

}  // namespace hot
