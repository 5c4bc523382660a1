// One choice of a slot that learns to give what a trained network's own slot gives: its graph, its optimizer, and what
// became of it. Called by Distillation. Thread rule: one thread; LibTorch may use more inside.
#pragma once

#include <cstddef>
#include <string>

#include "train/checkpoint.h"
#include "train/graph_module.h"
#include "train/optimizer.h"

namespace hot {

struct StudentOptions {
  OptimizerOptions optimizer;
  double clip_norm = 10;  // longest gradient; 0: no clipping
  double batchnorm_momentum = 0.1;
  at::Device device = at::kCPU;
};

// Mean over pictures, places and channels of (y - target)^2, each channel [c] times `scale`: with 1 / variance of the
// target's channels the noise-to-signal power ratio of Moons et al., "Distilling Optimal Neural Networks: Rapid Search
// in Diverse Spaces" (DONNA), ICCV 2021, section 3.2. `y`, `target` [n, c, h, w].
at::Tensor NormalisedError(const at::Tensor& y, const at::Tensor& target, const at::Tensor& scale);

class Student {
 public:
  // `graph` is the slot alone, with one input and one output; `choice` is its name.
  Student(std::string choice, Graph graph, const Weights& start, const StudentOptions& options);

  const std::string& choice() const { return choice_; }
  const Graph& graph() const { return module_.graph(); }
  Weights Store() const { return module_.Store(); }

  // Its loss or its gradient was not finite once: it learns no more and has no score. Kept in a checkpoint as values
  // that are no numbers, so that a resumed distillation knows it, too.
  bool failed() const;
  void Fail();

  // One step towards `target` [n, c, h, w] from what the slot reads, `x`; its loss before that step. Fails by itself.
  double Step(const at::Tensor& x, const at::Tensor& target, const at::Tensor& scale, double lr);
  // See Learner::AddStatistics.
  void AddStatistics(const at::Tensor& x, int index);
  // As it will run: with the running statistics, no gradient.
  at::Tensor Evaluate(const at::Tensor& x);

  // Its arrays go behind those that the checkpoint has already, and come from where the cursor stands, which moves on.
  void Append(Checkpoint& checkpoint) const;
  struct Cursor {
    size_t values = 0, statistics = 0;
  };
  // Throws Error(kDataLoss) when the checkpoint is too short.
  void Restore(const Checkpoint& checkpoint, Cursor& at);

 private:
  const std::string choice_;
  const StudentOptions options_;
  GraphModule module_;
  Optimizer optimizer_;
  const std::vector<ValueRange> trained_;
};

}  // namespace hot
