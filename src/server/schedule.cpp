#include "server/schedule.h"

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include "core/error.h"

namespace hot::server {
namespace {

// Jobs that do not wait for each other: with compile_beside_measuring there are two.
enum class Lane { kAll, kCompile, kAlone };

std::vector<Lane> Lanes(const Capacity& capacity) {
  if (!capacity.compile_beside_measuring) return {Lane::kAll};
  return {Lane::kAlone, Lane::kCompile};
}

Lane LaneOf(JobKind kind, const Capacity& capacity) {
  if (!capacity.compile_beside_measuring) return Lane::kAll;
  return NeedsDeviceAlone(kind) ? Lane::kAlone : Lane::kCompile;
}

int64_t LastStart(const LastStarts& starts, Lane lane) {
  if (lane == Lane::kAll) return std::max(starts.compile, starts.alone);
  return lane == Lane::kCompile ? starts.compile : starts.alone;
}

// The waiting jobs of a lane in the order in which they start. Each start makes its client the last in turn, so the
// order is found one job after another.
std::vector<const WaitingJob*> StartOrder(const QueueState& state, const Capacity& capacity, Lane lane) {
  std::map<std::string, int64_t> last_start;
  int64_t newest = 0;
  for (const auto& [client, starts] : state.last_starts) {
    last_start[client] = LastStart(starts, lane);
    newest = std::max({newest, starts.compile, starts.alone});
  }
  // Each priority's clients, each with its jobs in the order of submission.
  std::map<Priority, std::map<std::string, std::vector<const WaitingJob*>>, std::greater<>> levels;
  for (const WaitingJob& job : state.waiting) {
    if (LaneOf(job.kind, capacity) == lane) levels[job.priority][job.client].push_back(&job);
  }
  std::vector<const WaitingJob*> order;
  for (auto& [priority, clients] : levels) {
    std::set<std::tuple<int64_t, int64_t, std::string>> turns;  // last start, sequence of the next job, client
    for (auto& [client, jobs] : clients) {
      std::ranges::sort(jobs, std::greater<>(), &WaitingJob::sequence);  // the next one is the last
      turns.emplace(last_start[client], jobs.back()->sequence, client);
    }
    while (!turns.empty()) {
      const std::string client = std::get<2>(turns.extract(turns.begin()).value());
      auto& jobs = clients[client];
      order.push_back(jobs.back());
      jobs.pop_back();
      last_start[client] = ++newest;
      if (!jobs.empty()) turns.emplace(newest, jobs.back()->sequence, client);
    }
  }
  return order;
}

// What runs in a lane, as jobs are started.
struct Load {
  int compile = 0, alone = 0;

  void Add(JobKind kind) { ++(NeedsDeviceAlone(kind) ? alone : compile); }
  bool Fits(JobKind kind, const Capacity& capacity) const {
    if (alone > 0) return false;
    return compile < (NeedsDeviceAlone(kind) ? 1 : capacity.compile_jobs);
  }
};

void StartLane(const QueueState& state, const Capacity& capacity, Lane lane, std::vector<std::string>& started) {
  Load load;
  for (const RunningJob& job : state.running) {
    if (LaneOf(job.kind, capacity) == lane) load.Add(job.kind);
  }
  for (const WaitingJob* job : StartOrder(state, capacity, lane)) {
    if (!load.Fits(job->kind, capacity)) return;
    load.Add(job->kind);
    started.push_back(job->id);
  }
}

}  // namespace

bool NeedsDeviceAlone(JobKind kind) { return kind != JobKind::kCompile; }

std::vector<std::string> JobsToStart(const QueueState& state, const Capacity& capacity) {
  HOT_ASSERT(capacity.compile_jobs >= 1);
  std::vector<std::string> started;
  for (const Lane lane : Lanes(capacity)) StartLane(state, capacity, lane, started);
  return started;
}

std::map<std::string, uint32_t> JobsBefore(const QueueState& state, const Capacity& capacity) {
  std::map<std::string, uint32_t> before;
  for (const Lane lane : Lanes(capacity)) {
    uint32_t count = 0;
    for (const WaitingJob* job : StartOrder(state, capacity, lane)) before[job->id] = count++;
  }
  return before;
}

}  // namespace hot::server
