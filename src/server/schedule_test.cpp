// Cases by hand for each rule, then random streams of jobs in which the rules are checked after every step.
#include "server/schedule.h"

#include <algorithm>
#include <optional>

#include "core/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hot::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kCompile = JobKind::kCompile;
constexpr auto kProfile = JobKind::kProfile;

QueueState Waiting(std::vector<WaitingJob> jobs) {
  QueueState state;
  for (WaitingJob& job : jobs) {
    if (job.sequence == 0) job.sequence = static_cast<int64_t>(state.waiting.size()) + 1;
    state.waiting.push_back(std::move(job));
  }
  return state;
}

TEST(Schedule, CompileJobsRunSideBySideUpToTheLimit) {
  QueueState state = Waiting({{"1", "a"}, {"2", "a"}, {"3", "a"}});
  EXPECT_THAT(JobsToStart(state, {.compile_jobs = 2}), ElementsAre("1", "2"));
  state.running = {{"0", "a", kCompile}};
  EXPECT_THAT(JobsToStart(state, {.compile_jobs = 2}), ElementsAre("1"));
  EXPECT_THAT(JobsToStart(state, {.compile_jobs = 1}), IsEmpty());
}

TEST(Schedule, MeasuringJobsAreAlone) {
  for (const JobKind kind : {kProfile, JobKind::kRun}) {
    QueueState state = Waiting({{"1", "a", Priority::kNormal, kind}, {"2", "b", Priority::kNormal, kind}, {"3", "c"}});
    EXPECT_THAT(JobsToStart(state, {}), ElementsAre("1"));
    state.running = {{"0", "a", kCompile}};
    EXPECT_THAT(JobsToStart(state, {}), IsEmpty()) << "and is not overtaken by compile jobs";
    state.running = {{"0", "a", kind}};
    EXPECT_THAT(JobsToStart(state, {}), IsEmpty());
  }
}

TEST(Schedule, CoresOfTheirOwnMakeTwoLanes) {
  const Capacity capacity = {.compile_jobs = 1, .compile_beside_measuring = true};
  QueueState state = Waiting(
      {{"1", "a", Priority::kNormal, kProfile}, {"2", "b", Priority::kNormal, kProfile}, {"3", "c"}, {"4", "d"}});
  EXPECT_THAT(JobsToStart(state, capacity), ElementsAre("1", "3"));
  state.running = {{"0", "a", kProfile}};
  EXPECT_THAT(JobsToStart(state, capacity), ElementsAre("3"));
  state.running = {{"0", "a", kCompile}};
  EXPECT_THAT(JobsToStart(state, capacity), ElementsAre("1"));
  EXPECT_THAT(JobsBefore(state, capacity), testing::UnorderedElementsAre(testing::Pair("1", 0), testing::Pair("2", 1),
                                                                         testing::Pair("3", 0), testing::Pair("4", 1)));
}

TEST(Schedule, HigherPrioritiesFirst) {
  const QueueState state = Waiting({{"1", "a", Priority::kLow}, {"2", "a"}, {"3", "a", Priority::kHigh}});
  EXPECT_THAT(JobsToStart(state, {.compile_jobs = 3}), ElementsAre("3", "2", "1"));
}

