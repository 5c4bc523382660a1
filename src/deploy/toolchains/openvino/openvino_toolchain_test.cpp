// What the openvino toolchain promises beyond the contract: integer kernels everywhere, fp32 that is fp32, int8
// borders.
#include "deploy/toolchains/openvino/openvino_toolchain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "deploy/calibrate.h"
#include "deploy/deviation.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "deploy/toolchains/openvino/openvino_model.h"
#include "quantize/quantized_network.h"

namespace hot {
namespace {

using ::testing::IsEmpty;

int CountLayers(const Artifact& artifact, const std::string& type) {
  int count = 0;
  for (const auto& [layer, precision] : artifact.layer_precisions) count += layer.starts_with(type + " ");
  return count;
}

TEST(OpenVinoToolchain, Int8RunsEveryConvolutionAndAdditionInIntegerKernels) {
  const Network network = SmallMobileNet();
  Quantization quantization = SyntheticQuantization(network);
  for (const int zero_point : {0, 13}) {  // asymmetric ranges, too, also under a padded depthwise convolution
    for (auto& [name, scale] : quantization.activations) {
      if (scale.zero_point > -128) scale.zero_point = zero_point;
    }
    const Artifact artifact = MakeOpenVinoToolchain()->Compile(
        {.network = network, .precision = Precision::kInt8, .quantization = &quantization});
    EXPECT_THAT(ConvolutionsNotIn(artifact.layer_precisions, "i8"), IsEmpty());
    EXPECT_EQ(CountLayers(artifact, "Convolution"), 15);
    EXPECT_EQ(CountLayers(artifact, "Eltwise"), 0) << "residual additions are fused into the convolution before them";
    EXPECT_EQ(CountLayers(artifact, "FakeQuantize"), 0);
  }
}

TEST(OpenVinoToolchain, UnsignedActivationsRunInIntegerKernels) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network, "u8s8");
  const Artifact artifact = MakeOpenVinoToolchain()->Compile(
      {.network = network, .precision = Precision::kInt8, .quantization = &quantization});
  EXPECT_EQ(artifact.scheme, "u8s8");
  EXPECT_THAT(ConvolutionsNotIn(artifact.layer_precisions, "i8"), IsEmpty());
  const Artifact part = MakeOpenVinoToolchain()->Compile(
      {.network = network, .precision = Precision::kInt8, .quantization = &quantization, .int8_borders = true});
  ASSERT_EQ(part.golden.size(), 1u);
  for (const float value : part.golden[0].outputs[0].data) EXPECT_TRUE(value >= 0 && value <= 255) << value;
}

// What follows a convolution with ReLU6, `x`, and another in other steps, `y`.
using Middle = std::function<NodeId(GraphBuilder& builder, NodeId x, NodeId y)>;

Network WithMiddle(const Middle& middle) {
  GraphBuilder builder;
  const NodeId stem = builder.ConvBn("stem", builder.Input("image", {3, 32, 32}), 16, 3, 2, 1, Op::kRelu6);
  const NodeId x = builder.ConvBn("x", stem, 16, 3, 1, 16, Op::kRelu6);
  const NodeId y = builder.ConvBn("y", stem, 16, 1, 1, 1, Op::kInput);
  builder.Output(builder.ConvBn("last", middle(builder, x, y), 16, 1, 1, 1, Op::kInput));
  const Graph graph = std::move(builder).Build();
  return FoldBatchNorm(graph, TimingWeights(graph, 4));
}

const std::pair<const char*, Middle> kMiddles[] = {
    {"concat",
     [](GraphBuilder& b, NodeId x, NodeId y) {
       return b.Concat("concat", {x, y});
     }},
    {"concat of maps of other sizes",
     [](GraphBuilder& b, NodeId x, NodeId y) {
       return b.Concat("concat", {y, b.Upsample("up", b.Pool(Op::kMaxPool, "max", x, 2, 2, 0), 2)});
     }},
    {"add", [](GraphBuilder& b, NodeId x, NodeId y) { return b.Add("add", x, y); }},
    {"add, relu", [](GraphBuilder& b, NodeId x, NodeId y) { return b.Unary(Op::kRelu, "act", b.Add("add", x, y)); }},
    {"add upsampled",
     [](GraphBuilder& b, NodeId x, NodeId y) {
       return b.Add("add", y, b.Upsample("up", b.ConvBn("half", x, 16, 3, 2, 1, Op::kRelu6), 2));
     }},
    {"upsample", [](GraphBuilder& b, NodeId, NodeId y) { return b.Upsample("up", y, 2); }},
    {"max pool", [](GraphBuilder& b, NodeId, NodeId y) { return b.Pool(Op::kMaxPool, "max", y, 3, 2, 1); }},
    {"average pool", [](GraphBuilder& b, NodeId, NodeId y) { return b.Pool(Op::kAvgPool, "average", y, 3, 2, 1); }},
    {"average pool of relu6",
     [](GraphBuilder& b, NodeId x, NodeId) { return b.Pool(Op::kAvgPool, "average", x, 3, 2, 1); }},
    {"global average", [](GraphBuilder& b, NodeId, NodeId y) { return b.Unary(Op::kGlobalAvgPool, "mean", y); }},
    {"global average of relu6",
     [](GraphBuilder& b, NodeId x, NodeId) { return b.Unary(Op::kGlobalAvgPool, "mean", x); }},
    {"padded convolutions", [](GraphBuilder& b, NodeId, NodeId y) {
       return b.ConvBn("full", b.ConvBn("depthwise", y, 16, 5, 1, 16, Op::kInput), 16, 3, 2, 1, Op::kRelu);
     }}};

