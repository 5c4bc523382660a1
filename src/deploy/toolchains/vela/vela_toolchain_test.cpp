// What the vela toolchain and the ethos devices promise beyond the contracts: Vela's own numbers, all of the network on
// the NPU or a refusal, one NPU's artifact on no other.
#include "deploy/toolchains/vela/vela_toolchain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/subprocess.h"
#include "deploy/calibrate.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "deploy/toolchains/vela/ethos_npu.h"

namespace hot {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class VelaToolchainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      toolchain_ = MakeVelaToolchain("ethos-u55-128");
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
  }

  Artifact Compile(const Network& network, bool timing_only = false) const {
    const Quantization quantization = SyntheticQuantization(network);
    return toolchain_->Compile(
        {.network = network, .precision = Precision::kInt8, .quantization = &quantization, .timing_only = timing_only});
  }

  // What compiling a network of one input and the nodes that `add` puts behind it throws.
  Error Refusal(Shape shape, const std::function<NodeId(GraphBuilder&, NodeId)>& add) const {
    GraphBuilder builder;
    builder.Output(add(builder, builder.Input("image", shape)));
    const Graph graph = std::move(builder).Build();
    try {
      Compile(FoldBatchNorm(graph, RandomWeights(graph, 1)));
    } catch (const Error& error) {
      return error;
    }
    return Error(Code::kOk, "", "");
  }

  std::unique_ptr<Toolchain> toolchain_;
};

// One value of the table that Vela's command line writes.
double Column(const std::string& csv, const std::string& name) {
  std::istringstream lines(csv);
  std::string heads, values;
  std::getline(lines, heads);
  std::getline(lines, values);
  std::istringstream head(heads), value(values);
  for (std::string key, text; std::getline(head, key, ',') && std::getline(value, text, ',');) {
    if (key == name) return std::stod(text);
  }
  ADD_FAILURE() << name;
  return 0;
}

TEST_F(VelaToolchainTest, EstimatesAreThoseOfVelasCommandLine) {
  const Artifact artifact = Compile(SmallMobileNet());
  const TempFolder folder;
  WriteFileAtomic(folder.path() / "net.tflite", artifact.reference);
  const ProcessResult run =
      RunProcess({(fs::path(HOT_SOURCE_DIR) / ".venv/bin/python").string(), "-m", "ethosu.vela",
                  (folder.path() / "net.tflite").string(), "--output-dir", folder.path().string(),
                  "--accelerator-config", "ethos-u55-128", "--config", "Arm/vela.ini", "--system-config",
                  "Ethos_U55_High_End_Embedded", "--memory-mode", "Shared_Sram"});
  ASSERT_TRUE(run.status.ok()) << run.output;
  const std::string csv = ReadFile(folder.path() / "net_summary_Ethos_U55_High_End_Embedded.csv");
  ASSERT_TRUE(artifact.estimate);
  EXPECT_NEAR(artifact.estimate->latency_ns, 1e9 * Column(csv, "inference_time"), 1);
  EXPECT_EQ(artifact.estimate->peak_bytes.at("sram"), std::llround(1024 * Column(csv, "sram_memory_used")));
  EXPECT_EQ(artifact.blob, ReadFile(folder.path() / "net_vela.tflite"));
}

TEST_F(VelaToolchainTest, ABlockForTimingHasNothingButCodeAndEstimate) {
  const Artifact artifact = Compile(SmallMobileNet(), /*timing_only=*/true);
  EXPECT_GT(artifact.estimate->latency_ns, 0);
  EXPECT_FALSE(artifact.blob.empty());
  EXPECT_TRUE(artifact.golden.empty());
  EXPECT_TRUE(artifact.layer_precisions.empty());
}

TEST_F(VelaToolchainTest, EveryLayerIsInIntegers) {
  const Artifact artifact = Compile(SmallMobileNet());
  EXPECT_TRUE(ConvolutionsNotIn(artifact.layer_precisions, "i8").empty());
  EXPECT_EQ(artifact.layer_precisions.size(), 18u) << "15 convolutions with their activations, 3 additions";
  for (const auto& [layer, precision] : artifact.layer_precisions) EXPECT_EQ(precision, "i8") << layer;
}

