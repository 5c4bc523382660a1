// Loops over maps seen as rows x channels in memory order (channels-last), compiled for the vector units of several
// CPUs. Private to train/. Work is cut into chunks that don't depend on the number of threads, so neither does the
// result.
#pragma once

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
Moments ChannelMoments(const float* x, Rows shape);

// Per channel: z = x * scale + shift, clamped to [low, high]; outside of it no gradient passes.
struct AffineClamp {
  std::vector<float> scale, shift;
  float low, high;
};
void ApplyAffineClamp(const float* x, Rows shape, const AffineClamp& affine, float* y);

// Sums over rows of g and g * (x - mean), g being the gradient that passes the clamp.
struct GradientSums {
  std::vector<double> gradient, gradient_deviation;
};
GradientSums SumGradients(const float* x, const float* dy, Rows shape, const AffineClamp& affine,
                          const std::vector<float>& mean);

// dx = scale * g + slope * x + offset, per channel.
struct InputGradient {
  std::vector<float> slope, offset;
};
void ApplyInputGradient(const float* x, const float* dy, Rows shape, const AffineClamp& affine,
                        const InputGradient& input, float* dx);

}  // namespace hot
