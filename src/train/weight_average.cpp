#include "train/weight_average.h"

#include <algorithm>

#include "core/error.h"
#include "train/vector_clones.h"

namespace hot {
namespace {

HOT_VECTOR_CLONES void MoveTowards(const float* __restrict target, int64_t count, float share,
                                   float* __restrict value) {
  for (int64_t i = 0; i < count; ++i) value[i] += share * (target[i] - value[i]);
}

}  // namespace

double AverageDecay(double decay, int64_t step) {
  return std::min(decay, static_cast<double>(1 + step) / static_cast<double>(10 + step));
}

void WeightAverage::Start(std::span<const float> values) {
  if (enabled()) values_.assign(values.begin(), values.end());
}

void WeightAverage::Update(std::span<const float> values, int64_t step) {
  if (!enabled()) return;
  HOT_ASSERT(values.size() == values_.size());
  const auto share = static_cast<float>(1.0 - AverageDecay(decay_, step));
  MoveTowards(values.data(), static_cast<int64_t>(values.size()), share, values_.data());
}

}  // namespace hot