TEST(OpenVinoToolchain, GivesTheReferencesIntegersWhateverStandsBetweenConvolutions) {
  for (const auto& [name, middle] : kMiddles) {
    for (const char* scheme : {"s8s8", "u8s8"}) {
      const Network network = WithMiddle(middle);
      const std::vector<Tensor> inputs{RandomInput(network, 1), RandomInput(network, 2)};
      const Quantization quantization =
          Quantize(network, Calibrate(network, inputs, false), {.ranges = "minmax", .ranges_of = {}, .scheme = scheme});
      const Artifact artifact = MakeOpenVinoToolchain()->Compile(
          {.network = network, .precision = Precision::kInt8, .quantization = &quantization, .golden_inputs = inputs});
      // one step of an addition, through the last convolution
      EXPECT_LE(MeasureDeviation(artifact, network, quantization).at(0).max_lsb, 3) << name << " " << scheme;
    }
  }
}

TEST(OpenVinoToolchain, LayersWithoutScalesRunInFloatAndTheOthersDoNot) {
  const Network network = SmallMobileNet();
  const QuantizedNetwork whole{
      .exact = network, .network = network, .quantization = SyntheticQuantization(network), .ranges = {}};
  const QuantizedNetwork mixed = WithFloatLayers(whole, {"stem.conv", "block3.project.conv", "boxes"});
  const Artifact artifact = MakeOpenVinoToolchain()->Compile(
      {.network = mixed.network, .precision = Precision::kInt8, .quantization = &mixed.quantization});
  EXPECT_EQ(ConvolutionsNotIn(artifact.layer_precisions, "i8").size(), 3u);
  EXPECT_EQ(ConvolutionsNotIn(artifact.layer_precisions, "f32").size(), 12u);
}

TEST(OpenVinoToolchain, RefusesIntegersThatItWouldComputeInFloat) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network, "s16s8");
  for (const Precision precision : {Precision::kInt16x8, Precision::kInt8}) {
    try {
      MakeOpenVinoToolchain()->Compile({.network = network, .precision = precision, .quantization = &quantization});
      ADD_FAILURE() << PrecisionName(precision);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), precision == Precision::kInt8 ? Code::kInvalidArgument : Code::kUnimplemented);
    }
  }
}

TEST(OpenVinoToolchain, FloatPrecisionsAreWhatWasAskedFor) {
  const Network network = SmallMobileNet();
  const auto toolchain = MakeOpenVinoToolchain();
  const Artifact fp32 = toolchain->Compile({.network = network});
  EXPECT_THAT(ConvolutionsNotIn(fp32.layer_precisions, "f32"), IsEmpty());
  EXPECT_FALSE(ConvolutionsNotIn(fp32.layer_precisions, "i8").empty());
  const auto precisions = toolchain->precisions();
  if (std::find(precisions.begin(), precisions.end(), Precision::kBf16) == precisions.end()) {
    GTEST_SKIP() << "skipped: this CPU has no bf16";
  }
  const Artifact bf16 = toolchain->Compile({.network = network, .precision = Precision::kBf16});
  EXPECT_THAT(ConvolutionsNotIn(bf16.layer_precisions, "bf16"), IsEmpty());
}

TEST(OpenVinoModel, LayerTimesNameEveryConvolutionAndItsKernel) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network);
  const Artifact artifact = MakeOpenVinoToolchain()->Compile(
      {.network = network, .precision = Precision::kInt8, .quantization = &quantization, .timing_only = true});
  ov::Core core;
  for (const bool timers : {false, true}) {
    OpenVinoModel model(core, artifact.blob, Precision::kInt8, 1, "small", timers);
    model.FillInputs(1);
    model.Infer();
    int convolutions = 0;
    for (const LayerTime& time : model.LayerTimes()) {
      if (!time.type.ends_with("Convolution")) continue;  // "GroupConvolution": depthwise
      ++convolutions;
      EXPECT_THAT(time.kernel, ::testing::MatchesRegex(".*_[iI]8")) << time.layer;
    }
    EXPECT_EQ(convolutions, timers ? 15 : 0);
  }
}

TEST(OpenVinoToolchain, Int8BordersLeaveNoFloatLayerInABlock) {
  GraphBuilder builder;
  builder.Output(TestIrb(builder, "block", builder.Input("x", {16, 16, 16}), 16, 1));
  const Graph graph = std::move(builder).Build();
  const Network network = FoldBatchNorm(graph, RandomWeights(graph, 1));
  const Quantization quantization = SyntheticQuantization(network);
  const Artifact artifact = MakeOpenVinoToolchain()->Compile(
      {.network = network, .precision = Precision::kInt8, .quantization = &quantization, .int8_borders = true});
  for (const auto& [layer, precision] : artifact.layer_precisions) EXPECT_EQ(precision, "i8") << layer;
  ASSERT_EQ(artifact.golden.size(), 1u);
  float largest = 0;
  for (const float value : artifact.golden[0].outputs[0].data) {
    EXPECT_EQ(value, std::nearbyint(value));
    largest = std::max(largest, std::abs(value));
  }
  EXPECT_GT(largest, 10);
}

}  // namespace
}  // namespace hot
