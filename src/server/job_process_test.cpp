#include "server/job_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "server/job_folder.h"
#include "server/testing/server_test.h"

namespace hot::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Small enough for a test, large enough for a program with sanitizers.
constexpr JobLimits kLimits{.run_s = 60, .memory_bytes = 400 << 20, .file_bytes = 8 << 20, .folder_bytes = 16 << 20};

class JobProcessTest : public testing::Test {
 protected:
  fs::path Folder() const { return folder_.path() / "job"; }

  JobProcess Start(const JobLimits& limits = kLimits, const Clock& clock = SystemClock()) const {
    return JobProcess({HOT_FAKE_JOB}, Folder(), limits, clock);
  }
  void LayOut(const std::string& way) const {
    v1::SubmitRequest request = CompileRequest("job");
    request.mutable_compile()->set_toolchain(way);
    WriteFileAtomic(Folder() / "request.pb", request.SerializeAsString());
  }
  static void Await(JobProcess& process) {
    for (int i = 0; i < 6000 && !process.Poll(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(process.Poll()) << "it does not end";
  }
  // Why a job that is done this way failed.
  Error Reason(const std::string& way, const JobLimits& limits = kLimits) const {
    JobProcess process = Start(limits);
    LayOut(way);
    process.Begin();
    Await(process);
    return Failure([&] { process.Result(); });
  }

  TempFolder folder_;
};

TEST_F(JobProcessTest, WaitsForItsJobAndDoesIt) {
  JobProcess process = Start();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(process.Poll());
  LayOut("good");
  process.Begin();
  Await(process);
  EXPECT_EQ(process.Result().artifact().files_size(), 3);
}

TEST_F(JobProcessTest, AProgramThatIsNotThereIsUnavailable) {
  EXPECT_EQ(FailureCode([&] { JobProcess({"/no/such/program"}, Folder(), kLimits, SystemClock()); }),
            Code::kUnavailable);
}

TEST_F(JobProcessTest, ACrashIsNamedWithTheLastWords) {
  const Error reason = Reason("crash");
  EXPECT_EQ(reason.code(), Code::kInternal);
  EXPECT_THAT(reason.what(), AllOf(HasSubstr("crashed with Segmentation fault"), HasSubstr("what is this pointer?"),
                                   Not(HasSubstr("multiplying"))));
}

TEST_F(JobProcessTest, EveryOtherEndHasItsReason) {
  struct Case {
    const char* way;
    Code code;
    const char* says;
  };
  for (const Case& c : {Case{"exit", Code::kInternal, "exit code 3; its last words: giving up"},
                        {"nothing", Code::kInternal, "without a result"},
                        {"error", Code::kDataLoss, "graph.json: is no graph"},
                        {"killed", Code::kInternal, "the system ended it"},
                        {"large-file", Code::kResourceExhausted, "wrote a file of more than 8 MiB"},
                        {"many-files", Code::kResourceExhausted, "wrote more than 16 MiB of files"}}) {
    const Error reason = Reason(c.way);
    EXPECT_EQ(reason.code(), c.code) << c.way;
    EXPECT_THAT(reason.what(), HasSubstr(c.says)) << c.way;
    fs::remove_all(Folder());
  }
}

TEST_F(JobProcessTest, MemoryIsWatched) {
  const Error reason = Reason("memory");
  EXPECT_EQ(reason.code(), Code::kResourceExhausted);
  EXPECT_THAT(reason.what(), HasSubstr("took more than 400 MiB of memory"));
}

TEST_F(JobProcessTest, MemoryOfItsChildrenIsItsOwnAndTheyEndWithIt) {
  JobProcess process = Start();
  LayOut("child-memory");
  process.Begin();
  Await(process);
  EXPECT_THAT(Failure([&] { process.Result(); }).what(), HasSubstr("took more than 400 MiB of memory"));
  const int child = static_cast<int>(process.progress().done);
  EXPECT_GT(child, 1);
  for (int i = 0; i < 1000 && ResidentBytes(child) > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(ResidentBytes(child), 0u) << "the child lives on";
}

TEST_F(JobProcessTest, RunningTooLongEndsIt) {
  const Error hung = Reason("hang", {.run_s = 1});
  EXPECT_EQ(hung.code(), Code::kDeadlineExceeded);
  EXPECT_THAT(hung.what(), HasSubstr("ran longer than 1 s"));
  fs::remove_all(Folder());
  EXPECT_EQ(Reason("flood", {.run_s = 1}).code(), Code::kDeadlineExceeded);
}

TEST_F(JobProcessTest, WaitingIsNotRunning) {
  FakeClock clock;
  JobProcess process = Start({.run_s = 5}, clock);
  clock.Advance(1000);
  EXPECT_FALSE(process.Poll());
  LayOut("hang");
  process.Begin();
  clock.Advance(4);
  EXPECT_FALSE(process.Poll());
  clock.Advance(2);
  Await(process);
  EXPECT_EQ(FailureCode([&] { process.Result(); }), Code::kDeadlineExceeded);
}

TEST_F(JobProcessTest, TheFirstReasonCounts) {
  JobProcess process = Start();
  LayOut("hang");
  process.Begin();
  process.End(Error(Code::kCancelled, "job", "cancelled"));
  process.End(Error(Code::kInternal, "job", "something else"));
  Await(process);
  EXPECT_EQ(FailureCode([&] { process.Result(); }), Code::kCancelled);
}

TEST_F(JobProcessTest, ProgressIsReadAndGarbageIsNot) {
  JobProcess process = Start();
  LayOut("garbage");
  process.Begin();
  Await(process);
  EXPECT_EQ(process.progress().done, 3);
  EXPECT_EQ(process.progress().total, 4);
  EXPECT_EQ(process.progress().note, "half?way");
  EXPECT_EQ(process.lines(), 1);
  EXPECT_TRUE(process.Result().has_artifact());
}

TEST_F(JobProcessTest, TheChannelWakesItsOwner) {
  JobProcess process = Start();
  LayOut("good");
  process.Begin();
  pollfd fd{.fd = process.channel(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&fd, 1, 30'000), 1);
  Await(process);
}

TEST_F(JobProcessTest, EndsWithItsOwner) {
  int pid = 0;
  {
    JobProcess process = Start();
    LayOut("hang");
    process.Begin();
    pid = process.pid();
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ResidentBytes, OfThisProcess) {
  const std::vector<char> memory(32 << 20, 1);
  EXPECT_GE(ResidentBytes(::getpid()), memory.size());
  EXPECT_EQ(ResidentBytes(1 << 30), 0u);
}

}  // namespace
}  // namespace hot::server