TEST_F(VelaToolchainTest, RefusesWhatIsNotInIntegers) {
  const Error sigmoid = Refusal({4, 8, 8}, [](GraphBuilder& builder, NodeId x) {
    return builder.Unary(Op::kSigmoid, "mask", builder.Conv("conv", x, {.out_channels = 2}));
  });
  EXPECT_EQ(sigmoid.code(), Code::kUnimplemented);
  EXPECT_THAT(sigmoid.what(), HasSubstr("node conv"));
}

TEST_F(VelaToolchainTest, RefusesWhatTfliteHasNot) {
  const Error average = Refusal(
      {4, 8, 8}, [](GraphBuilder& builder, NodeId x) { return builder.Pool(Op::kAvgPool, "average", x, 3, 2, 1); });
  EXPECT_EQ(average.code(), Code::kUnimplemented);
  EXPECT_THAT(average.what(), AllOf(HasSubstr("node average"), HasSubstr("padding")));
}

TEST_F(VelaToolchainTest, RefusesWhatVelaLeavesToTheCpu) {
  const Error upsample =
      Refusal({4, 8, 8}, [](GraphBuilder& builder, NodeId x) { return builder.Upsample("up", x, 3); });
  EXPECT_EQ(upsample.code(), Code::kUnimplemented);
  EXPECT_THAT(upsample.what(), AllOf(HasSubstr("RESIZE_NEAREST_NEIGHBOR"), HasSubstr("CPU")));
}

TEST_F(VelaToolchainTest, EveryNpuHasItsOwnEstimate) {
  const std::unique_ptr<Progress> progress = MakeSilentProgress();
  const std::atomic<bool> cancelled = false;
  const Context context{SystemClock(), *progress, cancelled};
  const Network network = SmallMobileNet();
  std::set<double> latencies;
  std::set<std::string> fingerprints;
  for (const EthosNpu& npu : kEthosNpus) {
    toolchain_ = MakeVelaToolchain(npu.name);
    const Artifact artifact = Compile(network, /*timing_only=*/true);
    const Artifact* one = &artifact;
    const auto device = MakeDevice(npu.name, 1);
    const Measurement row = device->Profile(std::span(&one, 1), {}, 0, context).at(0);
    EXPECT_EQ(row.median_ns, artifact.estimate->latency_ns);
    EXPECT_GT(artifact.estimate->peak_bytes.at("sram"), 0);
    latencies.insert(row.median_ns);
    fingerprints.insert(device->Describe().fingerprint);
  }
  EXPECT_EQ(latencies.size(), kEthosNpus.size());
  EXPECT_EQ(fingerprints.size(), kEthosNpus.size());
}

TEST_F(VelaToolchainTest, AnArtifactRunsOnTheNpuThatItWasCompiledFor) {
  const Artifact artifact = Compile(SmallMobileNet());
  const auto other = MakeDevice("ethos-u65-256", 1);
  try {
    other->Load(artifact);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_THAT(error.what(), HasSubstr("ethos-u55-128"));
  }
}

TEST_F(VelaToolchainTest, OutputsAreNearThoseOfTheFloatNetwork) {
  const Network network = SmallMobileNet();
  std::vector<Tensor> inputs;
  for (uint64_t seed = 1; seed <= 5; ++seed) inputs.push_back(RandomInput(network, seed));
  const Quantization quantization = Quantize(network, Calibrate(network, inputs), {.ranges = "minmax"});
  const Tensor& input = inputs.back();
  const Artifact int8 =
      toolchain_->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization});
  const auto ours = MakeDevice("ethos-u55-128", 1)->Load(int8)->Run(std::span(&input, 1));
  const Artifact fp32 = MakeToolchain("openvino")->Compile({.network = network});
  const auto theirs = MakeDevice("host", 1)->Load(fp32)->Run(std::span(&input, 1));
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i].shape, theirs[i].shape);
    double error = 0, magnitude = 0;
    for (size_t k = 0; k < ours[i].data.size(); ++k) {
      error += std::abs(ours[i].data[k] - theirs[i].data[k]);
      magnitude += std::abs(theirs[i].data[k]);
    }
    EXPECT_LT(error, 0.2 * magnitude) << i;
  }
}

}  // namespace
}  // namespace hot
