#include "server/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "core/hash.h"
#include "core/rng.h"
#include "deploy/devices/remote/job_layout.h"
#include "server/testing/server_test.h"

namespace hot::server {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kWays[] = {"good",       "slow",    "crash",   "exit",  "hang", "memory", "large-file",
                                 "many-files", "garbage", "nothing", "error", "liar", "link",   "killed"};

v1::DescribeResponse DescribeFake(int threads) {
  v1::DescribeResponse response;
  response.mutable_device()->set_fingerprint("threads=" + std::to_string(threads));
  for (const char* way : kWays) {
    v1::Toolchain& toolchain = *response.add_toolchains();
    toolchain.set_name(way);
    toolchain.add_precisions("fp32");
  }
  return response;
}

class AgentTest : public testing::Test {
 protected:
  AgentTest() { ::setenv("HOT_FAKE_JOB_TRACE", Trace().c_str(), 1); }
  ~AgentTest() override { ::unsetenv("HOT_FAKE_JOB_TRACE"); }

  fs::path Trace() const { return folder_.path() / "trace"; }
  AgentOptions Options() const {
    return {.state = folder_.path() / "state",
            .job_program = {HOT_FAKE_JOB},
            .describe = DescribeFake,
            .limits = {.run_s = 60, .memory_bytes = 400 << 20, .file_bytes = 8 << 20, .folder_bytes = 16 << 20}};
  }
  void StartAgent() { StartAgent(Options()); }
  void StartAgent(const AgentOptions& options) {
    agent_ = std::make_unique<Agent>(options, Context{SystemClock(), *progress_, cancelled_});
  }

  // The blob of a file's role, uploaded.
  v1::File Upload(v1::FileRole role, const std::string& bytes) {
    v1::File file;
    file.set_role(role);
    file.set_sha256(Sha256Hex(bytes));
    agent_->blobs().Append(file.sha256(), bytes.size(), 0, bytes);
    return file;
  }
  void AddArtifact(v1::Artifact& artifact) {
    *artifact.add_files() = Upload(v1::FILE_ROLE_MANIFEST, "manifest");
    *artifact.add_files() = Upload(v1::FILE_ROLE_MODEL, "model");
    *artifact.add_files() = Upload(v1::FILE_ROLE_GOLDEN, "golden");
  }
  v1::SubmitRequest Compile(const std::string& id, const std::string& way, const std::string& key = "") {
    v1::SubmitRequest request;
    request.set_job_id(id);
    request.mutable_compile()->set_toolchain(way);
    request.mutable_compile()->set_precision("fp32");
    request.mutable_compile()->set_graph_key(key);
    *request.mutable_compile()->add_network() = Upload(v1::FILE_ROLE_GRAPH, "graph of " + id);
    *request.mutable_compile()->add_network() = Upload(v1::FILE_ROLE_WEIGHTS, "weights");
    return request;
  }
  v1::SubmitRequest Profile(const std::string& id) {
    v1::SubmitRequest request;
    request.set_job_id(id);
    AddArtifact(*request.mutable_profile()->add_artifacts());
    return request;
  }
  v1::SubmitRequest Run(const std::string& id, const std::string& inputs) {
    v1::SubmitRequest request;
    request.set_job_id(id);
    AddArtifact(*request.mutable_run()->mutable_artifact());
    *request.mutable_run()->mutable_inputs() = Upload(v1::FILE_ROLE_INPUTS, inputs);
    return request;
  }

