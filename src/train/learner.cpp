#include "train/learner.h"

#include <cmath>
#include <utility>

#include "train/host_copy.h"
#include "train/torch_pch.h"

namespace hot {

bool Learner::Outcome::finite() const { return std::isfinite(loss) && std::isfinite(gradient_norm); }

Learner::Learner(Graph graph, const Task& task, const LearnerOptions& options)
    : options_(options),
      module_(std::move(graph), options.device),
      objective_(MakeObjective(task, module_.graph())),
      optimizer_(module_.parameters().values(), module_.parameters().gradients(), options.optimizer),
      average_(options.ema),
      trained_(module_.parameters().Ranges(0)) {
  module_.SetTrainingType(options.bfloat16 ? at::kBFloat16 : at::kFloat);
}

void Learner::Start(const Weights& weights) {
  module_.Load(weights);
  average_.Start(module_.parameters().values());
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
  outcome.gradient_norm = optimizer_.Step(trained_, lr, options_.clip_norm);
  if (outcome.finite()) average_.Update(parameters.values(), optimizer_.steps());
  return outcome;
}

void Learner::AddStatistics(const Batch& batch, int index) {
  const at::NoGradGuard no_grad;
  module_.Train(1.0 / (index + 1));
  module_.Forward(Images(batch));
}

Learner::Snapshot Learner::Take() const {
  return {.values = ToHost(module_.parameters().values()), .statistics = ToHost(module_.parameters().statistics())};
}

void Learner::Put(const Snapshot& snapshot) {
  FromHost(snapshot.values, module_.parameters().values(), "checkpoint");
  FromHost(snapshot.statistics, module_.parameters().statistics(), "checkpoint");
}

Learner::Evaluated::Evaluated(Learner& learner) : learner_(learner), trained_(learner.Take()) {
  if (learner.average_.enabled()) learner.module_.parameters().values().copy_(learner.average_.values());
}

Learner::Evaluated::~Evaluated() { learner_.Put(trained_); }

void Learner::Save(Checkpoint& checkpoint) const {
  checkpoint.values = ToHost(module_.parameters().values());
  checkpoint.statistics = ToHost(module_.parameters().statistics());
  Optimizer::State state = optimizer_.state();
  checkpoint.steps = state.steps;
  checkpoint.first_moment = std::move(state.first);
  checkpoint.second_moment = std::move(state.second);
  checkpoint.average = ToHost(average_.values());
}

void Learner::Restore(Checkpoint checkpoint) {
  const at::Tensor& values = module_.parameters().values();
  Put({.values = std::move(checkpoint.values), .statistics = std::move(checkpoint.statistics)});
  optimizer_.Restore({.steps = checkpoint.steps,
                      .first = std::move(checkpoint.first_moment),
                      .second = std::move(checkpoint.second_moment)});
  average_.Start(values);
  FromHost(checkpoint.average, average_.values(), "checkpoint");
}

}  // namespace hot
