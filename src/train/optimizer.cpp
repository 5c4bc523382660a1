#include "train/optimizer.h"

#include <cmath>
#include <utility>

#include "core/error.h"
#include "train/host_copy.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

bool IsAdam(OptimizerKind kind) { return kind == OptimizerKind::kAdam || kind == OptimizerKind::kAdamW; }

at::Tensor Part(const at::Tensor& buffer, const ValueRange& range) {
  return buffer.narrow(0, range.begin, range.end - range.begin);
}

// L2, summed in double.
double Norm(const at::Tensor& gradients, std::span<const ValueRange> ranges) {
  double squares = 0;
  for (const ValueRange& range : ranges) {
    const at::Tensor norm =
        at::linalg_vector_norm(Part(gradients, range), 2, at::OptionalIntArrayRef(), /*keepdim=*/false, at::kDouble);
    squares += std::pow(norm.item<double>(), 2);
  }
  return std::sqrt(squares);
}

}  // namespace

OptimizerKind ParseOptimizerKind(const std::string& name) {
  constexpr std::pair<const char*, OptimizerKind> kNames[] = {{"adam", OptimizerKind::kAdam},
                                                              {"adamw", OptimizerKind::kAdamW},
                                                              {"sgd", OptimizerKind::kSgd},
                                                              {"nesterov", OptimizerKind::kNesterov}};
  for (const auto& [known, kind] : kNames) {
    if (name == known) return kind;
  }
  throw Error(Code::kInvalidArgument, "optimizer", "unknown optimizer \"" + name + "\"",
              "known: adam, adamw, sgd, nesterov");
}

Optimizer::Optimizer(at::Tensor values, at::Tensor gradients, const OptimizerOptions& options)
    : options_(options),
      values_(std::move(values)),
      gradients_(std::move(gradients)),
      first_(at::zeros_like(values_)),
      second_(IsAdam(options.kind) ? at::zeros_like(values_) : at::empty({0}, values_.options())) {
  HOT_ASSERT(values_.numel() == gradients_.numel());
}

Optimizer::State Optimizer::state() const {
  return {.steps = steps_, .first = ToHost(first_), .second = ToHost(second_)};
}

void Optimizer::Restore(const State& state) {
  FromHost(state.first, first_, "the optimizer's saved state");
  FromHost(state.second, second_, "the optimizer's saved state");
  steps_ = state.steps;
}

void Optimizer::Reset() {
  steps_ = 0;
  first_.zero_();
  second_.zero_();
}

double Optimizer::Step(std::span<const ValueRange> ranges, double lr, double clip_norm) {
  const double norm = Norm(gradients_, ranges);
  if (!std::isfinite(norm)) return norm;
  ++steps_;
  std::optional<at::Tensor> shrink;
  if (clip_norm > 0 && norm > clip_norm) shrink = at::scalar_tensor(norm / clip_norm, values_.options());
  for (const ValueRange& range : ranges) {
    if (range.end > range.begin) Move(range, lr, shrink);
  }
  return norm;
}

// The kernels divide gradients by `shrink`.
void Optimizer::Move(const ValueRange& range, double lr, const std::optional<at::Tensor>& shrink) {
  const std::vector<at::Tensor> values{Part(values_, range)}, gradients{Part(gradients_, range)},
      first{Part(first_, range)};
  const double decay = range.decayed ? options_.weight_decay : 0;
  if (!IsAdam(options_.kind)) {
    at::_fused_sgd_(values, gradients, first, decay, options_.momentum, lr, /*dampening=*/0,
                    options_.kind == OptimizerKind::kNesterov, /*maximize=*/false, /*is_first_step=*/false, shrink);
    return;
  }
  const std::vector<at::Tensor> second{Part(second_, range)};
  const std::vector<at::Tensor> steps{at::scalar_tensor(steps_, values_.options())};
  const auto kernel = [&](auto fused) {
    fused(values, gradients, first, second, {}, steps, lr, options_.beta1, options_.beta2, decay, options_.eps,
          /*amsgrad=*/false, /*maximize=*/false, shrink, std::nullopt);
  };
  options_.kind == OptimizerKind::kAdam ? kernel(at::_ops::_fused_adam_::call) : kernel(at::_ops::_fused_adamw_::call);
}

}  // namespace hot
