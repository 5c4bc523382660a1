// Blockwise distillation (Molchanov et al., "LANA: Latency Aware Network Acceleration", ECCV 2022, section 3.1; Moons
// et al., "DONNA", ICCV 2021, section 3.2): every choice of one slot learns by itself to give what the slot of a
// trained network, the teacher, gives for the same input. The choices learn side by side, so that the teacher runs once
// a batch. Called by RunTrial for a trial with `distill`. Thread rule: one thread; loader and LibTorch have threads of
// their own.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/loader.h"
#include "tasks/trial.h"
#include "train/graph_module.h"
#include "train/schedule.h"
#include "train/student.h"

namespace hot {

class Distillation {
 public:
  // The teacher is spec.slots with the weights of spec.pretrained. Goes on behind the checkpoint in `folder`, if there
  // is one of this trial. `spec`, `data` and `cancelled` must outlive this. Throws Error(kInvalidArgument) for a slot
  // or choices that the network does not have.
  Distillation(fs::path folder, const TrialSpec& spec, const TrialData& data, const std::atomic<bool>& cancelled,
               at::Device device = at::kCPU);

  int finished_epochs() const { return epochs_; }
  bool finished() const { return epochs_ >= spec_.epochs; }
  std::vector<Student>& students() { return students_; }

  // One epoch, its line in epochs.jsonl and its checkpoint. Throws Error(kCancelled) soon after `cancelled` is set.
  void RunEpoch();

  // Batch-norm statistics of the weights as they are, the loss of every choice on the validation pictures (mean over
  // channels of mean squared error / variance of the teacher's channel: 0 gives what the teacher gives, 1 is no better
  // than its mean), then weights.safetensors and, last, result.json. A choice whose loss is not finite has none, and no
  // weights.
  std::vector<DistilledChoice> Finish();

 private:
  struct Pair {
    at::Tensor read, given;  // by the teacher's slot
  };
  Pair Teach(const Batch& batch);
  void MeasureTeacher();
  void Resume();
  bool Restore(const fs::path& path);
  void Save() const;
  double TrainOn(int epoch);
  void RecomputeStatistics();
  std::vector<DistilledChoice> Validate();
  void ThrowIfCancelled() const;

  const fs::path folder_;
  const TrialSpec& spec_;
  const std::atomic<bool>& cancelled_;
  const std::string identity_;
  std::unique_ptr<Task> task_;
  GraphModule teacher_;
  std::vector<Student> students_;
  Loader train_loader_, val_loader_;
  const Schedule schedule_;
  at::Tensor scale_;  // [c]: 1 / variance of the teacher's channels on the validation pictures
  int epochs_ = 0;    // finished
  double loss_ = 0;   // mean of the last epoch
  double seconds_ = 0;
  std::optional<double> cpu_seconds_ = 0;
};

}  // namespace hot
