// The device agent behind its network interface: clients' jobs into the queue, their files into the blob store, and a
// dispatcher that works through them. All in messages of proto/hot/v1/device.proto and hot::Error; gRPC is elsewhere.
// `client` is who asks, from the token: of other clients' jobs nobody learns more than that an id is taken.
// Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/context.h"
#include "server/blob_store.h"
#include "server/dispatcher.h"
#include "server/job_queue.h"
#include "server/request_check.h"

namespace hot::server {

struct AgentOptions {
  fs::path state;                        // folder of queue, blobs and jobs; one agent at a time
  std::vector<std::string> job_program;  // {"hot", "serve-job"}
  // Device and toolchains for networks of so many threads; called from any thread.
  std::function<v1::DescribeResponse(int threads)> describe;
  QueueOptions queue;
  BlobOptions blobs;
  JobLimits limits;
  Capacity capacity;
  RequestLimits request;
};

class Agent {
 public:
  // Goes on with what an agent before left in the folder. Throws kUnavailable when another agent works there, and what
  // queue and blob store throw for a damaged or full one.
  Agent(AgentOptions options, const Context& context);

  v1::DescribeResponse Describe(int threads) const;
  BlobStore& blobs() { return blobs_; }  // for uploads and downloads, piece by piece

  // Throws kInvalidArgument, kFailedPrecondition (a file is missing), kAlreadyExists and kResourceExhausted.
  v1::JobStatus Submit(const std::string& client, const v1::SubmitRequest& request);
  // Renews the lease and waits until the job has changed since `seen`, but for `patience` at most (then its place in
  // the queue may have); `seen` begins as 0. Returns at once when the job has ended. Throws kNotFound, kAborted
  // (lease).
  v1::JobStatus WaitForChange(const std::string& id, const std::string& lease, uint64_t& seen,
                              std::chrono::milliseconds patience);
  // Throw as JobQueue's.
  v1::JobStatus Renew(const std::string& id, const std::string& lease);
  v1::JobStatus Cancel(const std::string& id, const std::string& lease);
  v1::JobResult Result(const std::string& id) const;
  // A client's jobs, newest first; 0: 100 of them.
  std::vector<v1::JobStatus> List(const std::string& client, int limit) const;

 private:
  using Places = std::map<std::string, uint32_t>;  // of waiting jobs: how many start before

  bool IsKnown(const std::string& id) const;
  v1::JobStatus StatusOf(const JobRow& row) const;
  v1::JobStatus StatusOf(const JobRow& row, const Places& places) const;
  void PinFiles(const v1::SubmitRequest& request);
  uint64_t& Changes(const std::string& id);
  void Changed(const std::string& id);

  const AgentOptions options_;
  const Context context_;
  const std::string instance_;
  const std::vector<v1::Toolchain> toolchains_;
  JobQueue queue_;  // first of those that use the folder: it keeps other agents out
  BlobStore blobs_;
  std::mutex submit_mutex_;  // a job's files are pinned and it is queued, or neither
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<uint64_t, 256> changes_;  // counted; several jobs share one, and may wake in vain
  Dispatcher dispatcher_;              // last: its thread uses all of the above
};

}  // namespace hot::server
