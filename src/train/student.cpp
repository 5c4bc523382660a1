#include "train/student.h"

#include <cmath>
#include <limits>
#include <utility>

#include "train/host_copy.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

void AppendTo(std::vector<float>& all, const std::vector<float>& part) {
  all.insert(all.end(), part.begin(), part.end());
}

// `count` values from `from` on; nothing of an array that the optimizer does not have.
std::vector<float> Cut(const std::vector<float>& all, size_t from, size_t count) {
  if (all.empty()) return {};
  if (all.size() < from + count)
    throw Error(Code::kDataLoss, "checkpoint", "has fewer values than the choices of the slot");
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

at::Tensor NormalisedError(const at::Tensor& y, const at::Tensor& target, const at::Tensor& scale) {
  return ((y - target).square() * scale.view({1, -1, 1, 1})).mean();
}

Student::Student(std::string choice, Graph graph, const Weights& start, const StudentOptions& options)
    : choice_(std::move(choice)),
      options_(options),
      module_(std::move(graph), options.device),
      optimizer_(module_.parameters().values(), module_.parameters().gradients(), options.optimizer),
      trained_(module_.parameters().Ranges(0)) {
  module_.Load(start);
}

bool Student::failed() const { return !at::isfinite(module_.parameters().values()).all().item<bool>(); }

void Student::Fail() {
  const at::NoGradGuard no_grad;
  module_.parameters().values().fill_(std::numeric_limits<float>::quiet_NaN());
}

double Student::Step(const at::Tensor& x, const at::Tensor& target, const at::Tensor& scale, double lr) {
  module_.parameters().gradients().zero_();
  module_.Train(options_.batchnorm_momentum);
  const at::Tensor loss = NormalisedError(module_.Forward(x)[0], target, scale);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    Fail();
    return value;
  }
  loss.backward();
  if (!std::isfinite(optimizer_.Step(trained_, lr, options_.clip_norm))) Fail();
  return value;
}

void Student::AddStatistics(const at::Tensor& x, int index) {
  const at::NoGradGuard no_grad;
  module_.Train(1.0 / (index + 1));
  module_.Forward(x);
}

at::Tensor Student::Evaluate(const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  module_.Evaluate();
  return module_.Forward(x)[0];
}

void Student::Append(Checkpoint& checkpoint) const {
  const Optimizer::State state = optimizer_.state();
  AppendTo(checkpoint.values, ToHost(module_.parameters().values()));
  AppendTo(checkpoint.statistics, ToHost(module_.parameters().statistics()));
  AppendTo(checkpoint.first_moment, state.first);
  AppendTo(checkpoint.second_moment, state.second);
  checkpoint.steps = std::max(checkpoint.steps, state.steps);  // the same for all that did not fail
}

void Student::Restore(const Checkpoint& checkpoint, Cursor& at) {
  const FlatParameters& parameters = module_.parameters();
  const auto values = static_cast<size_t>(parameters.values().numel());
  const auto statistics = static_cast<size_t>(parameters.statistics().numel());
  const at::NoGradGuard no_grad;
  FromHost(Cut(checkpoint.values, at.values, values), parameters.values(), "checkpoint");
  FromHost(Cut(checkpoint.statistics, at.statistics, statistics), parameters.statistics(), "checkpoint");
  optimizer_.Restore({.steps = checkpoint.steps,
                      .first = Cut(checkpoint.first_moment, at.values, values),
                      .second = Cut(checkpoint.second_moment, at.values, values)});
  at.values += values;
  at.statistics += statistics;
}

}  // namespace hot
