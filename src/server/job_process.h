// The process of one job, watched: how far it is, and an end for one that takes too long, too much memory or too much
// disk. It is started before there is a job for it (its libraries are loaded meanwhile) and does one. Used by the
// agent's dispatcher. Thread rule: one owner, one thread, which must live as long as the process may: the process dies
// with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/subprocess.h"
#include "hot/v1/device.pb.h"

namespace hot::server {

struct JobLimits {
  int64_t run_s = 600;
  uint64_t memory_bytes = uint64_t{8} << 30;  // of the process and what it starts
  uint64_t file_bytes = uint64_t{1} << 30;    // any one file
  uint64_t folder_bytes = uint64_t{4} << 30;  // all files of the job
};

struct JobProgress {
  double done = 0, total = 0;
  std::string note;
};

class JobProcess {
 public:
  // Starts `program` with "--memory-bytes N --file-bytes N FOLDER"; it waits for Begin(). Makes the folder, in which
  // the process also logs. Throws Error(kUnavailable) when it can't be started.
  JobProcess(const std::vector<std::string>& program, const fs::path& folder, const JobLimits& limits,
             const Clock& clock);
  ~JobProcess();
  JobProcess(const JobProcess&) = delete;
  JobProcess& operator=(const JobProcess&) = delete;

  const fs::path& folder() const { return folder_; }
  int pid() const { return process_->pid(); }
  // Becomes readable when there is progress, or the process has ended: for poll().
  int channel() const { return channel_; }

  // The job lies in the folder: its time begins.
  void Begin();
  // Reads what the process printed and enforces the limits; never waits. True when it has ended.
  bool Poll();
  // Ends it, for this reason unless there was one before. Poll() will say when that is done.
  void End(const Error& reason);

  const JobProgress& progress() const { return progress_; }
  int64_t lines() const { return lines_; }  // of progress that have come
  // Has ended: what it computed. Throws why it has nothing: the job's own error, a broken limit, a crash.
  v1::JobResult Result() const;

 private:
  void Read();
  void Parse(std::string_view line);
  void CheckLimits();

  const fs::path folder_;
  const JobLimits limits_;
  const Clock& clock_;
  int channel_ = -1;
  std::optional<Process> process_;
  std::optional<Error> reason_;  // why it was ended
  std::optional<ExitStatus> status_;
  int64_t begin_ns_ = 0, checked_ns_ = 0;  // 0: not begun
  JobProgress progress_;
  int64_t lines_ = 0;
  std::string buffer_;
};

// What a process and all that it has started hold in memory, without what is swapped out. 0: it has ended.
uint64_t ResidentBytes(int pid);

}  // namespace hot::server
