// Which jobs start next: a pure function of those that wait and run. Called by the agent's dispatcher after every
// change, and for "how many are before mine". Profile and run jobs measure or load the device, so they have it to
// themselves (alone); compile jobs run side by side. Thread rule: values, no sharing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hot::server {

enum class JobKind { kCompile, kProfile, kRun };
enum class Priority { kLow, kNormal, kHigh };

// Profile and run jobs.
bool NeedsDeviceAlone(JobKind kind);

struct WaitingJob {
  std::string id, client;
  Priority priority = Priority::kNormal;
  JobKind kind = JobKind::kCompile;
  int64_t sequence = 0;  // of its submission; a job that is queued again keeps it
};

struct RunningJob {
  std::string id, client;
  JobKind kind = JobKind::kCompile;
};

// Numbers of a client's newest starts, counted over all clients; 0: none. The clock has no part in it.
struct LastStarts {
  int64_t compile = 0, alone = 0;
};

struct QueueState {
  std::vector<WaitingJob> waiting;  // in any order
  std::vector<RunningJob> running;
  std::map<std::string, LastStarts> last_starts;  // by client; a client that is not here never had a job started
};

struct Capacity {
  int compile_jobs = 2;                   // that run side by side, at least 1
  bool compile_beside_measuring = false;  // they have cores of their own: two lanes that do not wait for each other
};

// Ids of the jobs to start now, in this order:
// - Higher priorities first, strictly; within a priority the client whose last start lies farthest back (ties: the
//   oldest submission); of one client and priority in the order of submission.
// - A job that needs the device alone starts when nothing else runs; a compile job when fewer than `compile_jobs` run
//   and none that needs the device alone.
// - The first job that can't start now stops those behind it, so that compile jobs do not overtake for ever one that
//   waits for the device. With `compile_beside_measuring` this holds within each lane (compile; alone) and the fairness
//   between clients counts each lane's starts only.
std::vector<std::string> JobsToStart(const QueueState& state, const Capacity& capacity);

// How many waiting jobs start before each waiting one, by id, if nothing is submitted in between (those of the other
// lane do not count with `compile_beside_measuring`). Running jobs are not counted.
std::map<std::string, uint32_t> JobsBefore(const QueueState& state, const Capacity& capacity);

}  // namespace hot::server
