// The state of one training and its steps: epoch after epoch, then the end. RunTrial (trainer.h) drives it; tests do so
// to stop between epochs. Thread rule: one thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "data/loader.h"
#include "quantize/quantized_network.h"
#include "tasks/trial.h"
#include "train/learner.h"
#include "train/schedule.h"

namespace hot {

class Training {
 public:
  // Starts from MakeInitialWeights(), from the integer network that the trial fine-tunes or, when `folder` has a
  // checkpoint of this trial, behind that; a damaged one is reported on stdout, and the one before it is used. `spec`,
  // `data` and `cancelled` must outlive this.
  Training(fs::path folder, const TrialSpec& spec, const TrialData& data, const std::atomic<bool>& cancelled,
           at::Device device = at::kCPU);

  int finished_epochs() const { return epochs_; }
  // All epochs are done, or `patience` ended it.
  bool finished() const;
  const GraphModule& module() const { return learner_.module(); }

  // One epoch, its line in epochs.jsonl and its checkpoint. See RunTrial for errors.
  void RunEpoch();

  // The weights to keep (the moving average, if there is one) with batch-norm statistics of their own, or with
  // `patience` the best that were validated; their score, weights.safetensors, result.json.
  TrialResult Finish();

  // A stop on the way, to compare the trial with others: the score of the weights as they are, in rung-<epochs>.json.
  // The training goes on with a new object, from the checkpoint.
  TrialResult Pause();

 private:
  void Resume();
  bool Restore(const fs::path& path);
  void Save() const;
  double Step(const Batch& batch, int index);
  void RecomputeStatistics(int pictures);
  double Validate();
  // The result of a training or of a stop on the way, in `file`; `stopwatch` ran since the last epoch.
  TrialResult Leave(double score, const Stopwatch& stopwatch, const fs::path& file) const;
  double ValidateInBetween();
  void Remember(double score, int epoch);
  void FreezeFor(int epoch);
  double TrainOn(int epoch);
  void ThrowIfCancelled() const;

  const fs::path folder_;
  const TrialSpec& spec_;
  const TrialData& data_;
  const std::atomic<bool>& cancelled_;
  const std::string identity_;
  std::unique_ptr<Task> task_;
  const std::optional<QuantizedNetwork> quantized_;  // that is trained on
  Learner learner_;
  Loader train_loader_, val_loader_;
  const Schedule schedule_;
  const NodeId frozen_end_;
  int epochs_ = 0;  // finished
  double loss_ = 0, seconds_ = 0;
  std::optional<double> cpu_seconds_ = 0;  // as in Checkpoint
  struct Best {
    std::optional<double> score;
    int epoch = 0, validations_since = 0;
    Learner::Snapshot weights;
  };
  Best best_;  // for early stopping
};

}  // namespace hot
