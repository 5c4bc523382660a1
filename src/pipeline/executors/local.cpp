#include "pipeline/executors/local.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <sstream>
#include <utility>

namespace hot {

std::vector<WorkerPlace> WorkerPlaces(int cores, int gpus, const ExecutorOptions& options) {
  const int count = WorkerCount(cores, gpus, options);
  std::vector<WorkerPlace> places(static_cast<size_t>(count), {.threads = options.threads, .gpu = {}});
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

int UsableGpus(const std::string& device, const fs::path& hot_train, const fs::path& devices) {
  if (device == "cpu") return 0;
  int count = 0;
  std::string fault = "this machine has no NVIDIA GPU (no " + (devices / "nvidia0").string() + ")";
  if (CountGpus(devices) > 0) {
    const ProcessResult answer = RunProcess({hot_train.string(), "--gpus"});
    std::istringstream words(answer.output);
    const bool answered = answer.status.ok() && words >> count;
    if (!answered || !std::getline(words >> std::ws, fault)) fault = hot_train.string() + " --gpus gave no answer";
  }
  if (count == 0 && device == "cuda") ThrowNoGpu(fault);
  return count;
}

std::string VisibleGpu(int gpu, const char* visible) {
  std::string name = std::to_string(gpu);
  if (visible == nullptr) return name;
  std::istringstream names(visible);
  for (int i = 0; i <= gpu; ++i) std::getline(names, name, ',');
  return name;
}

void LocalExecutor::Launch(const TrialJob& job, size_t place, int attempt) {
  std::vector<std::string> argv{hot_train_.string(), job.folder.string()};
  if (job.epochs > 0) argv.insert(argv.end(), {"--epochs", std::to_string(job.epochs)});
  const std::optional<int> gpu = places_[place].gpu;
  argv.insert(argv.end(), {"--device", gpu ? "cuda" : "cpu"});
  std::map<std::string, std::string> env{{"OMP_NUM_THREADS", std::to_string(places_[place].threads)}, ParentVariable()};
  if (gpu) env["CUDA_VISIBLE_DEVICES"] = VisibleGpu(*gpu, std::getenv("CUDA_VISIBLE_DEVICES"));
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

}  // namespace hot
