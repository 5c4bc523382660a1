// Trainings as child processes on this machine, one a worker.
#pragma once

#include <deque>
#include <list>
#include <optional>

#include "core/subprocess.h"
#include "pipeline/executors/executor.h"

namespace hot {

// What one worker has for itself.
struct WorkerPlace {
  int threads = 1;
  std::optional<int> gpu;
  bool operator==(const WorkerPlace&) const = default;
};

// Workers of a machine: one a GPU, or one a group of `threads` cores; as many as options.workers when that is not 0,
// the GPUs dealt out in turn.
std::vector<WorkerPlace> WorkerPlaces(int cores, int gpus, const ExecutorOptions& options);

// NVIDIA's device files, such as /dev/nvidia0.
int CountGpus(const fs::path& devices);
// GPUs for trainings with train.device = `device`: where the machine has any, as many as `hot_train` says it can use.
// Throws Error(kFailedPrecondition) for "cuda" when that is none.
int UsableGpus(const std::string& device, const fs::path& hot_train, const fs::path& devices = "/dev");
// What CUDA_VISIBLE_DEVICES has to be for the training on GPU `gpu` of those, seen from a process whose own is
// `visible` (null: it has none).
std::string VisibleGpu(int gpu, const char* visible);

class LocalExecutor : public Executor {
 public:
  LocalExecutor(fs::path hot_train, std::vector<WorkerPlace> places)
      : hot_train_(std::move(hot_train)), places_(std::move(places)), busy_(places_.size(), false) {}
  std::string_view name() const override { return "local"; }
  int capacity() const override { return static_cast<int>(places_.size()); }
  void Start(const TrialJob& job) override;
  std::vector<TrialOutcome> Poll() override;

 private:
  struct Running {
    TrialJob job;
    size_t place;
    int attempt;
    Process process;
  };
  void Launch(const TrialJob& job, size_t place, int attempt);
  void FillPlaces();

  fs::path hot_train_;
  std::vector<WorkerPlace> places_;
  std::vector<bool> busy_;
  std::deque<TrialJob> waiting_;
  std::list<Running> running_;
};

}  // namespace hot
