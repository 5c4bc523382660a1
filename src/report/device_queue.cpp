#include "report/device_queue.h"

#include <chrono>
#include <memory>
#include <vector>

#include "core/error.h"
#include "deploy/devices/remote/agent_client.h"
#include "deploy/devices/remote/remote_device.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kAskEvery = std::chrono::seconds(2);
constexpr uint32_t kMostJobs = 20;

std::string StateName(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_QUEUED:
      return "queued";
    case v1::JOB_STATE_RUNNING:
      return "running";
    case v1::JOB_STATE_DONE:
      return "done";
    case v1::JOB_STATE_FAILED:
      return "failed";
    case v1::JOB_STATE_CANCELLED:
      return "cancelled";
    default:
      return "unknown";
  }
}

// Without the lease: who has that may cancel the job.
Json ToJson(const v1::JobStatus& job) {
  return {{"job", job.job_id()},
          {"state", StateName(job.state())},
          {"before", job.jobs_before()},
          {"done", job.done()},
          {"total", job.total()},
          {"note", job.note()},
          {"waited_s", static_cast<double>(job.waited_ns()) * 1e-9},
          {"ran_s", static_cast<double>(job.ran_ns()) * 1e-9},
          {"error", job.error()}};
}

Json JobsOf(const std::string& address, const AgentAccess& access, std::unique_ptr<AgentClient>& client) {
  Json json{{"agent", "grpc://" + address}, {"error", ""}, {"jobs", Json::array()}};
  try {
    if (!client) client = std::make_unique<AgentClient>(address, access);  // throws where the token is not there (yet)
    const v1::ListResponse list = client->List(kMostJobs);
    for (const v1::JobStatus& job : list.jobs()) json["jobs"].push_back(ToJson(job));
  } catch (const Error& error) {
    json["error"] = error.what();
  }
  return json;
}

}  // namespace

DeviceQueue::DeviceQueue(const std::string& device, const AgentAccess& access) : device_(device), access_(access) {
  if (IsRemote(device_)) thread_ = std::jthread([this](const std::stop_token& stop) { Ask(stop); });
}

Json DeviceQueue::Jobs() {
  const std::lock_guard lock(mutex_);
  want_ = true;
  wanted_.notify_all();
  return jobs_;
}

void DeviceQueue::Ask(const std::stop_token& stop) {
  const std::vector<std::string> addresses = AgentAddresses(device_);
  std::vector<std::unique_ptr<AgentClient>> clients(addresses.size());
  std::unique_lock lock(mutex_);
  while (wanted_.wait(lock, stop, [&] { return want_; })) {
    want_ = false;
    lock.unlock();
    Json jobs = Json::array();
    for (size_t i = 0; i < addresses.size(); ++i) jobs.push_back(JobsOf(addresses[i], access_, clients[i]));
    lock.lock();
    jobs_ = std::move(jobs);
    wanted_.wait_for(lock, stop, kAskEvery, [] { return false; });
  }
}

}  // namespace hot