  v1::JobStatus Await(const v1::JobStatus& submitted) {
    uint64_t seen = 0;
    for (int i = 0; i < 300; ++i) {
      const v1::JobStatus status =
          agent_->WaitForChange(submitted.job_id(), submitted.lease().token(), seen, milliseconds(200));
      if (status.state() != v1::JOB_STATE_QUEUED && status.state() != v1::JOB_STATE_RUNNING) return status;
    }
    ADD_FAILURE() << submitted.job_id() << " does not end";
    return {};
  }
  v1::JobStatus AwaitRunning(const v1::JobStatus& submitted) {
    v1::JobStatus status = submitted;
    uint64_t seen = 0;
    for (int i = 0; i < 300 && status.state() == v1::JOB_STATE_QUEUED; ++i)
      status = agent_->WaitForChange(submitted.job_id(), submitted.lease().token(), seen, milliseconds(200));
    EXPECT_EQ(status.state(), v1::JOB_STATE_RUNNING);
    return status;
  }
  // A job runs for the agent from the moment that its process is told so; this waits until the process has read it.
  void AwaitTrace(const std::string& line) const {
    for (int i = 0; i < 2000 && (!fs::exists(Trace()) || ReadFile(Trace()) != line); ++i)
      std::this_thread::sleep_for(milliseconds(10));
  }
  v1::JobStatus Do(const v1::SubmitRequest& request) { return Await(agent_->Submit("client", request)); }
  void ExpectWell() {
    const std::string id = "well-" + std::to_string(++asked_);
    const v1::JobStatus status = Do(Compile(id, "good"));
    EXPECT_EQ(status.state(), v1::JOB_STATE_DONE) << status.error();
  }
  std::string Blob(const std::string& sha256) { return ReadFile(agent_->blobs().Path(sha256)); }

