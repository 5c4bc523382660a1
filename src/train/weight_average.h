// Exponential moving average of a network's weights (Polyak and Juditsky, "Acceleration of stochastic approximation by
// averaging", 1992): less noisy than the last step's weights, so it is what gets validated and stored. Called by the
// trainer. Thread rule: one thread.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace hot {

// How much of the average stays at step `step` (from 1): `decay`, but at first only (1 + step) / (10 + step), so that
// the random weights at the start are forgotten within the first tenth of any training.
double AverageDecay(double decay, int64_t step);

class WeightAverage {
 public:
  // `decay` 0: off, the average stays empty.
  explicit WeightAverage(double decay) : decay_(decay) {}

  bool enabled() const { return decay_ > 0; }
  // From a copy of `values` [n], on their device.
  void Start(const at::Tensor& values);
  // average += (1 - AverageDecay) * (values - average), after the optimizer's step number `step` (from 1).
  void Update(const at::Tensor& values, int64_t step);

  // [n], for validation and checkpoints; [0] when it is off.
  const at::Tensor& values() const { return values_; }

 private:
  double decay_;
  at::Tensor values_ = at::empty({0});
};

}  // namespace hot
