#include "train/adam.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "train/vector_clones.h"

namespace hot {
namespace {

constexpr int64_t kLanes = 64;     // partial sums that a vector unit can keep apart
constexpr int64_t kBlock = 16384;  // values summed in float before double takes over

HOT_VECTOR_CLONES void AddSquares(const float* __restrict x, int64_t lanes, float* __restrict sums) {
  for (int64_t lane = 0; lane < lanes; ++lane) sums[lane] += x[lane] * x[lane];
}

double SquaredNorm(std::span<const float> values) {
  const auto size = static_cast<int64_t>(values.size());
  double total = 0;
  for (int64_t block = 0; block < size; block += kBlock) {
    std::array<float, kLanes> sums{};
    const int64_t end = std::min(size, block + kBlock);
    for (int64_t i = block; i < end; i += kLanes) AddSquares(values.data() + i, std::min(kLanes, end - i), sums.data());
    for (float sum : sums) total += sum;
  }
  return total;
}

struct Coefficients {
  float scale, decay, beta1, beta2, step, correction, eps;
};

struct State {
  float *value, *first, *second;
  const float* gradient;
};

// value -= lr / (1 - beta1^t) * first / (sqrt(second / (1 - beta2^t)) + eps)
HOT_VECTOR_CLONES void Update(const State& state, int64_t count, const Coefficients& c) {
  float* __restrict value = state.value, * __restrict first = state.first, * __restrict second = state.second;
  const float* __restrict gradient = state.gradient;
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * c.scale + value[i] * c.decay;
    first[i] += (g - first[i]) * (1.0f - c.beta1);
    second[i] += (g * g - second[i]) * (1.0f - c.beta2);
    value[i] -= c.step * first[i] / (std::sqrt(second[i]) * c.correction + c.eps);
  }
}

}  // namespace

Adam::Adam(int64_t parameters, const AdamOptions& options)
    : options_(options),
      first_(static_cast<size_t>(parameters), 0.0f),
      second_(static_cast<size_t>(parameters), 0.0f) {}

double Adam::Step(std::span<float> values, std::span<const float> gradients, double lr, double clip_norm) {
  HOT_ASSERT(values.size() == first_.size() && gradients.size() == first_.size());
  const double norm = std::sqrt(SquaredNorm(gradients));
  if (!std::isfinite(norm)) return norm;
  ++steps_;
  const auto t = static_cast<double>(steps_);
  Coefficients c{.scale = clip_norm > 0 && norm > clip_norm ? static_cast<float>(clip_norm / norm) : 1.0f,
                 .decay = static_cast<float>(options_.weight_decay),
                 .beta1 = static_cast<float>(options_.beta1),
                 .beta2 = static_cast<float>(options_.beta2),
                 .step = static_cast<float>(lr / (1.0 - std::pow(options_.beta1, t))),
                 .correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options_.beta2, t))),
                 .eps = static_cast<float>(options_.eps)};
  const auto run = [&](int64_t begin, int64_t end) {
    Update({values.data() + begin, first_.data() + begin, second_.data() + begin, gradients.data() + begin},
           end - begin, c);
  };
  run(0, options_.decayed);
  c.decay = 0;
  run(options_.decayed, static_cast<int64_t>(values.size()));
  return norm;
}

}  // namespace hot
