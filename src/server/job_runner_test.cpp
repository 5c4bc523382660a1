#include "server/job_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "deploy/devices/remote/job_files.h"
#include "deploy/test_networks.h"
#include "graph/safetensors.h"
#include "server/job_folder.h"

namespace hot::server {
namespace {

using testing::HasSubstr;
using Pictures = std::vector<std::vector<Tensor>>;

// The client's folder is the job's: as if all files had been uploaded.
class JobRunner : public testing::Test {
 protected:
  int Run(const v1::SubmitRequest& request) {
    WriteFileAtomic(folder_.path() / "request.pb", request.SerializeAsString());
    return RunJob(folder_.path(), {SystemClock(), *progress_, cancelled_});
  }
  // The job's error, "code: line".
  std::string Failure(const v1::SubmitRequest& request) {
    EXPECT_NE(Run(request), 0);
    try {
      ReadJobResult(folder_.path());
    } catch (const Error& error) {
      return std::string(CodeName(error.code())) + ": " + error.what();
    }
    return "";
  }
  v1::SubmitRequest CompileRequestOf(const Network& network, const std::string& toolchain = "openvino") {
    return WriteCompileJob(folder_.path(), toolchain, {.network = network, .graph_key = "key"});
  }
  Artifact Compiled() {
    EXPECT_EQ(Run(CompileRequestOf(network_)), 0);
    return ReadCompiled(folder_.path());
  }

  const Network network_ = SmallMobileNet();
  const TempFolder folder_;
  const std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};
};

TEST_F(JobRunner, CompilesAsTheToolchainDoes) {
  const std::vector<Tensor> golden = {RandomInput(network_, 3)};
  const Quantization quantization = SyntheticQuantization(network_);
  const CompileRequest asked{.network = network_,
                             .precision = Precision::kInt8,
                             .quantization = &quantization,
                             .graph_key = "key",
                             .golden_inputs = golden};
  const Artifact expected = MakeToolchain("openvino")->Compile(asked);
  ASSERT_EQ(Run(WriteCompileJob(folder_.path(), "openvino", asked)), 0);
  EXPECT_TRUE(ReadJobResult(folder_.path()).has_artifact());
  const Artifact artifact = ReadCompiled(folder_.path());
  EXPECT_EQ(artifact.blob, expected.blob);
  EXPECT_EQ(artifact.graph_key, "key");
  EXPECT_EQ(artifact.layer_precisions, expected.layer_precisions);
  ASSERT_EQ(artifact.golden.size(), 1u);
  EXPECT_EQ(artifact.golden[0].outputs[0].data, expected.golden[0].outputs[0].data);
}

TEST_F(JobRunner, RunsAsALocalSession) {
  const Artifact artifact = Compiled();
  Pictures pictures;
  for (uint64_t seed = 1; seed <= 3; ++seed) pictures.push_back({RandomInput(network_, seed)});
  const auto session = MakeDevice("host", 1)->Load(artifact);
  ASSERT_EQ(Run(WriteRunJob(folder_.path(), artifact, pictures)), 0);
  const Pictures outputs = ReadOutputs(folder_.path());
  ASSERT_EQ(outputs.size(), pictures.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::vector<Tensor> expected = session->Run(pictures[i]);
    ASSERT_EQ(outputs[i].size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) EXPECT_EQ(outputs[i][k].data, expected[k].data);
  }
  const auto layers = ReadJobResult(folder_.path()).run().layer_precisions();
  EXPECT_EQ((std::map<std::string, std::string>(layers.begin(), layers.end())), session->LayerPrecisions());
}

TEST_F(JobRunner, ProfilesWithEnoughSamplesForATail) {
  const Artifact artifact = Compiled();
  const Artifact* both[] = {&artifact, &artifact};
  const MeasureOptions few{.min_samples = 6, .max_samples = 8, .min_sample_ns = 100'000};
  ASSERT_EQ(Run(WriteProfileJob(folder_.path(), both, few, 0)), 0);
  const v1::ProfileResult result = ReadJobResult(folder_.path()).profile();
  ASSERT_EQ(result.measurements_size(), 2);
  EXPECT_EQ(result.measurements(1).samples_ns_size(), 64);
  EXPECT_GT(result.measurements(1).median_ns(), 0);
  EXPECT_GT(result.measurements(1).resident_bytes(), static_cast<int64_t>(artifact.blob.size()));
}

TEST_F(JobRunner, EveryFaultHasACodeAndALine) {
  v1::SubmitRequest request = CompileRequestOf(network_);
  request.mutable_compile()->set_toolchain("abacus");
  EXPECT_THAT(Failure(request), HasSubstr("invalid argument: toolchain: unknown toolchain \"abacus\""));
  request = CompileRequestOf(network_);
  request.mutable_compile()->set_precision("int8");
  EXPECT_THAT(Failure(request), HasSubstr("int8 needs a quantization"));
  request.mutable_compile()->set_precision("int7");
  EXPECT_THAT(Failure(request), HasSubstr("int7"));
  request = CompileRequestOf(network_);
  request.set_threads(10'000);
  EXPECT_THAT(Failure(request), HasSubstr("invalid argument: threads: 10000 were asked for"));
  request = CompileRequestOf(network_);
  WriteFileAtomic(folder_.path() / "network" / "graph.json", R"({"version":1,"nodes":[{"op":"warp","name":"w"}]})");
  EXPECT_THAT(Failure(request), HasSubstr("unknown operation \"warp\""));
}

TEST_F(JobRunner, ABrokenArtifactIsDataLoss) {
  Artifact artifact = Compiled();
  artifact.blob = "not a model";
  EXPECT_THAT(Failure(WriteRunJob(folder_.path(), artifact, Pictures{{RandomInput(network_, 1)}})),
              HasSubstr("data loss: "));
}

TEST_F(JobRunner, PicturesOfAnotherSizeAreRefused) {
  const Artifact artifact = Compiled();
  EXPECT_THAT(Failure(WriteRunJob(folder_.path(), artifact, Pictures{{Tensor({1, 3, 8, 8})}})),
              HasSubstr("invalid argument: "));
}

TEST_F(JobRunner, AFolderWithoutAJobSaysSo) {
  RunJob(folder_.path(), {SystemClock(), *progress_, cancelled_});
  EXPECT_THROW(ReadJobResult(folder_.path()), Error);
}

}  // namespace
}  // namespace hot::server
