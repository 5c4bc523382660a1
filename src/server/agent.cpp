#include "server/agent.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/hash.h"
#include "core/version.h"
#include "deploy/devices/remote/job_layout.h"

namespace hot::server {
namespace {

constexpr uint32_t kDefaultList = 100, kMaxList = 10'000;
constexpr int kMaxThreads = 1024;
constexpr int kMaxFind = 10'000;  // hashes at once

std::string NewInstance(const Clock& clock) {
  return Sha256Hex(std::to_string(::getpid()) + " " + std::to_string(clock.WallSeconds()) + " " +
                   std::to_string(clock.NowNs()))
      .substr(0, 16);
}

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

bool HasEnded(v1::JobState state) { return state != v1::JOB_STATE_QUEUED && state != v1::JOB_STATE_RUNNING; }

}  // namespace

Agent::Agent(AgentOptions options, const Context& context)
    : options_(std::move(options)),
      context_(context),
      instance_(NewInstance(context.clock)),
      toolchains_([this] {
        const v1::DescribeResponse described = options_.describe(1);
        return std::vector<v1::Toolchain>(described.toolchains().begin(), described.toolchains().end());
      }()),
      queue_(WithFolder(options_).state / "queue.db", options_.queue, context.clock),
      blobs_(options_.state / "blobs", options_.blobs, context.clock),
      changes_(Ones()),
      dispatcher_(queue_, blobs_,
                  {.job_program = options_.job_program,
                   .folder = options_.state / "jobs",
                   .limits = options_.limits,
                   .capacity = options_.capacity},
                  context_, [this](const std::string& id) { Changed(id); }) {}

v1::DescribeResponse Agent::Describe(const v1::DescribeRequest& request) const {
  if (request.threads() < 0 || request.threads() > kMaxThreads)
    throw Error(Code::kInvalidArgument, "threads", "expected 1 to " + std::to_string(kMaxThreads));
  v1::DescribeResponse response = options_.describe(std::max(1, request.threads()));
  response.set_hot_version(kHotVersion);
  response.set_instance(instance_);
  v1::Limits& limits = *response.mutable_limits();
  limits.set_blob_bytes(options_.blobs.max_blob_bytes);
  limits.set_store_bytes(options_.blobs.max_total_bytes);
  limits.set_artifacts_per_job(static_cast<uint32_t>(options_.request.artifacts));
  limits.set_queue_jobs(static_cast<uint32_t>(options_.queue.max_jobs));
  limits.set_job_memory_bytes(options_.limits.memory_bytes);
  limits.set_job_seconds(static_cast<uint32_t>(options_.limits.run_s));
  limits.set_lease_seconds(static_cast<uint32_t>(options_.queue.lease_s));
  return response;
}

v1::FindBlobsResponse Agent::FindBlobs(const v1::FindBlobsRequest& request) {
  if (request.sha256_size() > kMaxFind)
    throw Error(Code::kInvalidArgument, "sha256", "more than " + std::to_string(kMaxFind) + " at once");
  v1::FindBlobsResponse response;
  for (const std::string& sha256 : request.sha256()) {
    const BlobInfo info = blobs_.Find(sha256);
    v1::BlobState& state = *response.add_blobs();
    state.set_sha256(sha256);
    state.set_whole(info.whole);
    state.set_received(info.received);
  }
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

v1::JobStatus Agent::Watch(const std::string& client, const v1::WatchRequest& request, double patience_s,
                           uint64_t& seen) {
  const std::string& id = request.job_id();
  Owned(client, id);
  std::unique_lock lock(mutex_);
  for (const bool again : {false, true}) {
    const uint64_t now = Changes(id);  // before the row is read: what comes between is seen the next time
    lock.unlock();
    const JobRow row = queue_.Renew(id, request.lease());
    if (again || now != seen || HasEnded(row.state)) {
      seen = now;
      return StatusOf(row);
    }
    lock.lock();
    changed_.wait_for(lock, std::chrono::duration<double>(patience_s), [&] { return Changes(id) != seen; });
  }
  HOT_ASSERT(false);
}

v1::JobStatus Agent::Renew(const std::string& client, const v1::RenewRequest& request) {
  Owned(client, request.job_id());
  return StatusOf(queue_.Renew(request.job_id(), request.lease()));
}

v1::JobStatus Agent::Cancel(const std::string& client, const v1::CancelRequest& request) {
  Owned(client, request.job_id());
  const JobRow row = queue_.Cancel(request.job_id(), request.lease());
  if (HasEnded(row.state)) blobs_.Unpin(row.id);
  Changed(row.id);
  dispatcher_.Wake();
  return StatusOf(row);
}

v1::JobResult Agent::Result(const std::string& client, const v1::ResultRequest& request) const {
  Owned(client, request.job_id());
  return queue_.Result(request.job_id());
}

v1::ListResponse Agent::List(const std::string& client, const v1::ListRequest& request) const {
  const QueueState state = queue_.State();
  v1::ListResponse response;
  const uint32_t limit = request.limit() == 0 ? kDefaultList : std::min(request.limit(), kMaxList);
  for (const JobRow& row : queue_.List(client, static_cast<int>(limit))) *response.add_jobs() = StatusOf(row, state);
  return response;
}

// The row, if it is this client's. One text for jobs that are not there and jobs of others.
JobRow Agent::Owned(const std::string& client, const std::string& id) const {
  if (IsKnown(id)) {
    JobRow row = queue_.Get(id);
    if (row.client == client) return row;
  }
  throw Error(Code::kNotFound, "job_id", "this client has no such job");
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
  return StatusOf(row, row.state == v1::JOB_STATE_QUEUED ? queue_.State() : QueueState());
}

v1::JobStatus Agent::StatusOf(const JobRow& row, const QueueState& state) const {
  v1::JobStatus status;
  status.set_job_id(row.id);
  status.set_state(row.state);
  status.mutable_lease()->set_token(row.lease);
  status.mutable_lease()->set_expires_unix_ns(context_.clock.WallSeconds() * 1'000'000'000 + row.lease_left_ns);
  if (std::ranges::count(state.waiting, row.id, &WaitingJob::id) != 0)  // it may have started since the row was read
    status.set_jobs_before(JobsBefore(state, options_.capacity).at(row.id));
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
  std::vector<std::string> hashes;
  for (const JobFile& file : FilesOf(request)) hashes.push_back(file.sha256);
  try {
    blobs_.Pin(request.job_id(), hashes);
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
