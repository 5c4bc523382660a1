// What the vela toolchain and the ethos devices promise beyond the contracts: Vela's own numbers, all of the network on
// the NPU or a refusal, one NPU's artifact on no other.
#include "deploy/toolchains/vela/vela_toolchain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/subprocess.h"
#include "deploy/calibrate.h"
#include "deploy/deviation.h"
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

  Artifact Compile(const Network& network, bool timing_only = false, Precision precision = Precision::kInt8) const {
    const Quantization quantization = SyntheticQuantization(network, SchemeOf(precision, "s8s8"));
    return toolchain_->Compile(
        {.network = network, .precision = precision, .quantization = &quantization, .timing_only = timing_only});
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

TEST_F(VelaToolchainTest, EveryLayersTimeIsUnderItsNodesName) {
  for (const EthosNpu& npu : kEthosNpus) {
    toolchain_ = MakeVelaToolchain(npu.name);
    const Network network = SmallMobileNet();
    const Estimate estimate = Compile(network, /*timing_only=*/true).estimate.value();
    double sum_ns = 0;
    for (const auto& [layer, ns] : estimate.layers_ns) {
      EXPECT_EQ(std::ranges::count(network.graph.nodes(), layer, &Node::name), 1) << layer;
      sum_ns += ns;
    }
    EXPECT_NEAR(sum_ns, estimate.latency_ns, 1) << npu.name;
  }
}

TEST_F(VelaToolchainTest, ABlockForTimingHasNothingButCodeAndEstimate) {
  const Artifact artifact = Compile(SmallMobileNet(), /*timing_only=*/true);
  EXPECT_GT(artifact.estimate->latency_ns, 0);
  EXPECT_FALSE(artifact.blob.empty());
  EXPECT_TRUE(artifact.golden.empty());
  EXPECT_TRUE(artifact.layer_precisions.empty());
}

TEST_F(VelaToolchainTest, EveryLayerIsInIntegers) {
  for (const auto& [precision, name] : {std::pair{Precision::kInt8, "i8"}, std::pair{Precision::kInt16x8, "i16"}}) {
    const Artifact artifact = Compile(SmallMobileNet(), /*timing_only=*/false, precision);
    EXPECT_EQ(artifact.scheme, SchemeOf(precision, "s8s8"));
    EXPECT_TRUE(ConvolutionsNotIn(artifact.layer_precisions, name).empty());
    EXPECT_EQ(artifact.layer_precisions.size(), 18u) << "15 convolutions with their activations, 3 additions";
    for (const auto& [layer, executed] : artifact.layer_precisions) EXPECT_EQ(executed, name) << layer;
  }
}

TEST_F(VelaToolchainTest, RefusesASchemeThatTfliteHasNot) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network, "u8s8");
  try {
    toolchain_->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("u8s8"), HasSubstr("quantize.scheme: s8s8")));
  }
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

// As the compile stage records it: golden pairs of the pictures given, and their distance from the reference.
TEST_F(VelaToolchainTest, GoldenPairsAreNearTheReferenceAndTheFloatNetwork) {
  const Network network = SmallMobileNet();
  std::vector<Tensor> inputs;
  for (uint64_t seed = 1; seed <= 5; ++seed) inputs.push_back(RandomInput(network, seed));
  const auto pictures = std::span(inputs).last(2);
  const Artifact fp32 = MakeToolchain("openvino")->Compile({.network = network, .golden_inputs = pictures});
  std::map<Precision, double> noise;  // largest of the outputs, in the outputs' unit
  for (const Precision precision : {Precision::kInt8, Precision::kInt16x8}) {
    const Quantization quantization =
        Quantize(network, Calibrate(network, inputs), {.ranges = "minmax", .scheme = SchemeOf(precision, "s8s8")});
    const Artifact artifact = toolchain_->Compile(
        {.network = network, .precision = precision, .quantization = &quantization, .golden_inputs = pictures});
    ASSERT_EQ(artifact.golden.size(), 2u);
    EXPECT_EQ(artifact.golden[1].input.data, inputs.back().data);
    const auto deviations = MeasureDeviation(artifact, network, quantization, fp32.golden);
    ASSERT_EQ(deviations.size(), 2u);
    for (const OutputDeviation& d : deviations) {
      std::printf("%s %-8s max %.0f, rms %.3f LSB; %s itself: %.3f LSB\n", PrecisionName(precision).c_str(),
                  d.output.c_str(), d.max_lsb, d.rms_lsb, PrecisionName(precision).c_str(), d.noise_lsb);
      EXPECT_NEAR(d.max_lsb, std::nearbyint(d.max_lsb), 0.01) << "both are whole steps";
      EXPECT_LT(d.rms_lsb, d.noise_lsb);
      noise[precision] = std::max(noise[precision], d.noise_lsb * d.step);
    }
  }
  EXPECT_LT(noise[Precision::kInt16x8], noise[Precision::kInt8]) << "the weights have 8 bits in both";
}

}  // namespace
}  // namespace hot
