#include "train/learner.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "core/error.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

std::span<float> Span(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

std::vector<float> Copy(const at::Tensor& tensor) { return {Span(tensor).begin(), Span(tensor).end()}; }

void Paste(const std::vector<float>& values, const at::Tensor& tensor) {
  if (values.size() != Span(tensor).size()) {
    throw Error(Code::kDataLoss, "checkpoint", "has another number of weights than the network");
  }
  std::copy(values.begin(), values.end(), Span(tensor).begin());
}

}  // namespace

bool Learner::Outcome::finite() const { return std::isfinite(loss) && std::isfinite(gradient_norm); }

Learner::Learner(Graph graph, const Task& task, const LearnerOptions& options)
    : options_(options),
      module_(std::move(graph)),
      objective_(MakeObjective(task, module_.graph())),
      optimizer_(module_.parameters().values().numel(), options.optimizer),
      average_(options.ema),
      trained_(module_.parameters().Ranges(0)) {
  module_.SetTrainingType(options.bfloat16 ? at::kBFloat16 : at::kFloat);
}

void Learner::Start(const Weights& weights) {
  module_.Load(weights);
  average_.Start(Span(module_.parameters().values()));
}

void Learner::Freeze(NodeId end) {
  module_.Freeze(end);
  trained_ = module_.parameters().Ranges(end);
}

at::Tensor Learner::Images(const Batch& batch) const {
  const Shape& input = module_.graph().node(module_.graph().inputs()[0]).shape;
  auto* pixels = const_cast<float*>(batch.images.data());  // only read
  return at::from_blob(pixels, {batch.size, input.c, input.h, input.w});
}

Learner::Outcome Learner::Step(const Batch& batch, double lr) {
  FlatParameters& parameters = module_.parameters();
  parameters.gradients().zero_();
  module_.Train(options_.batchnorm_momentum);
  const at::Tensor loss = objective_->Loss(module_.Forward(Images(batch)), batch.objects);
  Outcome outcome{.loss = loss.item<double>()};
  if (!outcome.finite()) return outcome;
  loss.backward();
  outcome.gradient_norm =
      optimizer_.Step(Span(parameters.values()), Span(parameters.gradients()), trained_, lr, options_.clip_norm);
  if (outcome.finite()) average_.Update(Span(parameters.values()), optimizer_.state().steps);
  return outcome;
}

void Learner::AddStatistics(const Batch& batch, int index) {
  const at::NoGradGuard no_grad;
  module_.Train(1.0 / (index + 1));
  module_.Forward(Images(batch));
}

Learner::Snapshot Learner::Take() const {
  return {.values = Copy(module_.parameters().values()), .statistics = Copy(module_.parameters().statistics())};
}

void Learner::Put(const Snapshot& snapshot) {
  Paste(snapshot.values, module_.parameters().values());
  Paste(snapshot.statistics, module_.parameters().statistics());
}

Learner::Evaluated::Evaluated(Learner& learner) : learner_(learner), trained_(learner.Take()) {
  if (learner.average_.enabled()) Paste(learner.average_.values(), learner.module_.parameters().values());
}

Learner::Evaluated::~Evaluated() { learner_.Put(trained_); }

void Learner::Save(Checkpoint& checkpoint) const {
  checkpoint.values = Copy(module_.parameters().values());
  checkpoint.statistics = Copy(module_.parameters().statistics());
  checkpoint.steps = optimizer_.state().steps;
  checkpoint.first_moment = optimizer_.state().first;
  checkpoint.second_moment = optimizer_.state().second;
  checkpoint.average = average_.values();
}

void Learner::Restore(Checkpoint checkpoint) {
  Paste(checkpoint.values, module_.parameters().values());
  Paste(checkpoint.statistics, module_.parameters().statistics());
  optimizer_.Restore({.steps = checkpoint.steps,
                      .first = std::move(checkpoint.first_moment),
                      .second = std::move(checkpoint.second_moment)});
  average_.values() = std::move(checkpoint.average);
}

}  // namespace hot
