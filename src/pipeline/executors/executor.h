// Runs trainings somewhere: jobs come in while others run, outcomes go out as they end. To add one: a file beside this,
// its row in MakeExecutor() and in executor_contract_test. Thread rule: one thread. Destroying it ends what still runs;
// checkpoints stay.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/files.h"
#include "core/subprocess.h"

namespace hot {

struct TrialJob {
  fs::path folder;  // with a trial.json in it
  int epochs = 0;   // validate and stop behind this one of the schedule; 0: train to the end
};

struct TrialOutcome {
  fs::path folder;
  bool done = false;      // the result file of the job is there
  std::string error;      // one line when it is not
  int exit_code = 0;      // of hot-train: 2 means that its input is wrong
  bool diverged = false;  // the loss was no longer finite: it would be so again
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string_view name() const = 0;
  // Trainings that it runs at the same time; more wait their turn.
  virtual int capacity() const = 0;
  // Starts hot-train on the job's folder, or puts it in the queue. No folder twice at a time.
  virtual void Start(const TrialJob& job) = 0;
  // What has ended since the last call; returns at once. A job whose process was killed, or whose machine was lost, is
  // taken up from its checkpoint once, before it counts as failed.
  virtual std::vector<TrialOutcome> Poll() = 0;
};

struct ExecutorOptions {
  std::string name = "local";
  int workers = 0;              // 0: as many as the place has GPUs or, without any, groups of `threads` cores
  int threads = 1;              // of one training
  std::string device = "auto";  // of a training: auto | cpu | cuda
};

// What to say of a job whose hot-train ended like that; for executors.
TrialOutcome OutcomeOf(const TrialJob& job, const ExitStatus& status);
// Trainings at the same time: options.workers, else a GPU each, else a group of options.threads cores each.
int WorkerCount(int cores, int gpus, const ExecutorOptions& options);

// "local" or "ray". Throws Error(kInvalidArgument) on other names, kUnavailable when what it needs is not here,
// kFailedPrecondition for `device` cuda where no GPU can be used.
std::unique_ptr<Executor> MakeExecutor(const ExecutorOptions& options);
// For `device` cuda where there is no GPU: because of `fault`.
[[noreturn]] void ThrowNoGpu(const std::string& fault);

// hot-train beside the running program, else in PATH. Throws Error(kUnavailable) with what to do.
fs::path FindHotTrain();

}  // namespace hot
