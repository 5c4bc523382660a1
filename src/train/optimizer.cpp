#include "train/optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

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

// Of a run of values that are treated alike.
struct Run {
  float *value, *first, *second;
  const float* gradient;
  int64_t count;
};

struct Coefficients {
  float scale = 1;   // of the gradient (clipping)
  float l2 = 0;      // weight decay added to the gradient
  float shrink = 1;  // decoupled weight decay: factor of the value
  float step = 0;    // learning rate, with Adam's correction of the first moment
  // Adam
  float beta1 = 0, beta2 = 0, correction = 1, eps = 0;
  // SGD: value -= step * (of_gradient * g + of_buffer * buffer)
  float momentum = 0, of_gradient = 0, of_buffer = 1;
};

// value -= lr / (1 - beta1^t) * first / (sqrt(second / (1 - beta2^t)) + eps)
HOT_VECTOR_CLONES void AdamRun(const Run& run, const Coefficients& c) {
  float* __restrict value = run.value, * __restrict first = run.first, * __restrict second = run.second;
  const float* __restrict gradient = run.gradient;
  for (int64_t i = 0; i < run.count; ++i) {
    const float g = gradient[i] * c.scale + value[i] * c.l2;
    first[i] += (g - first[i]) * (1.0f - c.beta1);
    second[i] += (g * g - second[i]) * (1.0f - c.beta2);
    value[i] = value[i] * c.shrink - c.step * first[i] / (std::sqrt(second[i]) * c.correction + c.eps);
  }
}

HOT_VECTOR_CLONES void MomentumRun(const Run& run, const Coefficients& c) {
  float* __restrict value = run.value, * __restrict buffer = run.first;
  const float* __restrict gradient = run.gradient;
  for (int64_t i = 0; i < run.count; ++i) {
    const float g = gradient[i] * c.scale + value[i] * c.l2;
    buffer[i] = buffer[i] * c.momentum + g;
    value[i] -= c.step * (c.of_gradient * g + c.of_buffer * buffer[i]);
  }
}

bool IsAdam(OptimizerKind kind) { return kind == OptimizerKind::kAdam || kind == OptimizerKind::kAdamW; }

// `steps` include the one that is being made.
Coefficients AdamCoefficients(const OptimizerOptions& options, double lr, int64_t steps) {
  const auto t = static_cast<double>(steps);
  return {.step = static_cast<float>(lr / (1.0 - std::pow(options.beta1, t))),
          .beta1 = static_cast<float>(options.beta1),
          .beta2 = static_cast<float>(options.beta2),
          .correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options.beta2, t))),
          .eps = static_cast<float>(options.eps)};
}

Coefficients MomentumCoefficients(const OptimizerOptions& options, double lr) {
  const bool nesterov = options.kind == OptimizerKind::kNesterov;
  const auto momentum = static_cast<float>(options.momentum);
  return {.step = static_cast<float>(lr),
          .momentum = momentum,
          .of_gradient = nesterov ? 1.0f : 0.0f,
          .of_buffer = nesterov ? momentum : 1.0f};
}

Coefficients WithDecay(Coefficients c, const OptimizerOptions& options, double lr) {
  const bool decoupled = options.kind == OptimizerKind::kAdamW;
  if (decoupled) c.shrink = static_cast<float>(1.0 - lr * options.weight_decay);
  if (!decoupled) c.l2 = static_cast<float>(options.weight_decay);
  return c;
}

float ClipScale(double norm, double clip_norm) {
  return clip_norm > 0 && norm > clip_norm ? static_cast<float>(clip_norm / norm) : 1.0f;
}

template <typename T>
std::span<T> Part(std::span<T> values, const ValueRange& range) {
  return values.subspan(static_cast<size_t>(range.begin), static_cast<size_t>(range.end - range.begin));
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

Optimizer::Optimizer(int64_t parameters, const OptimizerOptions& options) : options_(options) {
  state_.first.assign(static_cast<size_t>(parameters), 0.0f);
  if (IsAdam(options.kind)) state_.second.assign(static_cast<size_t>(parameters), 0.0f);
}

void Optimizer::Restore(State state) {
  if (state.first.size() != state_.first.size() || state.second.size() != state_.second.size()) {
    throw Error(Code::kDataLoss, "optimizer", "the saved state is another optimizer's");
  }
  state_ = std::move(state);
}

void Optimizer::Reset() {
  state_.steps = 0;
  std::fill(state_.first.begin(), state_.first.end(), 0.0f);
  std::fill(state_.second.begin(), state_.second.end(), 0.0f);
}

double Optimizer::Step(std::span<float> values, std::span<const float> gradients, std::span<const ValueRange> ranges,
                       double lr, double clip_norm) {
  HOT_ASSERT(values.size() == state_.first.size() && gradients.size() == state_.first.size());
  double squares = 0;
  for (const ValueRange& range : ranges) squares += SquaredNorm(Part(gradients, range));
  const double norm = std::sqrt(squares);
  if (!std::isfinite(norm)) return norm;
  ++state_.steps;
  const bool adam = IsAdam(options_.kind);
  Coefficients c = adam ? AdamCoefficients(options_, lr, state_.steps) : MomentumCoefficients(options_, lr);
  c.scale = ClipScale(norm, clip_norm);
  for (const ValueRange& range : ranges) {
    const Run run{.value = Part(values, range).data(),
                  .first = Part(std::span(state_.first), range).data(),
                  .second = adam ? Part(std::span(state_.second), range).data() : nullptr,
                  .gradient = Part(gradients, range).data(),
                  .count = range.end - range.begin};
    (adam ? AdamRun : MomentumRun)(run, range.decayed ? WithDecay(c, options_, lr) : c);
  }
  return norm;
}

}  // namespace hot
