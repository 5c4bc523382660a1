// An agent with the real program for its jobs (`hot serve-job`): what they compute is what this process computes, and
// models that crash, hang or need too much fail alone. The network between client and agent: agent_service_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "core/hash.h"
#include "core/subprocess.h"
#include "deploy/devices/remote/job_files.h"
#include "deploy/test_networks.h"
#include "server/agent.h"

namespace hot::server {
namespace {

using testing::HasSubstr;
using Pictures = std::vector<std::vector<Tensor>>;

v1::DescribeResponse DescribeToolchains(int) {
  v1::DescribeResponse response;
  v1::Toolchain& toolchain = *response.add_toolchains();
  toolchain.set_name("openvino");
  for (const Precision precision : MakeToolchain("openvino")->precisions())
    toolchain.add_precisions(PrecisionName(precision));
  return response;
}

class AgentJobs : public testing::Test {
 protected:
  AgentJobs()
      : agent_({.state = state_.path(),
                .job_program = {HOT_BINARY_DIR "/bin/hot", "serve-job"},
                .describe = DescribeToolchains,
                .limits = {.run_s = 5, .memory_bytes = uint64_t{1} << 30}},
               {SystemClock(), *progress_, cancelled_}) {}

  // What a client does: uploads, asks, waits, and fetches what was computed to its folder.
  v1::JobStatus Do(v1::SubmitRequest request) {
    request.set_job_id("job-" + std::to_string(++jobs_));
    for (const JobFile& file : FilesOf(request)) {
      const std::string bytes = ReadFile(client_.path() / file.path);
      agent_.blobs().Append(file.sha256, bytes.size(), 0, bytes);
    }
    v1::JobStatus status = agent_.Submit("client", request);
    const std::string lease = status.lease().token();
    for (uint64_t seen = 0; status.state() == v1::JOB_STATE_QUEUED || status.state() == v1::JOB_STATE_RUNNING;)
      status = agent_.WaitForChange(request.job_id(), lease, seen, std::chrono::milliseconds(1000));
    if (status.state() != v1::JOB_STATE_DONE) return status;
    result_ = agent_.Result(request.job_id());
    for (const JobFile& file : FilesOf(result_)) {
      EnsureFolder((client_.path() / file.path).parent_path());
      WriteFileAtomic(client_.path() / file.path, ReadFile(agent_.blobs().Path(file.sha256)));
    }
    return status;
  }
  void ExpectDone(const v1::SubmitRequest& request) {
    const v1::JobStatus status = Do(request);
    EXPECT_EQ(status.state(), v1::JOB_STATE_DONE) << status.error();
  }
  void ExpectFailure(const v1::SubmitRequest& request, Code code, const std::string& says) {
    const v1::JobStatus status = Do(request);
    EXPECT_EQ(status.state(), v1::JOB_STATE_FAILED);
    EXPECT_EQ(status.code(), static_cast<int>(code)) << status.error();
    EXPECT_THAT(status.error(), HasSubstr(says));
    ExpectDone(WriteCompileJob(client_.path(), "openvino", {.network = network_, .timing_only = true}));
  }
  // Machine code that does this when it is loaded.
  Artifact Library(const std::string& code) {
    const fs::path source = client_.path() / "model.c", library = client_.path() / "model.so";
    WriteFileAtomic(source, "__attribute__((constructor)) static void Load(void) {" + code + "}\n");
    EXPECT_TRUE(RunProcess({"cc", "-shared", "-fPIC", "-o", library.string(), source.string()}).status.ok());
    Artifact artifact;
    artifact.toolchain = "tvm";
    artifact.toolchain_version = "1";
    artifact.precision = "fp32";
    artifact.format = BlobFormat::kSharedObject;
    artifact.blob = ReadFile(library);
    artifact.blob_sha256 = Sha256Hex(artifact.blob);
    return artifact;
  }

  const Network network_ = SmallMobileNet();
  const TempFolder state_, client_;
  const std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};
  Agent agent_;
  int jobs_ = 0;
  v1::JobResult result_;
};

TEST_F(AgentJobs, ComputeWhatThisProcessComputes) {
  const Quantization quantization = SyntheticQuantization(network_);
  const CompileRequest asked{
      .network = network_, .precision = Precision::kInt8, .quantization = &quantization, .graph_key = "key"};
  ExpectDone(WriteCompileJob(client_.path(), "openvino", asked));
  const Artifact artifact = ReadCompiled(client_.path()), expected = MakeToolchain("openvino")->Compile(asked);
  EXPECT_EQ(artifact.blob, expected.blob);
  EXPECT_EQ(artifact.layer_precisions, expected.layer_precisions);

  const Pictures pictures = {{RandomInput(network_, 1)}, {RandomInput(network_, 2)}};
  const auto session = MakeDevice("host", 1)->Load(expected);
  ExpectDone(WriteRunJob(client_.path(), artifact, pictures));
  const Pictures outputs = ReadOutputs(client_.path());
  ASSERT_EQ(outputs.size(), 2u);
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::vector<Tensor> local = session->Run(pictures[i]);
    ASSERT_EQ(outputs[i].size(), local.size());
    for (size_t k = 0; k < local.size(); ++k) EXPECT_EQ(outputs[i][k].data, local[k].data);
  }
  const auto layers = result_.run().layer_precisions();
  EXPECT_EQ((std::map<std::string, std::string>(layers.begin(), layers.end())), session->LayerPrecisions());

  const Artifact* both[] = {&artifact, &artifact};
  ExpectDone(WriteProfileJob(client_.path(), both, {.max_samples = 64, .min_sample_ns = 100'000}, 0));
  ASSERT_EQ(result_.profile().measurements_size(), 2);
  EXPECT_EQ(result_.profile().measurements(0).samples_ns_size(), 64);
}

TEST_F(AgentJobs, ModelsThatCrashOrHangFailAlone) {
  ExpectFailure(WriteRunJob(client_.path(), Library("*(volatile int*)8 = 1;"), Pictures{{RandomInput(network_, 1)}}),
                Code::kInternal, "crashed with Segmentation fault");
  ExpectFailure(WriteRunJob(client_.path(), Library("for (;;) {}"), Pictures{{RandomInput(network_, 1)}}),
                Code::kDeadlineExceeded, "ran longer than 5 s");
}

TEST_F(AgentJobs, ModelsThatNeedTooMuchMemoryFailAlone) {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {1, 16384, 16384});  // 1 GiB
  builder.Output(builder.Unary(Op::kRelu, "relu", x));
  const Network large{.graph = std::move(builder).Build(), .weights = {}};
  ExpectFailure(WriteCompileJob(client_.path(), "openvino", {.network = large}), Code::kResourceExhausted, "memory");
}

TEST_F(AgentJobs, NetworksThatAreNoneFailAlone) {
  const fs::path graph = client_.path() / "network" / "graph.json";
  v1::SubmitRequest request = WriteCompileJob(client_.path(), "openvino", {.network = network_});
  WriteFileAtomic(graph, R"({"version":1,"nodes":[{"op":"warp","name":"w"}],"outputs":[0]})");
  request.mutable_compile()->mutable_network(0)->set_sha256(Sha256File(graph));
  ExpectFailure(request, Code::kInvalidArgument, "network/graph.json: unknown operation \"warp\"");
}

}  // namespace
}  // namespace hot::server
