// Trainings as tasks of an existing Ray cluster, through the Python worker. Nodes see the run folder and hot-train
// under the same paths (shared storage); a node that is lost gives its trainings back, and they go on from their
// checkpoints.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "pipeline/executors/executor.h"

namespace hot {

class Bridge;

class RayExecutor : public Executor {
 public:
  // The cluster at $RAY_ADDRESS, or else the one that this machine belongs to. Throws Error(kUnavailable) when Ray is
  // not installed or no cluster answers, kFailedPrecondition for options.device cuda when the cluster has no GPU.
  RayExecutor(const fs::path& hot_train, const ExecutorOptions& options);
  ~RayExecutor() override;
  std::string_view name() const override { return "ray"; }
  int capacity() const override { return capacity_; }
  void Start(const TrialJob& job) override;
  std::vector<TrialOutcome> Poll() override;

 private:
  struct Entry {
    TrialJob job;
    int64_t id = 0;   // of the attempt
    int attempt = 0;  // 0: waits for its turn
  };
  void Exchange();
  void Launch(Entry& entry);

  fs::path hot_train_;
  int threads_;
  int capacity_ = 1;
  double gpus_ = 0;  // of one training; a part of one when several share it
  std::string device_;
  std::unique_ptr<Bridge> bridge_;
  std::list<Entry> jobs_;
  std::vector<TrialOutcome> ended_;  // not yet handed out
  int64_t next_id_ = 1;
};

}  // namespace hot
