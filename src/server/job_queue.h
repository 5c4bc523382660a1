// The agent's jobs in one SQLite file (docs/formats/device-agent.md): queued -> running -> done, failed or cancelled.
// What a call has returned survives SIGKILL and power loss (WAL, synchronous=FULL: one fsync a change; Renew and Tick
// write nothing that needs one). One process at a time has the file. Used by the agent only; docs/adr/0011 has the
// reasons. Thread-safe; everything returned is a copy.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "hot/v1/device.pb.h"
#include "server/schedule.h"
#include "store/sqlite/connection.h"

namespace hot::server {

struct QueueOptions {
  int max_jobs = 1000;         // that have not ended, of all clients
  int max_client_jobs = 250;   // of one client, so that it leaves room for others
  int64_t lease_s = 60;        // a lease not renewed for so long has expired
  int max_attempts = 10;       // a job during which the agent died so often has failed: it may be the cause
  int64_t keep_s = 7 * 86400;  // ended jobs are kept so long, and
  int keep_jobs = 10'000;      // at most so many of them
};

struct JobRow {
  std::string id, client;
  v1::JobState state = v1::JOB_STATE_UNSPECIFIED;
  JobKind kind = JobKind::kCompile;
  int attempt = 0;            // of the newest start, from 1; 0: never started
  bool ending = false;        // runs, but was cancelled: end its process, then call Fail
  std::string lease;          // token: who has it may renew and cancel
  int64_t lease_left_ns = 0;  // until it expires; 0 when the job has ended
  Code code = Code::kOk;      // why it failed or was cancelled
  std::string error;          // one line
  int64_t submitted_unix_s = 0;
  int64_t ended_unix_s = 0;  // 0 while it has not ended
  // Time in the queue (between attempts, too; the agent may have been down) and time of running, all attempts together.
  // An attempt that was cut off by the agent's death counts to the last note of it, at most 30 s before (see Tick).
  int64_t waited_ns = 0, ran_ns = 0;
};

class JobQueue {
 public:
  // Opens or makes the file. What was running when the last agent ended is queued again (or, if it was being cancelled,
  // is cancelled; after `max_attempts` it has failed with kAborted), and every lease gets its whole time. Throws
  // kUnavailable when another agent has the file, kDataLoss for a damaged or foreign one, kFailedPrecondition for one
  // of a newer version.
  JobQueue(const fs::path& file, const QueueOptions& options, const Clock& clock);

  // Puts a job into the queue with a new lease. The same request of the same client again returns the job as it is,
  // with its lease renewed if it has not ended. The request must have passed CheckRequest (request_check.h). Throws
  // kAlreadyExists (same id, another request or client) and kResourceExhausted (`max_jobs`, `max_client_jobs`).
  JobRow Submit(const std::string& client, const v1::SubmitRequest& request);

  // What JobsToStart() and JobsBefore() look at, all of one moment.
  QueueState State() const;

  // queued -> running. The attempt's number, or none when the job is not queued any more (cancelled in between).
  std::optional<int> Start(const std::string& id);

  // running -> done, with what it computed. Throws kAborted when this attempt is not the one that runs: then nothing
  // was changed, and what the attempt made is to be thrown away. Also accepted for a job that is `ending`.
  void Finish(const std::string& id, int attempt, const v1::JobResult& result);
  // running -> failed; a job that is `ending` -> cancelled, for the reason kept, whatever is given. Throws as Finish.
  void Fail(const std::string& id, int attempt, Code code, const std::string& error);

  // A queued job is cancelled; one that runs is `ending` from now on, also after a restart; nothing happens to one that
  // has ended. Throws kNotFound, and kAborted when the lease is not the job's.
  JobRow Cancel(const std::string& id, const std::string& lease);
  // Prolongs the lease. Throws kNotFound, and kAborted when the lease is not the job's or has expired; does nothing to
  // a job that has ended otherwise.
  JobRow Renew(const std::string& id, const std::string& lease);

  // To be called every second or so. Cancels the jobs whose leases have expired, as Cancel does, with kAborted, and
  // every 30 s writes down how long running jobs have run. True when something was cancelled.
  bool Tick();

  // Running jobs whose process is to be ended.
  std::vector<std::string> Ending() const;

  // Throw kNotFound for an unknown job.
  JobRow Get(const std::string& id) const;
  v1::SubmitRequest Request(const std::string& id) const;
  // Throws kFailedPrecondition while the job has not ended; its own code and error if it failed or was cancelled.
  v1::JobResult Result(const std::string& id) const;

  // A client's jobs, newest first.
  std::vector<JobRow> List(const std::string& client, int limit) const;
  // Of all jobs, oldest first: for an agent that starts and pins their files.
  std::vector<std::string> Ids() const;

  // Forgets ended jobs beyond `keep_s` and `keep_jobs`; returns their ids.
  std::vector<std::string> Prune();

 private:
  struct Found;  // a row and where it lies

  void Recover();
  std::optional<Found> Find(const std::string& id) const;
  Found FindOrThrow(const std::string& id) const;
  Found FindWithLease(const std::string& id, const std::string& lease) const;
  Found FindAttempt(const std::string& id, int attempt) const;
  void CheckRoom(const std::string& client, const std::string& id) const;
  void Insert(const std::string& client, const v1::SubmitRequest& request);
  void Renew(int64_t sequence);
  void Settle(const std::string& which);
  void End(int64_t sequence, v1::JobState state, Code code, const std::string& error);
  void Cancel(const Found& job, Code code, const std::string& reason);

  const QueueOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  mutable sqlite::Connection connection_;
  int64_t settled_ns_ = 0;  // when Tick last wrote down how long jobs have run
};

}  // namespace hot::server
