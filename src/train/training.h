// The state of one training and its steps: epoch after epoch, then the end. RunTrial (trainer.h) drives it; tests do so
// to stop between epochs. Thread rule: one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "data/loader.h"
#include "tasks/trial.h"
#include "train/adam.h"
#include "train/checkpoint.h"
#include "train/graph_module.h"
#include "train/objective.h"
#include "train/schedule.h"
#include "train/weight_average.h"

namespace hot {

class Training {
 public:
  // Starts from MakeInitialWeights() or, when `folder` has a checkpoint of this trial, behind that; a damaged one
  // is reported on stdout, and the one before it is used. `spec`, `data` and `cancelled` must outlive this.
  Training(fs::path folder, const TrialSpec& spec, const TrialData& data, const std::atomic<bool>& cancelled);

  int finished_epochs() const { return epochs_; }
  const GraphModule& module() const { return module_; }

  // One epoch, its line in epochs.jsonl and its checkpoint. See RunTrial for errors.
  void RunEpoch();

  // The weights to keep (the moving average, if there is one) with batch-norm statistics of their own; validation
  // score, weights.safetensors, result.json.
  TrialResult Finish();

 private:
  void Resume();
  bool Restore(const fs::path& path);
  void Save() const;
  double Step(Batch& batch, int index);
  at::Tensor Images(Batch& batch) const;
  void UseAverage();
  void RecomputeStatistics(int pictures);
  double Validate();
  double ValidateInBetween();
  void ThrowIfCancelled() const;

  const fs::path folder_;
  const TrialSpec& spec_;
  const TrialData& data_;
  const std::atomic<bool>& cancelled_;
  const std::string identity_;
  std::unique_ptr<Task> task_;
  GraphModule module_;
  std::unique_ptr<Objective> objective_;
  Adam adam_;
  WeightAverage average_;
  Loader train_loader_, val_loader_;
  const Schedule schedule_;
  int epochs_ = 0;  // finished
  double loss_ = 0, seconds_ = 0;
};

}  // namespace hot
