// Every transition of a job, leases, restarts, limits, and files that are none. Threads and kills: the two files
// beside.
#include "server/job_queue.h"

#include <memory>

#include "gmock/gmock.h"
#include "server/job_queue_schema.h"
#include "server/testing/server_test.h"

namespace hot::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kSecondNs = 1'000'000'000;

v1::JobResult Compiled(const std::string& sha256) {
  v1::JobResult result;
  result.mutable_artifact()->add_files()->set_sha256(sha256);
  return result;
}

class JobQueueTest : public testing::Test {
 protected:
  JobQueueTest() { Open(); }

  // Closes the queue as an agent that died would leave it, and opens it again.
  void Open(const QueueOptions& options = {.max_jobs = 4, .lease_s = 60, .max_attempts = 3}) {
    queue_.reset();
    queue_ = std::make_unique<JobQueue>(file_, options, clock_);
  }
  JobRow Submit(const std::string& id, const std::string& client = "ann") {
    return queue_->Submit(client, CompileRequest(id));
  }

  TempFolder folder_;
  fs::path file_ = folder_.path() / "state/queue.sqlite";
  FakeClock clock_;
  std::unique_ptr<JobQueue> queue_;
};

TEST_F(JobQueueTest, AJobIsQueuedRunsAndIsDone) {
  JobRow row = Submit("one");
  EXPECT_EQ(row.id, "one");
  EXPECT_EQ(row.client, "ann");
  EXPECT_EQ(row.state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(row.attempt, 0);
  EXPECT_EQ(row.lease.size(), 32u);
  EXPECT_EQ(row.lease_left_ns, 60 * kSecondNs);
  EXPECT_EQ(FailureCode([&] { queue_->Result("one"); }), Code::kFailedPrecondition);

  clock_.Advance(3);
  EXPECT_EQ(queue_->Start("one"), 1);
  EXPECT_EQ(queue_->Get("one").state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(FailureCode([&] { queue_->Result("one"); }), Code::kFailedPrecondition);
  clock_.Advance(5);
  row = queue_->Get("one");
  EXPECT_EQ(row.waited_ns, 3 * kSecondNs);
  EXPECT_EQ(row.ran_ns, 5 * kSecondNs);

  queue_->Finish("one", 1, Compiled("aa"));
  clock_.Advance(7);
  row = queue_->Get("one");
  EXPECT_EQ(row.state, v1::JOB_STATE_DONE);
  EXPECT_EQ(row.waited_ns, 3 * kSecondNs);
  EXPECT_EQ(row.ran_ns, 5 * kSecondNs);
  EXPECT_EQ(row.ended_unix_s - row.submitted_unix_s, 8);
  EXPECT_EQ(row.lease_left_ns, 0);
  EXPECT_EQ(queue_->Result("one").artifact().files(0).sha256(), "aa");
}

TEST_F(JobQueueTest, TheSameRequestAgainIsTheSameJob) {
  const JobRow first = Submit("one");
  clock_.Advance(50);
  const JobRow again = Submit("one");
  EXPECT_EQ(again.lease, first.lease);
  EXPECT_EQ(again.lease_left_ns, 60 * kSecondNs) << "the lease is renewed";
  EXPECT_EQ(queue_->Ids().size(), 1u);
  queue_->Start("one");
  EXPECT_EQ(Submit("one").state, v1::JOB_STATE_RUNNING);
  queue_->Finish("one", 1, Compiled("aa"));
  Open();
  EXPECT_EQ(Submit("one").state, v1::JOB_STATE_DONE);
}

TEST_F(JobQueueTest, AnotherRequestOrClientMayNotTakeAnId) {
  Submit("one");
  const Error other_client = Failure([&] { Submit("one", "bob"); });
  EXPECT_EQ(other_client.code(), Code::kAlreadyExists);
  EXPECT_THAT(other_client.what(), testing::Not(HasSubstr("ann")));
  EXPECT_EQ(FailureCode([&] { queue_->Submit("ann", CompileRequest("one", v1::PRIORITY_HIGH)); }),
            Code::kAlreadyExists);
  EXPECT_EQ(FailureCode([&] { queue_->Submit("ann", ProfileRequest("one")); }), Code::kAlreadyExists);
}

TEST_F(JobQueueTest, AFullQueueRefusesUntilAJobEnds) {
  for (const char* id : {"1", "2", "3", "4"}) Submit(id);
  EXPECT_EQ(FailureCode([&] { Submit("5"); }), Code::kResourceExhausted);
  EXPECT_EQ(Submit("4").state, v1::JOB_STATE_QUEUED) << "asking again is no new job";
  queue_->Start("1");
  EXPECT_EQ(FailureCode([&] { Submit("5"); }), Code::kResourceExhausted);
  queue_->Fail("1", 1, Code::kInternal, "broken");
  Submit("5");
}

TEST_F(JobQueueTest, AClientLeavesRoomForOthers) {
  Open({.max_jobs = 4, .max_client_jobs = 2});
  const JobRow first = Submit("1");
  Submit("2");
  const Error error = Failure([&] { Submit("3"); });
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_THAT(error.what(), HasSubstr("2 jobs of this client wait or run already (submit it again when one of them"));
  EXPECT_EQ(Submit("2").state, v1::JOB_STATE_QUEUED) << "asking again is no new job";
  Submit("3", "bob");
  Submit("4", "bob");
  EXPECT_THAT(Failure([&] { Submit("5", "eve"); }).what(), HasSubstr("the queue is full"));
  queue_->Cancel("1", first.lease);
  EXPECT_EQ(Submit("5").state, v1::JOB_STATE_QUEUED);
}

TEST_F(JobQueueTest, AFailureIsTheResult) {
  Submit("one");
  queue_->Start("one");
  queue_->Fail("one", 1, Code::kResourceExhausted, "took more than 8 GiB of memory");
  const JobRow row = queue_->Get("one");
  EXPECT_EQ(row.state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(row.code, Code::kResourceExhausted);
  const Error error = Failure([&] { queue_->Result("one"); });
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_STREQ(error.what(), "job one: took more than 8 GiB of memory");
}

TEST_F(JobQueueTest, OnlyTheAttemptThatRunsMayEndAJob) {
  Submit("one");
  EXPECT_EQ(FailureCode([&] { queue_->Finish("one", 0, {}); }), Code::kAborted) << "it does not run";
  EXPECT_EQ(FailureCode([&] { queue_->Finish("none", 1, {}); }), Code::kAborted);
  queue_->Start("one");
  Open();  // the agent was killed; a process of attempt 1 may still live
  EXPECT_EQ(FailureCode([&] { queue_->Finish("one", 1, Compiled("old")); }), Code::kAborted);
  EXPECT_EQ(queue_->Start("one"), 2);
  EXPECT_EQ(FailureCode([&] { queue_->Finish("one", 1, Compiled("old")); }), Code::kAborted);
  EXPECT_EQ(FailureCode([&] { queue_->Fail("one", 1, Code::kInternal, "old"); }), Code::kAborted);
  queue_->Finish("one", 2, Compiled("new"));
  EXPECT_EQ(FailureCode([&] { queue_->Finish("one", 2, Compiled("twice")); }), Code::kAborted);
  EXPECT_EQ(FailureCode([&] { queue_->Fail("one", 2, Code::kInternal, "late"); }), Code::kAborted);
  EXPECT_EQ(queue_->Result("one").artifact().files(0).sha256(), "new");
}

TEST_F(JobQueueTest, AJobStartsOnce) {
  Submit("one");
  EXPECT_EQ(queue_->Start("one"), 1);
  EXPECT_EQ(queue_->Start("one"), std::nullopt);
  EXPECT_EQ(queue_->Start("none"), std::nullopt);
}

TEST_F(JobQueueTest, CancelEndsWhatWaitsAndAsksForTheEndOfWhatRuns) {
  const JobRow waits = Submit("waits"), runs = Submit("runs");
  queue_->Start("runs");
  EXPECT_EQ(FailureCode([&] { queue_->Cancel("waits", runs.lease); }), Code::kAborted);
  EXPECT_EQ(FailureCode([&] { queue_->Cancel("none", runs.lease); }), Code::kNotFound);
  EXPECT_EQ(queue_->Cancel("waits", waits.lease).state, v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(queue_->Start("waits"), std::nullopt);

  const JobRow ending = queue_->Cancel("runs", runs.lease);
  EXPECT_EQ(ending.state, v1::JOB_STATE_RUNNING) << "the device is not free before its process has ended";
  EXPECT_TRUE(ending.ending);
  EXPECT_THAT(queue_->Ending(), ElementsAre("runs"));
  EXPECT_EQ(queue_->State().running.size(), 1u);
  queue_->Fail("runs", 1, Code::kInternal, "ended by signal 9");
  const JobRow ended = queue_->Cancel("runs", runs.lease);
  EXPECT_EQ(ended.state, v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(ended.code, Code::kCancelled);
  EXPECT_EQ(ended.error, "cancelled by its client");
  EXPECT_THAT(queue_->Ending(), IsEmpty());
}

TEST_F(JobQueueTest, AResultThatIsFasterThanItsCancelCounts) {
  const JobRow row = Submit("one");
  queue_->Start("one");
  queue_->Cancel("one", row.lease);
  queue_->Finish("one", 1, Compiled("aa"));
  EXPECT_EQ(queue_->Get("one").state, v1::JOB_STATE_DONE);
  EXPECT_EQ(queue_->Get("one").code, Code::kOk);
  EXPECT_EQ(queue_->Cancel("one", row.lease).state, v1::JOB_STATE_DONE);
}

TEST_F(JobQueueTest, LeasesExpireUnlessRenewed) {
  const JobRow kept = Submit("kept"), lost = Submit("lost"), runs = Submit("runs");
  queue_->Start("runs");
  clock_.Advance(59);
  EXPECT_FALSE(queue_->Tick());
  EXPECT_EQ(queue_->Renew("kept", kept.lease).lease_left_ns, 60 * kSecondNs);
  EXPECT_EQ(FailureCode([&] { queue_->Renew("kept", lost.lease); }), Code::kAborted);
  clock_.Advance(1);
  EXPECT_TRUE(queue_->Tick());
  EXPECT_FALSE(queue_->Tick());
  EXPECT_EQ(queue_->Get("kept").state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(queue_->Get("lost").state, v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(queue_->Ending(), ElementsAre("runs"));
  for (const JobRow& row : {lost, runs}) {
    const Error error = Failure([&] { queue_->Renew(row.id, row.lease); });
    EXPECT_EQ(error.code(), Code::kAborted);
    EXPECT_THAT(error.what(), HasSubstr("its lease was not renewed for 1 min"));
  }
  queue_->Fail("runs", 1, Code::kCancelled, "killed");
  EXPECT_EQ(queue_->Get("runs").code, Code::kAborted);
  EXPECT_EQ(queue_->Get("runs").state, v1::JOB_STATE_CANCELLED);
}

TEST_F(JobQueueTest, ARestartQueuesWhatRanAndGivesLeasesTheirWholeTime) {
  Submit("waits");
  Submit("runs");
  const JobRow cancelled = Submit("cancelled");
  queue_->Start("runs");
  queue_->Start("cancelled");
  queue_->Cancel("cancelled", cancelled.lease);
  clock_.Advance(40);
  queue_->Tick();  // notes that they ran for 40 s
  clock_.Advance(15);
  clock_.Reboot(1000);
  Open();
  EXPECT_FALSE(queue_->Tick());
  const JobRow waits = queue_->Get("waits"), runs = queue_->Get("runs");
  EXPECT_EQ(waits.lease_left_ns, 60 * kSecondNs);
  EXPECT_EQ(waits.waited_ns, 1055 * kSecondNs);
  EXPECT_EQ(runs.state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(runs.attempt, 1);
  EXPECT_EQ(runs.ran_ns, 40 * kSecondNs);
  EXPECT_EQ(runs.waited_ns, 1015 * kSecondNs) << "the time that the agent was down is no running";
  EXPECT_EQ(queue_->Get("cancelled").state, v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(queue_->Get("cancelled").error, "cancelled by its client");
  EXPECT_THAT(queue_->State().running, IsEmpty());
}

TEST_F(JobQueueTest, AJobThatAlwaysEndsTheAgentFails) {
  Submit("bad");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(queue_->Start("bad"), attempt);
    Open();
  }
  EXPECT_EQ(queue_->Start("bad"), std::nullopt);
  const Error error = Failure([&] { queue_->Result("bad"); });
  EXPECT_EQ(error.code(), Code::kAborted);
  EXPECT_STREQ(error.what(), "job bad: the agent ended each of the 3 times that the job ran");
}

TEST_F(JobQueueTest, TheStateIsWhatTheScheduleNeeds) {
  queue_->Submit("ann", CompileRequest("a1"));
  queue_->Submit("bob", CompileRequest("b1", v1::PRIORITY_LOW));
  queue_->Submit("ann", ProfileRequest("a2"));
  v1::SubmitRequest run;
  run.set_job_id("b2");
  run.set_priority(v1::PRIORITY_HIGH);
  run.mutable_run();
  queue_->Submit("bob", run);
  queue_->Start("b1");
  queue_->Start("a1");
  queue_->Finish("a1", 1, {});
  queue_->Start("a2");
  for (const bool restarted : {false, true}) {
    const QueueState state = queue_->State();
    ASSERT_EQ(state.waiting.size(), restarted ? 3u : 1u);
    const WaitingJob& waiting = state.waiting.back();
    EXPECT_EQ(waiting.id, "b2");
    EXPECT_EQ(waiting.client, "bob");
    EXPECT_EQ(waiting.priority, Priority::kHigh);
    EXPECT_EQ(waiting.kind, JobKind::kRun);
    EXPECT_EQ(state.running.size(), restarted ? 0u : 2u);
    EXPECT_EQ(state.last_starts.at("ann").compile, 2);
    EXPECT_EQ(state.last_starts.at("ann").alone, 3);
    EXPECT_EQ(state.last_starts.at("bob").compile, 1);
    EXPECT_EQ(state.last_starts.at("bob").alone, 0);
    if (!restarted) {
      EXPECT_EQ(state.running[0].id, "b1");
      EXPECT_EQ(state.running[1].kind, JobKind::kProfile);
    }
    Open();
  }
}

TEST_F(JobQueueTest, ListsAClientsJobsNewestFirst) {
  for (const char* id : {"1", "2", "3"}) Submit(id);
  Submit("4", "bob");
  std::vector<std::string> ids;
  for (const JobRow& row : queue_->List("ann", 2)) ids.push_back(row.id);
  EXPECT_THAT(ids, ElementsAre("3", "2"));
  EXPECT_THAT(queue_->List("eve", 10), IsEmpty());
  EXPECT_THAT(queue_->Ids(), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(queue_->Request("4").compile().toolchain(), "openvino");
  EXPECT_EQ(FailureCode([&] { queue_->Request("5"); }), Code::kNotFound);
}

TEST_F(JobQueueTest, PruneForgetsTheOldestThatEnded) {
  Open({.keep_s = 100, .keep_jobs = 2});
  for (const char* id : {"1", "2", "3", "4", "5"}) Submit(id);
  for (const char* id : {"1", "2", "3", "4"}) queue_->Start(id);
  queue_->Finish("2", 1, Compiled("aa"));
  clock_.Advance(1);
  for (const char* id : {"1", "3"}) queue_->Finish(id, 1, Compiled("aa"));
  EXPECT_THAT(queue_->Prune(), ElementsAre("2"));
  EXPECT_THAT(queue_->Prune(), IsEmpty());
  EXPECT_EQ(FailureCode([&] { queue_->Get("2"); }), Code::kNotFound);
  clock_.Advance(101);
  EXPECT_THAT(queue_->Prune(), testing::UnorderedElementsAre("1", "3"));
  EXPECT_THAT(queue_->Ids(), ElementsAre("4", "5")) << "what waits or runs stays";
  queue_.reset();
  sqlite::Connection connection(file_, 1000, kJobQueue);
  EXPECT_EQ(connection.QueryInteger("SELECT count(*) FROM request"), 2);
  EXPECT_EQ(connection.QueryInteger("SELECT count(*) FROM result"), 0);
}

TEST_F(JobQueueTest, WhatEndedIsFinalInTheFile) {
  Submit("one");
  queue_->Start("one");
  queue_->Finish("one", 1, Compiled("aa"));
  queue_.reset();
  sqlite::Connection connection(file_, 1000, kJobQueue);
  EXPECT_EQ(connection.QueryText("PRAGMA journal_mode"), "wal");
  EXPECT_THROW(connection.Execute("UPDATE job SET state = 'queued'"), Error);
  EXPECT_THROW(connection.Execute("UPDATE result SET body = x''"), Error);
  EXPECT_THROW(connection.Execute("INSERT INTO result SELECT * FROM result"), Error);
}

TEST_F(JobQueueTest, OneAgentHasTheFile) {
  const Error error = Failure([&] { JobQueue(file_, {}, clock_); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("another process is holding the job queue"));
  Submit("still works");
}

TEST_F(JobQueueTest, OtherAndDamagedFilesAreRefused) {
  queue_.reset();
  const fs::path other = folder_.path() / "other.sqlite";
  sqlite::Connection(other, 1000).Execute("CREATE TABLE measurement (id INTEGER); PRAGMA application_id = 0x484f544a");
  const Error journal = Failure([&] { JobQueue(other, {}, clock_); });
  EXPECT_EQ(journal.code(), Code::kDataLoss);
  EXPECT_THAT(journal.what(), HasSubstr("not a job queue"));

  sqlite::Connection(file_, 1000, kJobQueue).Execute("PRAGMA user_version = 99");
  EXPECT_EQ(FailureCode([&] { JobQueue(file_, {}, clock_); }), Code::kFailedPrecondition);

  std::string bytes = ReadFile(file_);
  for (size_t i = 100; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  WriteFileAtomic(file_, bytes);
  EXPECT_EQ(FailureCode([&] { JobQueue(file_, {}, clock_); }), Code::kDataLoss);
  WriteFileAtomic(file_, "name: my study\n" + std::string(2000, 'x'));
  EXPECT_EQ(FailureCode([&] { JobQueue(file_, {}, clock_); }), Code::kDataLoss);
}

TEST_F(JobQueueTest, ADamagedRequestIsReported) {
  Submit("one");
  queue_.reset();
  sqlite::Connection(file_, 1000, kJobQueue).Execute("UPDATE request SET body = x'ff'");
  Open();
  EXPECT_EQ(FailureCode([&] { queue_->Request("one"); }), Code::kDataLoss);
}

// testdata/job_queue_v1.sql was dumped from a queue of the first version; it must stay readable for ever.
TEST_F(JobQueueTest, ReadsTheOldestVersion) {
  queue_.reset();
  fs::remove(file_);
  sqlite::Connection(file_, 1000, kJobQueue)
      .Execute(ReadFile(fs::path(HOT_SOURCE_DIR) / "src/server/testdata/job_queue_v1.sql"));
  Open();
  EXPECT_THAT(queue_->Ids(), ElementsAre("bccd-7", "bccd-8", "bccd-9", "bccd-10"));
  EXPECT_EQ(queue_->Result("bccd-7").artifact().files(0).sha256(), "c0ffee");
  const JobRow ran = queue_->Get("bccd-8");
  EXPECT_EQ(ran.state, v1::JOB_STATE_QUEUED) << "it ran when that agent ended";
  EXPECT_EQ(ran.kind, JobKind::kProfile);
  EXPECT_EQ(ran.attempt, 2);
  EXPECT_EQ(queue_->Request("bccd-8").profile().artifacts_size(), 1);
  EXPECT_EQ(queue_->Get("bccd-9").error, "cancelled by its client");
  EXPECT_EQ(queue_->State().waiting.at(1).priority, Priority::kHigh);
}

}  // namespace
}  // namespace hot::server
