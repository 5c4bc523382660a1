#include "pipeline/executors/local.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <thread>
#include <utility>

#include "tasks/trial.h"

namespace hot {
namespace {

// The last line hot-train printed is its error.
std::string LastLine(const fs::path& log) {
  std::istringstream lines(fs::exists(log) ? ReadFile(log) : "");
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

TrialOutcome OutcomeOf(const TrialJob& job, const ExitStatus& status) {
  TrialOutcome outcome{.folder = job.folder, .done = status.ok() && ResultOf(job.folder, job.epochs), .error = ""};
  outcome.exit_code = status.code;
  outcome.diverged = status.code == kDivergedExitCode;
  if (outcome.done) return outcome;
  outcome.error =
      status.signal != 0 ? "ended by signal " + std::to_string(status.signal) : LastLine(job.folder / "log.txt");
  if (outcome.error.empty()) outcome.error = "exit code " + std::to_string(status.code);
  return outcome;
}

}  // namespace

std::vector<WorkerPlace> WorkerPlaces(int cores, int gpus, int workers, int threads) {
  const int count = workers > 0 ? workers : gpus > 0 ? gpus : std::max(1, cores / threads);
  std::vector<WorkerPlace> places(static_cast<size_t>(count), {.threads = threads, .gpu = {}});
  for (int i = 0; gpus > 0 && i < count; ++i) places[static_cast<size_t>(i)].gpu = i % gpus;
  return places;
}

int CountGpus(const fs::path& devices) {
  constexpr std::string_view kPrefix = "nvidia";
  std::error_code error;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(devices, error)) {
    const std::string name = entry.path().filename().string();
    const bool numbered = name.size() > kPrefix.size() && name.starts_with(kPrefix) &&
                          std::all_of(name.begin() + kPrefix.size(), name.end(), ::isdigit);
    count += numbered ? 1 : 0;
  }
  return count;
}

void LocalExecutor::Launch(const TrialJob& job, size_t place, int attempt) {
  std::vector<std::string> argv{hot_train_.string(), job.folder.string()};
  if (job.epochs > 0) argv.insert(argv.end(), {"--epochs", std::to_string(job.epochs)});
  std::map<std::string, std::string> env{{"OMP_NUM_THREADS", std::to_string(places_[place].threads)}, ParentVariable()};
  if (places_[place].gpu) env["CUDA_VISIBLE_DEVICES"] = std::to_string(*places_[place].gpu);
  const fs::path log = job.folder / "log.txt";
  running_.push_back({.job = job,
                      .place = place,
                      .attempt = attempt,
                      .process = Process({.argv = argv, .env = env, .stdout_file = log, .stderr_file = log})});
  busy_[place] = true;
}

void LocalExecutor::FillPlaces() {
  for (size_t place = 0; place < places_.size() && !waiting_.empty(); ++place) {
    if (busy_[place]) continue;
    Launch(waiting_.front(), place, 1);
    waiting_.pop_front();
  }
}

void LocalExecutor::Start(const TrialJob& job) {
  waiting_.push_back(job);
  FillPlaces();
}

std::vector<TrialOutcome> LocalExecutor::Poll() {
  std::vector<TrialOutcome> outcomes;
  for (auto it = running_.begin(); it != running_.end();) {
    const auto status = it->process.Poll();
    if (!status) {
      ++it;
      continue;
    }
    const Running ended = std::move(*it);
    it = running_.erase(it);
    busy_[ended.place] = false;
    if (status->signal != 0 && ended.attempt == 1) {
      Launch(ended.job, ended.place, 2);
    } else {
      outcomes.push_back(OutcomeOf(ended.job, *status));
    }
  }
  FillPlaces();
  return outcomes;
}

std::unique_ptr<Executor> MakeExecutor(const ExecutorOptions& options) {
  if (options.name != "local") {
    throw Error(Code::kInvalidArgument, "run.executor", "unknown executor \"" + options.name + "\"", "known: local");
  }
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::make_unique<LocalExecutor>(FindHotTrain(),
                                         WorkerPlaces(cores, CountGpus(), options.workers, options.threads));
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
