// A network with its loss, its optimizer and the moving average of its weights: all that a step of a training reads and
// changes. Called by Training and by the benchmark. Thread rule: one thread; LibTorch may use more inside.
#pragma once

#include <memory>

#include "data/loader.h"
#include "train/checkpoint.h"
#include "train/graph_module.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/weight_average.h"

namespace hot {

struct LearnerOptions {
  OptimizerOptions optimizer;
  double clip_norm = 10;  // longest gradient; 0: no clipping
  double batchnorm_momentum = 0.1;
  double ema = 0;         // decay of the average; 0: none
  bool bfloat16 = false;  // maps of the network in training; everything else is float
  at::Device device = at::kCPU;
};

class Learner {
 public:
  // `task` must outlive this.
  Learner(Graph graph, const Task& task, const LearnerOptions& options);

  const GraphModule& module() const { return module_; }
  GraphModule& module() { return module_; }

  // Weights to start from.
  void Start(const Weights& weights);

  // Nodes before `end` are trained no further; 0: all are trained.
  void Freeze(NodeId end);
  // The optimizer forgets the steps so far and the average is as short again as at the start. For when weights that
  // they did not move are trained from now on: Adam would take the missing moments for tiny ones.
  void Restart() { optimizer_.Reset(); }

  struct Outcome {
    double loss = 0;
    double gradient_norm = 0;  // before clipping
    bool finite() const;
  };
  // One step at learning rate `lr`. When the loss or the gradient is not finite, the weights stay as they are.
  Outcome Step(const Batch& batch, double lr);

  // Batch-norm statistics as averages over batches under the present weights, instead of a running average that lags
  // behind them (Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3). Once for every batch, `index`
  // from 0.
  void AddStatistics(const Batch& batch, int index);

  // What the module holds now, and back into it.
  struct Snapshot {
    std::vector<float> values, statistics;
  };
  Snapshot Take() const;
  void Put(const Snapshot& snapshot);

  // While it lives, the module has the weights that are validated and stored: the average, if there is one. Then the
  // trained ones and their running statistics are back.
  class Evaluated {
   public:
    explicit Evaluated(Learner& learner);
    ~Evaluated();
    Evaluated(const Evaluated&) = delete;
    Evaluated& operator=(const Evaluated&) = delete;

   private:
    Learner& learner_;
    const Snapshot trained_;
  };

  // The arrays and the steps of a checkpoint. Restoring throws Error(kDataLoss) when it is another network's or
  // optimizer's.
  void Save(Checkpoint& checkpoint) const;
  void Restore(Checkpoint checkpoint);

 private:
  at::Tensor Images(const Batch& batch) const;

  const LearnerOptions options_;
  GraphModule module_;
  std::unique_ptr<Objective> objective_;
  Optimizer optimizer_;
  WeightAverage average_;
  std::vector<ValueRange> trained_;
};

}  // namespace hot
