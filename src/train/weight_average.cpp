#include "train/weight_average.h"

#include <algorithm>

#include "core/error.h"
#include "train/torch_pch.h"

namespace hot {

double AverageDecay(double decay, int64_t step) {
  return std::min(decay, static_cast<double>(1 + step) / static_cast<double>(10 + step));
}

void WeightAverage::Start(const at::Tensor& values) {
  if (enabled()) values_ = values.clone();
}

void WeightAverage::Update(const at::Tensor& values, int64_t step) {
  if (!enabled()) return;
  HOT_ASSERT(values.numel() == values_.numel());
  values_.lerp_(values, 1.0 - AverageDecay(decay_, step));
}

}  // namespace hot
