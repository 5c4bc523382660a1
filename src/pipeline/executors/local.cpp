#include "pipeline/executors/local.h"

#include <unistd.h>

#include <chrono>
#include <list>
#include <sstream>
#include <thread>
#include <utility>

namespace hot {
namespace {

struct Running {
  size_t index;
  int attempt;
  Process process;
};

// The last line hot-train printed is its error.
std::string LastLine(const fs::path& log) {
  std::istringstream lines(fs::exists(log) ? ReadFile(log) : "");
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

TrialOutcome Finish(const fs::path& folder, const ExitStatus& status) {
  TrialOutcome outcome{.folder = folder, .done = status.ok() && fs::exists(folder / "result.json"), .error = ""};
  outcome.exit_code = status.code;
  if (outcome.done) return outcome;
  outcome.error =
      status.signal != 0 ? "ended by signal " + std::to_string(status.signal) : LastLine(folder / "log.txt");
  if (outcome.error.empty()) outcome.error = "exit code " + std::to_string(status.code);
  return outcome;
}

}  // namespace

Process LocalExecutor::Start(const fs::path& trial) const {
  return Process({.argv = {hot_train_.string(), trial.string()},
                  .env = {{"OMP_NUM_THREADS", "1"}, ParentVariable()},
                  .stdout_file = trial / "log.txt",
                  .stderr_file = trial / "log.txt"});
}

std::vector<TrialOutcome> LocalExecutor::Run(const std::vector<fs::path>& trials, const std::function<void()>& tick,
                                             const Context& context) {
  std::vector<TrialOutcome> outcomes(trials.size());
  std::list<Running> running;
  size_t next = 0;
  while (next < trials.size() || !running.empty()) {
    context.ThrowIfCancelled();  // ~Process ends the children; their checkpoints stay
    while (next < trials.size() && running.size() < static_cast<size_t>(workers_)) {
      running.push_back({.index = next, .attempt = 1, .process = Start(trials[next])});
      ++next;
    }
    for (auto it = running.begin(); it != running.end();) {
      const auto status = it->process.Poll();
      if (!status) {
        ++it;
        continue;
      }
      const Running ended = std::move(*it);
      it = running.erase(it);
      if (status->signal != 0 && ended.attempt == 1) {
        running.push_back({.index = ended.index, .attempt = 2, .process = Start(trials[ended.index])});
      } else {
        outcomes[ended.index] = Finish(trials[ended.index], *status);
      }
    }
    tick();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return outcomes;
}

std::unique_ptr<Executor> MakeExecutor(std::string_view name, int workers) {
  if (name != "local") {
    throw Error(Code::kInvalidArgument, "run.executor", "unknown executor \"" + std::string(name) + "\"",
                "known: local");
  }
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::make_unique<LocalExecutor>(FindHotTrain(), workers > 0 ? workers : std::max(1, cores));
}

fs::path FindHotTrain() {
  std::error_code error;
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path() / "hot-train";
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  if (const auto found = FindProgram("hot-train")) return *found;
  throw Error(Code::kUnavailable, "hot-train", "is not installed beside hot nor in PATH",
              "build it with scripts/setup");
}

}  // namespace hot
