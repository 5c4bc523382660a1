#include "server/agent.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/hash.h"
#include "core/version.h"
#include "deploy/devices/remote/job_layout.h"
#include "deploy/devices/remote/job_state.h"

namespace hot::server {
namespace {

constexpr int kDefaultList = 100, kMaxList = 10'000, kMaxThreads = 1024;

// Above 0, which is what a watcher has seen that has seen nothing.
std::array<uint64_t, 256> Ones() {
  std::array<uint64_t, 256> ones{};
  ones.fill(1);
  return ones;
}

const AgentOptions& WithFolder(const AgentOptions& options) {
  EnsureFolder(options.state);
  return options;
}

}  // namespace

Agent::Agent(AgentOptions options, const Context& context)
    : options_(std::move(options)),
      context_(context),
      instance_(RandomHex(8)),
      toolchains_([this] {
        const v1::DescribeResponse described = options_.describe(1);
        return std::vector<v1::Toolchain>(described.toolchains().begin(), described.toolchains().end());
      }()),
      queue_(WithFolder(options_).state / "queue.sqlite", options_.queue, context.clock),
      blobs_(options_.state / "blobs", options_.blobs, context.clock),
      changes_(Ones()),
      dispatcher_(queue_, blobs_,
                  {.job_program = options_.job_program,
                   .folder = options_.state / "jobs",
                   .limits = options_.limits,
                   .capacity = options_.capacity},
                  context_, [this](const std::string& id) { Changed(id); }) {}

v1::DescribeResponse Agent::Describe(int threads) const {
  if (threads < 0 || threads > kMaxThreads)
    throw Error(Code::kInvalidArgument, "threads", "expected 1 to " + std::to_string(kMaxThreads));
  v1::DescribeResponse response = options_.describe(std::max(1, threads));
  response.set_hot_version(kHotVersion);
  response.set_instance(instance_);
  v1::Limits& limits = *response.mutable_limits();
  limits.set_blob_bytes(options_.blobs.max_blob_bytes);
  limits.set_store_bytes(options_.blobs.max_total_bytes);
  limits.set_artifacts_per_job(static_cast<uint32_t>(options_.request.artifacts));
  limits.set_queue_jobs(static_cast<uint32_t>(options_.queue.max_jobs));
  limits.set_job_memory_bytes(options_.limits.memory_bytes);
  limits.set_job_seconds(static_cast<uint32_t>(options_.limits.run_s));
  limits.set_client_jobs(static_cast<uint32_t>(options_.queue.max_client_jobs));
  limits.set_job_threads(static_cast<uint32_t>(options_.request.threads));
  limits.set_lease_seconds(static_cast<uint32_t>(options_.queue.lease_s));
  return response;
}

v1::JobStatus Agent::Submit(const std::string& client, const v1::SubmitRequest& request) {
  CheckRequest(request, toolchains_, options_.request);
  const std::lock_guard lock(submit_mutex_);
  const bool known = IsKnown(request.job_id());
  if (!known) PinFiles(request);
  try {
    const JobRow row = queue_.Submit(client, request);
    dispatcher_.Wake();
    return StatusOf(row);
  } catch (const Error&) {
    if (!known) blobs_.Unpin(request.job_id());
    throw;
  }
}

v1::JobStatus Agent::WaitForChange(const std::string& id, const std::string& lease, uint64_t& seen,
                                   std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  for (bool waited = false;; waited = true) {
    const uint64_t now = Changes(id);  // before the row is read: what comes between is seen the next time
    lock.unlock();
    const JobRow row = queue_.Renew(id, lease);
    if (waited || now != seen || HasEnded(row.state)) {
      seen = now;
      return StatusOf(row);
    }
    lock.lock();
    changed_.wait_for(lock, patience, [&] { return Changes(id) != seen; });
  }
}

v1::JobStatus Agent::Renew(const std::string& id, const std::string& lease) {
  return StatusOf(queue_.Renew(id, lease));
}

v1::JobStatus Agent::Cancel(const std::string& id, const std::string& lease) {
  const JobRow row = queue_.Cancel(id, lease);
  if (HasEnded(row.state)) blobs_.Unpin(id);
  Changed(id);
  dispatcher_.Wake();
  return StatusOf(row);
}

v1::JobResult Agent::Result(const std::string& id) const { return queue_.Result(id); }

std::vector<v1::JobStatus> Agent::List(const std::string& client, int limit) const {
  const Places places = JobsBefore(queue_.State(), options_.capacity);
  std::vector<v1::JobStatus> jobs;
  for (const JobRow& row : queue_.List(client, limit <= 0 ? kDefaultList : std::min(limit, kMaxList)))
    jobs.push_back(StatusOf(row, places));
  return jobs;
}

bool Agent::IsKnown(const std::string& id) const {
  try {
    queue_.Get(id);
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    return false;
  }
}

v1::JobStatus Agent::StatusOf(const JobRow& row) const {
  return StatusOf(row, row.state == v1::JOB_STATE_QUEUED ? JobsBefore(queue_.State(), options_.capacity) : Places());
}

v1::JobStatus Agent::StatusOf(const JobRow& row, const Places& places) const {
  v1::JobStatus status;
  status.set_job_id(row.id);
  status.set_state(row.state);
  status.mutable_lease()->set_token(row.lease);
  status.mutable_lease()->set_expires_unix_ns(context_.clock.WallSeconds() * 1'000'000'000 + row.lease_left_ns);
  if (const auto place = places.find(row.id); place != places.end()) status.set_jobs_before(place->second);
  if (const auto progress = dispatcher_.Progress(row.id)) {
    status.set_done(progress->done);
    status.set_total(progress->total);
    status.set_note(progress->note);
  }
  status.set_attempt(static_cast<uint32_t>(row.attempt));
  status.set_code(static_cast<int>(row.code));
  status.set_error(row.error);
  status.set_waited_ns(row.waited_ns);
  status.set_ran_ns(row.ran_ns);
  return status;
}

void Agent::PinFiles(const v1::SubmitRequest& request) {
  try {
    blobs_.Pin(request.job_id(), HashesOf(request));
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kFailedPrecondition, error.where(), error.message(), error.hint());
  }
}

uint64_t& Agent::Changes(const std::string& id) { return changes_[std::hash<std::string>()(id) % changes_.size()]; }

void Agent::Changed(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    ++Changes(id);
  }
  changed_.notify_all();
}

}  // namespace hot::server