  const TempFolder folder_;
  const std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<Agent> agent_;
  int asked_ = 0;
};

TEST_F(AgentTest, DoesEveryKindOfJob) {
  StartAgent();
  EXPECT_EQ(Do(Compile("c", "good")).state(), v1::JOB_STATE_DONE);
  const v1::Artifact compiled = agent_->Result("c").artifact();
  ASSERT_EQ(compiled.files_size(), 3);
  EXPECT_EQ(Blob(compiled.files(0).sha256()), "c");
  EXPECT_EQ(Do(Profile("p")).state(), v1::JOB_STATE_DONE);
  EXPECT_EQ(agent_->Result("p").profile().measurements(0).median_ns(), 7);
  EXPECT_EQ(Do(Run("r", "pictures")).state(), v1::JOB_STATE_DONE);
  EXPECT_EQ(Blob(agent_->Result("r").run().outputs().sha256()), "pictures");
}

TEST_F(AgentTest, DescribesDeviceAndLimits) {
  StartAgent();
  const v1::DescribeResponse described = agent_->Describe(2);
  EXPECT_EQ(described.device().fingerprint(), "threads=2");
  EXPECT_EQ(described.limits().job_seconds(), 60u);
  EXPECT_EQ(described.limits().artifacts_per_job(), 64u);
  EXPECT_EQ(described.limits().client_jobs(), 250u);
  EXPECT_EQ(described.limits().job_threads(), 64u);
  EXPECT_FALSE(described.instance().empty());
  EXPECT_EQ(agent_->Describe(0).device().fingerprint(), "threads=1");
  EXPECT_EQ(FailureCode([&] { agent_->Describe(-1); }), Code::kInvalidArgument);
  const std::string instance = described.instance();
  agent_.reset();
  StartAgent();
  EXPECT_NE(agent_->Describe(1).instance(), instance);
}

// Each fails for a reason that can be understood, and the next job is done.
TEST_F(AgentTest, BadJobsFailAloneAndSayWhy) {
  StartAgent();
  struct Case {
    const char* way;
    Code code;
    const char* says;
  };
  for (const Case& c : {Case{"crash", Code::kInternal, "crashed with Segmentation fault"},
                        {"exit", Code::kInternal, "its last words: giving up"},
                        {"memory", Code::kResourceExhausted, "400 MiB of memory"},
                        {"large-file", Code::kResourceExhausted, "a file of more than 8 MiB"},
                        {"many-files", Code::kResourceExhausted, "16 MiB of files"},
                        {"nothing", Code::kInternal, "without a result"},
                        {"error", Code::kDataLoss, "graph.json: is no graph"},
                        {"liar", Code::kDataLoss, "model is not what it said"},
                        {"link", Code::kInternal, "result/model is not there"},
                        {"killed", Code::kInternal, "the system ended it"}}) {
    const v1::JobStatus status = Do(Compile(c.way, c.way));
    EXPECT_EQ(status.state(), v1::JOB_STATE_FAILED) << c.way;
    EXPECT_EQ(status.code(), static_cast<int>(c.code)) << c.way;
    EXPECT_THAT(status.error(), HasSubstr(c.says)) << c.way;
    EXPECT_EQ(FailureCode([&] { agent_->Result(c.way); }), c.code) << c.way;
    ExpectWell();
  }
  EXPECT_EQ(Do(Compile("garbage", "garbage")).state(), v1::JOB_STATE_DONE);
}

TEST_F(AgentTest, AHangingJobIsEndedAfterItsTime) {
  AgentOptions options = Options();
  options.limits.run_s = 1;
  StartAgent(options);
  const v1::JobStatus status = Do(Compile("h", "hang"));
  EXPECT_EQ(status.code(), static_cast<int>(Code::kDeadlineExceeded));
  EXPECT_THAT(status.error(), HasSubstr("ran longer than 1 s"));
  EXPECT_GE(status.ran_ns(), 1'000'000'000);
  ExpectWell();
}

TEST_F(AgentTest, AProgramThatCantBeStartedFailsTheJobOnly) {
  AgentOptions options = Options();
  options.job_program = {"/no/such/program"};
  StartAgent(options);
  const v1::JobStatus status = Do(Compile("j", "good"));
  EXPECT_EQ(status.code(), static_cast<int>(Code::kUnavailable));
  EXPECT_THAT(status.error(), HasSubstr("can't be started"));
}

TEST_F(AgentTest, ProgressIsSeen) {
  StartAgent();
  const v1::JobStatus submitted = agent_->Submit("client", Compile("s", "slow", "400"));
  uint64_t seen = 0;
  double most = 0;
  for (v1::JobStatus status = submitted; status.state() != v1::JOB_STATE_DONE;) {
    status = agent_->WaitForChange("s", submitted.lease().token(), seen, milliseconds(2000));
    if (status.note() == "working") most = std::max(most, status.done());
    ASSERT_NE(status.state(), v1::JOB_STATE_FAILED) << status.error();
  }
  EXPECT_GT(most, 0);
  EXPECT_LT(most, 400);
}

TEST_F(AgentTest, CancelEndsARunningJobAndKeepsAQueuedOneFromStarting) {
  StartAgent();
  const v1::JobStatus running = AwaitRunning(agent_->Submit("client", Compile("a", "hang")));
  const v1::JobStatus queued = agent_->Submit("client", Profile("b"));  // needs the device alone
  EXPECT_EQ(queued.state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(agent_->Cancel("b", queued.lease().token()).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(FailureCode([&] { agent_->Cancel("a", "another"); }), Code::kAborted);
  AwaitTrace("begin compile a\n");
  agent_->Cancel("a", running.lease().token());
  EXPECT_EQ(Await(running).state(), v1::JOB_STATE_CANCELLED);
  ExpectWell();
  EXPECT_EQ(ReadFile(Trace()), "begin compile a\nbegin compile well-1\nend compile well-1\n");
}

TEST_F(AgentTest, AnExpiredLeaseEndsTheJob) {
  AgentOptions options = Options();
  options.queue.lease_s = 1;
  options.capacity.compile_jobs = 1;
  StartAgent(options);
  agent_->Submit("client", Compile("a", "hang"));
  agent_->Submit("client", Compile("b", "hang"));   // waits, or just began where a's lease ended earlier
  std::this_thread::sleep_for(milliseconds(1500));  // nobody watches
  const auto state = [&](const std::string& id) {
    for (const v1::JobStatus& job : agent_->List("client", 0)) {
      if (job.job_id() == id) return job;
    }
    return v1::JobStatus();
  };
  for (const char* id : {"a", "b"}) {
    for (int i = 0; i < 100 && state(id).state() != v1::JOB_STATE_CANCELLED; ++i)
      std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(state(id).state(), v1::JOB_STATE_CANCELLED) << id;
    EXPECT_EQ(state(id).code(), static_cast<int>(Code::kAborted)) << id;
  }
  ExpectWell();
}

TEST_F(AgentTest, RefusesWhatItCantDo) {
  StartAgent();
  v1::SubmitRequest missing = Compile("m", "good");
  missing.mutable_compile()->mutable_network(0)->set_sha256(Sha256Hex("never uploaded"));
  const Error error = Failure([&] { agent_->Submit("client", missing); });
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  EXPECT_THAT(error.what(), HasSubstr(Sha256Hex("never uploaded").substr(0, 8)));
  EXPECT_EQ(FailureCode([&] { agent_->Submit("client", Compile("m", "abacus")); }), Code::kInvalidArgument);
  EXPECT_EQ(FailureCode([&] { agent_->Submit("client", Compile("../m", "good")); }), Code::kInvalidArgument);
  const v1::SubmitRequest request = Compile("m", "slow", "100");
  const v1::JobStatus first = agent_->Submit("client", request);
  EXPECT_EQ(agent_->Submit("client", request).lease().token(), first.lease().token());
  EXPECT_EQ(FailureCode([&] { agent_->Submit("other", request); }), Code::kAlreadyExists);
  EXPECT_EQ(Await(first).state(), v1::JOB_STATE_DONE);
  EXPECT_EQ(agent_->Submit("client", request).state(), v1::JOB_STATE_DONE);
  EXPECT_EQ(FailureCode([&] { agent_->Result("unknown"); }), Code::kNotFound);
  EXPECT_EQ(agent_->List("other", 0).size(), 0u);
}

TEST_F(AgentTest, TwoAgentsCantShareAFolder) {
  StartAgent();
  EXPECT_EQ(FailureCode([&] { Agent(Options(), Context{SystemClock(), *progress_, cancelled_}); }), Code::kUnavailable);
  ExpectWell();
}

TEST_F(AgentTest, TheNextAgentGoesOn) {
  StartAgent();
  v1::JobStatus running = AwaitRunning(agent_->Submit("client", Compile("a", "slow", "800")));
  const v1::JobStatus queued = agent_->Submit("client", Profile("b"));
  agent_.reset();
  StartAgent();
  const v1::JobStatus again = Await(running);
  EXPECT_EQ(again.state(), v1::JOB_STATE_DONE) << again.error();
  EXPECT_EQ(again.attempt(), 2u);
  EXPECT_EQ(Await(queued).state(), v1::JOB_STATE_DONE);
}

// Jobs that ended, from their trace: at most two compile jobs at once, never one beside a job that needs the device
// alone.
int EndedInTurn(const std::string& trace) {
  std::istringstream lines(trace);
  int compiling = 0, alone = 0, ended = 0;
  for (std::string what, kind, id; lines >> what >> kind >> id;) {
    (kind == "compile" ? compiling : alone) += what == "begin" ? 1 : -1;
    ended += what == "end" ? 1 : 0;
    EXPECT_LE(compiling, 2);
    EXPECT_LE(alone, compiling == 0 ? 1 : 0);
  }
  return ended;
}

TEST_F(AgentTest, ManyClientsShareTheDevice) {
  StartAgent();
  constexpr int kClients = 4, kJobs = 6;
  std::vector<std::jthread> clients;
  for (int client = 0; client < kClients; ++client) {
    std::vector<v1::SubmitRequest> requests;
    for (int i = 0; i < kJobs; ++i) {
      const std::string id = "c" + std::to_string(client) + "-" + std::to_string(i);
      requests.push_back(i % 2 == 0 ? Compile(id, "slow", "20") : i % 3 == 0 ? Run(id, id) : Profile(id));
    }
    clients.emplace_back([this, client, requests] {
      for (const v1::SubmitRequest& request : requests) {
        const v1::JobStatus status = Await(agent_->Submit("client" + std::to_string(client), request));
        EXPECT_EQ(status.state(), v1::JOB_STATE_DONE) << status.error();
        EXPECT_EQ(status.attempt(), 1u);
      }
    });
  }
  clients.clear();
  EXPECT_EQ(EndedInTurn(ReadFile(Trace())), kClients * kJobs);
}

}  // namespace
}  // namespace hot::server
