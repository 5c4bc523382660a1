#include "pipeline/executors/executor.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "core/installation.h"
#include "core/subprocess.h"
#include "pipeline/executors/local.h"
#include "pipeline/executors/ray.h"
#include "tasks/trial.h"

namespace hot {
TrialOutcome OutcomeOf(const TrialJob& job, const ExitStatus& status) {
  TrialOutcome outcome{.folder = job.folder, .done = status.ok() && ResultOf(job.folder, job.epochs), .error = ""};
  outcome.exit_code = status.code;
  outcome.diverged = status.code == kDivergedExitCode;
  if (outcome.done) return outcome;
  // The last line that hot-train printed is its error.
  outcome.error =
      status.signal != 0 ? "ended by signal " + std::to_string(status.signal) : LastLine(job.folder / "log.txt");
  if (outcome.error.empty()) outcome.error = "exit code " + std::to_string(status.code);
  return outcome;
}

int WorkerCount(int cores, int gpus, const ExecutorOptions& options) {
  if (options.workers > 0) return options.workers;
  return gpus > 0 ? gpus : std::max(1, cores / options.threads);
}

std::unique_ptr<Executor> MakeExecutor(const ExecutorOptions& options) {
  if (options.name == "ray") return std::make_unique<RayExecutor>(FindHotTrain(), options);
  if (options.name != "local") {
    throw Error(Code::kInvalidArgument, "run.executor", "unknown executor \"" + options.name + "\"",
                "known: local, ray");
  }
  const fs::path hot_train = FindHotTrain();
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::make_unique<LocalExecutor>(hot_train,
                                         WorkerPlaces(cores, UsableGpus(options.device, hot_train), options));
}

void ThrowNoGpu(const std::string& fault) {
  throw Error(Code::kFailedPrecondition, "train.device", "cuda: " + fault,
              "with train.device: auto it is the CPU then");
}

fs::path FindHotTrain() {
  std::error_code error;
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path() / "hot-train";
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  if (const auto found = FindProgram("hot-train")) return *found;
  throw Error(Code::kUnavailable, "hot-train", "is not installed beside hot nor in PATH",
              "install it with " + SetupCommand());
}

}  // namespace hot
