// Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1) with gradient clipping, on
// the flat buffers of FlatParameters: two passes over memory for the whole network. Called by the trainer. Thread rule:
// one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hot {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0;  // L2, added to the gradient, of the first `decayed` values only
  int64_t decayed = 0;
};

class Adam {
 public:
  Adam(int64_t parameters, const AdamOptions& options);

  // Moves `values` by one step; the gradients are first scaled so that their norm is at most `clip_norm` (0: no
  // clipping). Returns the norm before clipping; when that is not finite nothing is changed.
  double Step(std::span<float> values, std::span<const float> gradients, double lr, double clip_norm);

  // For checkpoints.
  std::vector<float>& first_moment() { return first_; }
  std::vector<float>& second_moment() { return second_; }
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  AdamOptions options_;
  std::vector<float> first_, second_;
  int64_t steps_ = 0;
};

}  // namespace hot