TEST(Schedule, ClientsTakeTurnsAndKeepTheirOrder) {
  QueueState state = Waiting({{"a1", "a"}, {"a2", "a"}, {"a3", "a"}, {"b1", "b"}, {"b2", "b"}, {"c1", "c"}});
  const Capacity capacity = {.compile_jobs = 6};
  EXPECT_THAT(JobsToStart(state, capacity), ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
  state.last_starts = {{"a", {.compile = 7}}, {"b", {.alone = 5}}, {"gone", {.compile = 9}}};
  EXPECT_THAT(JobsToStart(state, capacity), ElementsAre("c1", "b1", "a1", "b2", "a2", "a3"));
  std::ranges::reverse(state.waiting);
  EXPECT_THAT(JobsToStart(state, capacity), ElementsAre("c1", "b1", "a1", "b2", "a2", "a3"));
}

TEST(Schedule, EachLaneHasTurnsOfItsOwn) {
  // a's compile jobs start all the time; its profile job must not wait for that.
  QueueState state = Waiting({{"b", "b", Priority::kNormal, kProfile}, {"a", "a", Priority::kNormal, kProfile}});
  state.last_starts = {{"a", {.compile = 100, .alone = 3}}, {"b", {.alone = 4}}};
  EXPECT_THAT(JobsToStart(state, {.compile_beside_measuring = true}), ElementsAre("a"));
  EXPECT_THAT(JobsToStart(state, {}), ElementsAre("b"));
}

// A device with random clients. What starts is checked against the rules as they are written in schedule.h.
class Simulation {
 public:
  Simulation(uint64_t seed, const Capacity& capacity) : rng_(seed), capacity_(capacity) {}

  void Submit() {
    WaitingJob job;
    job.sequence = ++submitted_;
    job.id = std::to_string(job.sequence);
    job.client = std::string(1, static_cast<char>('a' + Draw(4)));
    job.priority = static_cast<Priority>(Draw(3));
    job.kind = Draw(3) == 0 ? static_cast<JobKind>(1 + Draw(2)) : kCompile;
    state_.waiting.insert(state_.waiting.begin() + static_cast<long>(Draw(state_.waiting.size() + 1)), job);
    histories_[job.id] = {};
  }

  void EndOne() {
    if (!state_.running.empty()) state_.running.erase(state_.running.begin() + static_cast<long>(Draw(Running())));
  }

  // Ids that started, in order.
  std::vector<std::string> StartAll() {
    const bool idle = state_.running.empty() && !state_.waiting.empty();
    const auto ids = JobsToStart(state_, capacity_);
    EXPECT_FALSE(idle && ids.empty()) << "the device is idle and jobs wait";
    for (const std::string& id : ids) Start(id);
    CheckLoad();
    return ids;
  }

  uint64_t Draw(uint64_t below) { return rng_.Next() % below; }
  size_t Running() const { return state_.running.size(); }
  const QueueState& state() const { return state_; }
  bool SameLane(JobKind one, JobKind other) const {
    return !capacity_.compile_beside_measuring || NeedsDeviceAlone(one) == NeedsDeviceAlone(other);
  }

 private:
  struct History {                      // of a waiting job
    std::map<std::string, int> others;  // starts of other clients in its priority and lane
    int own = 0;                        // starts of its client in its lane, any priority
  };

  void Start(const std::string& id) {
    const auto found = std::ranges::find(state_.waiting, id, &WaitingJob::id);
    ASSERT_NE(found, state_.waiting.end()) << "started twice";
    const WaitingJob job = *found;
    state_.waiting.erase(found);
    const History& history = histories_[id];
    for (const auto& [client, starts] : history.others) {
      EXPECT_LE(starts, history.own + 1) << client << " had more than its turns while " << id << " waited";
    }
    for (const WaitingJob& other : state_.waiting) CheckNotOvertaken(other, job);
    for (const WaitingJob& other : state_.waiting) {
      if (!SameLane(other.kind, job.kind)) continue;
      History& waiting = histories_[other.id];
      if (other.client == job.client) ++waiting.own;
      if (other.client != job.client && other.priority == job.priority) ++waiting.others[job.client];
    }
    state_.running.push_back({job.id, job.client, job.kind});
    auto& last = state_.last_starts[job.client];
    (NeedsDeviceAlone(job.kind) ? last.alone : last.compile) = ++starts_;
  }

  void CheckNotOvertaken(const WaitingJob& waits, const WaitingJob& starts) const {
    if (!SameLane(waits.kind, starts.kind)) return;
    EXPECT_LE(waits.priority, starts.priority) << starts.id << " before " << waits.id;
    if (waits.client == starts.client && waits.priority == starts.priority) {
      EXPECT_GT(waits.sequence, starts.sequence);
    }
  }

  void CheckLoad() const {
    const auto alone = std::ranges::count_if(state_.running, NeedsDeviceAlone, &RunningJob::kind);
    const auto compile = static_cast<long>(state_.running.size()) - alone;
    EXPECT_LE(alone, 1);
    EXPECT_LE(compile, capacity_.compile_jobs);
    EXPECT_TRUE(alone == 0 || compile == 0 || capacity_.compile_beside_measuring);
  }

  Rng rng_;
  Capacity capacity_;
  QueueState state_;
  std::map<std::string, History> histories_;
  int64_t submitted_ = 0, starts_ = 0;
};

class ScheduleRandom : public testing::TestWithParam<bool> {};

TEST_P(ScheduleRandom, KeepsItsRules) {
  for (uint64_t seed = 0; seed < 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Simulation simulation(seed, {1 + static_cast<int>(seed % 4), GetParam()});
    for (int step = 0; step < 200; ++step) {
      if (simulation.Draw(20) < 11 && simulation.state().waiting.size() < 40) simulation.Submit();
      if (simulation.Draw(2) == 0) simulation.EndOne();
      simulation.StartAll();
    }
  }
}

TEST_P(ScheduleRandom, StartsInTheOrderThatJobsBeforeSays) {
  for (uint64_t seed = 0; seed < 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    const Capacity capacity = {1 + static_cast<int>(seed % 4), GetParam()};
    Simulation simulation(seed, capacity);
    for (int i = 0; i < 20; ++i) simulation.Submit();
    simulation.StartAll();
    for (int i = 0; i < 10; ++i) simulation.Submit();
    const auto before = JobsBefore(simulation.state(), capacity);
    const std::vector<WaitingJob> waiting = simulation.state().waiting;
    std::map<bool, uint32_t> started;  // by lane
    while (simulation.Running() > 0) {
      simulation.EndOne();
      for (const std::string& id : simulation.StartAll()) {
        const JobKind kind = std::ranges::find(waiting, id, &WaitingJob::id)->kind;
        EXPECT_EQ(before.at(id), started[simulation.SameLane(kind, kCompile)]++) << id;
      }
    }
    EXPECT_EQ(started[true] + started[false], waiting.size());
    EXPECT_THAT(simulation.state().waiting, IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Lanes, ScheduleRandom, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "two" : "one"; });

}  // namespace
}  // namespace hot::server
