// The optimizers, with gradient clipping, on the flat buffers of FlatParameters: LibTorch's fused kernels, one call for
// the whole network, on the CPU and on GPUs. Called by the trainer. Thread rule: one thread.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/flat_parameters.h"

namespace hot {

// kAdam: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1, with L2 weight decay.
// kAdamW: the same with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, algorithm 2, decay scaled by lr).
// kSgd: buffer = momentum * buffer + gradient, value -= lr * buffer. kNesterov: value -= lr * (gradient + momentum *
// buffer) (Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013). All four
// as torch.optim has them.
enum class OptimizerKind { kAdam, kAdamW, kSgd, kNesterov };

// "adam", "adamw", "sgd", "nesterov"; throws Error(kInvalidArgument) for anything else.
OptimizerKind ParseOptimizerKind(const std::string& name);

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // Adam and AdamW
  double momentum = 0.9;                          // SGD and Nesterov
  double weight_decay = 0;                        // of decayed ranges only
};

class Optimizer {
 public:
  // Moves `values` [n] along `gradients` [n], both float; it keeps references to them.
  Optimizer(at::Tensor values, at::Tensor gradients, const OptimizerOptions& options);

  // One step of the values in `ranges`; their gradients are first scaled so that the norm of all of them is at most
  // `clip_norm` (0: no clipping). Returns the norm before clipping; when that is not finite nothing is changed.
  double Step(std::span<const ValueRange> ranges, double lr, double clip_norm);

  // For checkpoints: Adam's moments, or the momentum buffer and nothing.
  struct State {
    int64_t steps = 0;
    std::vector<float> first, second;
  };
  State state() const;
  // Throws Error(kDataLoss) when the sizes are not this optimizer's.
  void Restore(const State& state);
  // As if no step had been made.
  void Reset();

  int64_t steps() const { return steps_; }

 private:
  void Move(const ValueRange& range, double lr, const std::optional<at::Tensor>& shrink);

  OptimizerOptions options_;
  at::Tensor values_, gradients_;
  int64_t steps_ = 0;
  at::Tensor first_, second_;  // as in State
};

}  // namespace hot
