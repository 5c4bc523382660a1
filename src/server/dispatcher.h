// Starts the jobs of the queue, each in a process of its own, and records how they end. One thread does all of it. Used
// by the agent. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/context.h"
#include "server/blob_store.h"
#include "server/job_process.h"
#include "server/job_queue.h"
#include "server/schedule.h"

namespace hot::server {

struct DispatcherOptions {
  std::vector<std::string> job_program;  // {"hot", "serve-job"}: see JobProcess
  fs::path folder;                       // of the jobs' folders; what lies in it is removed at the start
  JobLimits limits;
  Capacity capacity;
};

class Dispatcher {
 public:
  // All but the options must outlive it. Pins the files of jobs that wait already (those of others are pinned when they
  // are submitted), and frees them when a job has ended. `changed` is called from its thread with the id of a job that
  // has started, has ended or has come further. Notes of `context.progress`: faults that no job is told.
  Dispatcher(JobQueue& queue, BlobStore& blobs, DispatcherOptions options, const Context& context,
             std::function<void(const std::string& id)> changed);
  // Ends the jobs' processes; the jobs go on with the next agent.
  ~Dispatcher();

  // The queue has changed.
  void Wake() const;
  // How far a running job is.
  std::optional<JobProgress> Progress(const std::string& id) const;

 private:
  struct Job {
    std::string id;
    JobKind kind = JobKind::kCompile;
    int attempt = 0;
    std::unique_ptr<JobProcess> process;
    std::optional<std::variant<v1::JobResult, Error>> outcome;  // it has ended, but this is not written yet
    int64_t lines = 0;                                          // of its progress that were seen
  };

  void PinWaiting();
  void Loop(const std::stop_token& stop);
  void Step();
  void Sleep() const;
  void Collect();
  void Look(Job& job);
  void Record(const Job& job);
  void EndCancelled();
  void KeepTime();
  void ExpireLeases();
  void StartJobs();
  void Start(const WaitingJob& waiting);
  void KeepSpare();
  std::unique_ptr<JobProcess> TakeProcess();
  v1::JobResult Adopt(const fs::path& folder, v1::JobResult result) const;

  JobQueue& queue_;
  BlobStore& blobs_;
  const DispatcherOptions options_;
  const Context context_;
  const std::function<void(const std::string& id)> changed_;
  int wake_ = -1;  // eventfd

  // Of the thread only.
  std::vector<Job> jobs_;
  std::unique_ptr<JobProcess> spare_;
  bool spare_failed_ = false;
  int64_t folders_ = 0, tick_ns_ = 0, prune_ns_ = 0;

  mutable std::mutex mutex_;
  std::map<std::string, JobProgress> progress_;  // of running jobs
  std::jthread thread_;
};

}  // namespace hot::server
