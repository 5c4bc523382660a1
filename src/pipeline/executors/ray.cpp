#include "pipeline/executors/ray.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/bridge.h"
#include "core/error.h"
#include "core/subprocess.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

ExitStatus StatusOf(const Json& ended) { return {.code = ended.value("code", -1), .signal = ended.value("signal", 0)}; }

// A killed process or a lost node says nothing about the training.
bool IsWorthAnotherTry(const Json& ended) { return ended.contains("lost") || ended.contains("signal"); }

TrialOutcome EndOf(const TrialJob& job, const Json& ended) {
  for (const char* fault : {"lost", "error"}) {
    if (!ended.contains(fault)) continue;
    return {.folder = job.folder, .error = ended.at(fault), .exit_code = ended.contains("error") ? 2 : -1};
  }
  return OutcomeOf(job, StatusOf(ended));
}

}  // namespace

RayExecutor::RayExecutor(const fs::path& hot_train, const ExecutorOptions& options)
    : hot_train_(fs::absolute(hot_train)), threads_(options.threads), bridge_(std::make_unique<Bridge>()) {
  const Json cluster = Json::parse(bridge_->Call("ray.check", "{}"));
  const int cpus = cluster.at("cpus"), gpus = options.device == "cpu" ? 0 : cluster.at("gpus").get<int>();
  if (gpus == 0 && options.device == "cuda") ThrowNoGpu("the Ray cluster has no GPU");
  capacity_ = WorkerCount(cpus, gpus, options);
  // As many on each as are needed for all to have a place.
  if (gpus > 0) gpus_ = 1.0 / ((capacity_ + gpus - 1) / gpus);
  device_ = gpus > 0 ? options.device : "cpu";
}

RayExecutor::~RayExecutor() {
  try {
    bridge_->Call("ray.end", "{}");
  } catch (const Error&) {  // without its worker the cluster ends the trainings by itself
  }
}

void RayExecutor::Launch(Entry& entry) {
  ++entry.attempt;
  entry.id = next_id_++;
}

void RayExecutor::Start(const TrialJob& job) {
  jobs_.push_back({.job = job});
  Exchange();
}

// Tells the worker what should be running, and takes what has ended.
void RayExecutor::Exchange() {
  auto running = std::ranges::count_if(jobs_, [](const Entry& entry) { return entry.attempt > 0; });
  Json list = Json::array();
  for (Entry& entry : jobs_) {
    if (entry.attempt == 0 && running >= capacity_) continue;
    if (entry.attempt == 0) {
      Launch(entry);
      ++running;
    }
    list.push_back({{"id", entry.id}, {"folder", entry.job.folder.string()}, {"epochs", entry.job.epochs}});
  }
  const Json request{{"program", hot_train_.string()},
                     {"cwd", fs::current_path().string()},
                     {"threads", threads_},
                     {"gpus", gpus_},
                     {"device", device_},
                     {"jobs", list}};
  const Json answer = Json::parse(bridge_->Call("ray.poll", request.dump()));
  for (const Json& ended : answer.at("ended")) {
    const auto entry = std::ranges::find(jobs_, ended.at("id").get<int64_t>(), &Entry::id);
    if (entry == jobs_.end()) continue;
    if (IsWorthAnotherTry(ended) && entry->attempt == 1) {
      Launch(*entry);
    } else {
      ended_.push_back(EndOf(entry->job, ended));
      jobs_.erase(entry);
    }
  }
}

std::vector<TrialOutcome> RayExecutor::Poll() {
  if (!jobs_.empty()) Exchange();
  return std::exchange(ended_, {});
}

}  // namespace hot
