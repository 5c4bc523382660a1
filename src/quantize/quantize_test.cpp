#include "quantize/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "quantize/plan.h"

namespace hot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// stem -> expand/depthwise/project with residual -> head convolution (output) and pooled softmax (output).
Network Residual() {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {3, 8, 8});
  const NodeId stem = builder.ConvBn("stem", x, 8, 3, 2, 1, Op::kRelu6);
  const NodeId expand = builder.ConvBn("expand", stem, 16, 1, 1, 1, Op::kRelu6);
  const NodeId depth = builder.ConvBn("depth", expand, 16, 3, 1, 16, Op::kRelu6);
  const NodeId project = builder.ConvBn("project", depth, 8, 1, 1, 1, Op::kInput);
  const NodeId add = builder.Add("add", stem, project);
  const NodeId pool = builder.Pool(Op::kMaxPool, "pool", add, 2, 2, 0);
  builder.Output(builder.Conv("head", pool, {.out_channels = 4, .bias = true}));
  const NodeId up = builder.Upsample("up", pool, 2);
  const NodeId flat = builder.Unary(Op::kFlatten, "flat", builder.Unary(Op::kGlobalAvgPool, "mean", up));
  builder.Output(builder.Unary(Op::kSoftmax, "softmax", builder.Linear("linear", flat, 5)));
  const Graph graph = std::move(builder).Build();
  return FoldBatchNorm(graph, RandomWeights(graph, 3));
}

Observations Observe(const Graph& graph, float low, float high) {
  Observations observations;
  const float values[] = {low, high};
  for (const std::string& name : ObservedNodes(graph)) observations[name].Observe(values, 2);
  return observations;
}

template <typename Function>
Error Thrown(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kOk, "", "nothing was thrown");
}

TEST(ObservedNodes, FuseActivationsAndLeaveOutWhatStaysFloat) {
  EXPECT_THAT(ObservedNodes(Residual().graph),
              ElementsAre("x", "stem.act", "expand.act", "depth.act", "project.conv", "add", "head", "mean"));
}

TEST(PlanQuantization, PassThroughNodesUseTheScaleBefore) {
  const Graph graph = Residual().graph;
  const auto places = PlanQuantization(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const std::string& name = graph.node(id).name;
    const std::string& owner = graph.node(ScaleOwner(graph, places, id)).name;
    const QuantPlace place = places[static_cast<size_t>(id)];
    if (name == "pool" || name == "up") {
      EXPECT_EQ(owner, "add");
    } else if (name == "flat") {
      EXPECT_EQ(owner, "mean");
    } else if (name == "linear" || name == "softmax") {
      EXPECT_EQ(place, QuantPlace::kFloat);
    } else if (name == "stem.conv") {
      EXPECT_EQ(place, QuantPlace::kFusedAway);
    }
  }
}

TEST(PlanQuantization, AConvWithTwoReadersKeepsItsOwnScaleBesideItsActivation) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {4, 4, 4});
  const NodeId conv = builder.Conv("conv", x, {.out_channels = 4});
  const NodeId act = builder.Unary(Op::kRelu, "act", conv);
  builder.Output(builder.Add("add", conv, act));
  EXPECT_THAT(ObservedNodes(std::move(builder).Build()), ElementsAre("x", "conv", "act", "add"));
}

TEST(Quantize, ScalesCoverTheRangeAndRepresentZeroExactly) {
  struct Case {
    float low, high, scale;
    int zero_point;
  };
  const Network network = Residual();
  for (const Case& c : {Case{0, 6, 6 / 255.0f, -128}, Case{-1, 1, 2 / 255.0f, 0}, Case{-3, 0, 3 / 255.0f, 127},
                        Case{2, 4, 4 / 255.0f, -128}, Case{-4, -2, 4 / 255.0f, 127}, Case{-1, 3, 4 / 255.0f, -64}}) {
    const Quantization result = Quantize(network, Observe(network.graph, c.low, c.high), {.ranges = "minmax"});
    EXPECT_FLOAT_EQ(result.activations.at("add").scale, c.scale);
    EXPECT_EQ(result.activations.at("add").zero_point, c.zero_point) << c.low << " " << c.high;
    EXPECT_EQ(result.activations.size(), 8u);
  }
}

TEST(Quantize, SchemesUseTheirOwnIntegers) {
  const Network network = Residual();
  const Observations observations = Observe(network.graph, -1, 3);
  const Quantization u8s8 = Quantize(network, observations, {.ranges = "minmax", .scheme = "u8s8"});
  EXPECT_EQ(u8s8.scheme, "u8s8");
  EXPECT_EQ(u8s8.activations.at("add").zero_point, 64);
  EXPECT_FLOAT_EQ(u8s8.activations.at("add").scale, 4 / 255.0f);
  const Quantization s16s8 = Quantize(network, observations, {.ranges = "minmax", .scheme = "s16s8"});
  EXPECT_EQ(s16s8.activations.at("add").zero_point, 0);
  EXPECT_FLOAT_EQ(s16s8.activations.at("add").scale, 3 / 32767.0f);
  EXPECT_EQ(Thrown([&] { Quantize(network, observations, {.scheme = "s4s4"}); }).code(), Code::kInvalidArgument);
}

TEST(Quantize, NamedTensorsHaveAMethodOfTheirOwn) {
  const Network network = Residual();
  Observations observations = Observe(network.graph, 0, 1);
  std::vector<float> values(300'000, 0.5f);
  values[7] = 40;
  for (const char* node : {"add", "depth.act"}) observations[node].Observe(values.data(), std::ssize(values));
  const Quantization result = Quantize(network, observations, {.ranges_of = {{"add", "minmax"}}});
  EXPECT_FLOAT_EQ(result.activations.at("add").scale, 40 / 255.0f);
  EXPECT_LT(result.activations.at("depth.act").scale, 1.1 / 255);
}

TEST(Quantize, EveryOutputBranchHasAScaleOfItsOwn) {
  const Network network = Residual();
  Observations observations = Observe(network.graph, 0, 1);
  const float logits[] = {-40, 20};
  observations["head"].Observe(logits, 2);
  const Quantization result = Quantize(network, observations, {.ranges = "minmax"});
  EXPECT_FLOAT_EQ(result.activations.at("head").scale, 60 / 255.0f);
  EXPECT_FLOAT_EQ(result.activations.at("mean").scale, 1 / 255.0f);
}

TEST(Quantize, WeightScalesAreChannelMaximaOver127) {
  const Network network = Residual();
  const Quantization result = Quantize(network, Observe(network.graph, -1, 1), {});
  EXPECT_EQ(result.weight_scales.size(), 6u);
  const Tensor& weight = network.weights.at("depth.conv.weight");
  const auto& scales = result.weight_scales.at("depth.conv");
  ASSERT_EQ(scales.size(), 16u);
  for (size_t c = 0; c < 16; ++c) {
    float largest = 0;
    for (size_t i = 0; i < 9; ++i) largest = std::max(largest, std::abs(weight.data[c * 9 + i]));
    EXPECT_FLOAT_EQ(scales[c], largest / 127);
  }
}

TEST(Quantize, DeadChannelsGetAUsableScale) {
  Network network = Residual();
  Tensor& weight = network.weights.at("head.weight");
  std::fill(weight.data.begin(), weight.data.begin() + 8, 0.0f);         // all zero
  std::fill(weight.data.begin() + 8, weight.data.begin() + 16, 1e-30f);  // all but zero, with a bias
  network.weights.at("head.bias").data = {1, 5, 0, 0};
  const Quantization result = Quantize(network, Observe(network.graph, -1, 1), {});
  const float input_scale = result.activations.at("add").scale;
  for (size_t c = 0; c < 4; ++c) {
    const double scale = result.weight_scales.at("head")[c];
    EXPECT_GT(scale, 0);
    EXPECT_LE(network.weights.at("head.bias").data[c] / (scale * input_scale), std::pow(2, 30) * 1.0001);
  }
  std::fill(weight.data.begin(), weight.data.end(), 0.0f);
  EXPECT_GT(Quantize(network, Observe(network.graph, -1, 1), {}).weight_scales.at("head")[0], 0);
}

TEST(Quantize, RefusesRangesThatMeanNothing) {
  const Network network = Residual();
  const float nan = std::nanf(""), infinite = INFINITY;
  for (const float* bad : {&nan, &infinite}) {
    Observations observations = Observe(network.graph, 0, 6);
    observations["depth.act"] = RangeObserver();
    observations["depth.act"].Observe(bad, 1);
    const Error error = Thrown([&] { Quantize(network, observations, {}); });
    EXPECT_EQ(error.code(), Code::kFailedPrecondition) << *bad;
    EXPECT_THAT(error.what(), HasSubstr("depth.act"));
  }
  Observations observations = Observe(network.graph, 0, 6);
  observations["add"] = RangeObserver();
  EXPECT_EQ(Thrown([&] { Quantize(network, observations, {}); }).code(), Code::kFailedPrecondition);
  observations.erase("add");
  const Error missing = Thrown([&] { Quantize(network, observations, {}); });
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_THAT(missing.what(), HasSubstr("add"));
}

TEST(Quantize, AConstantMapHasAScaleThatHoldsIt) {
  const Network network = Residual();
  for (const float constant : {0.0f, 3.0f, -1.5f}) {
    for (const std::string& ranges : RangeMethods()) {
      for (const std::string scheme : {"s8s8", "u8s8", "s16s8"}) {
        Observations observations = Observe(network.graph, -6, 6);
        observations["add"] = RangeObserver();
        observations["add"].Observe(&constant, 1);
        const ActivationScale scale =
            Quantize(network, observations, {.ranges = ranges, .ranges_of = {}, .scheme = scheme})
                .activations.at("add");
        EXPECT_GT(scale.scale, 1e-6) << scheme << " " << ranges << " " << constant;
        const double steps = std::nearbyint(constant / scale.scale);
        EXPECT_NEAR(steps * scale.scale, constant, 1e-5);
        EXPECT_LE(std::abs(steps), SchemeOf(scheme).steps());
      }
    }
  }
}

TEST(Quantize, RefusesBrokenWeightsAndUnknownMethods) {
  Network network = Residual();
  const Observations observations = Observe(network.graph, -1, 1);
  EXPECT_EQ(Thrown([&] { Quantize(network, observations, {.ranges = "guess"}); }).code(), Code::kInvalidArgument);
  network.weights.at("head.weight").data[0] = std::nanf("");
  EXPECT_EQ(Thrown([&] { Quantize(network, observations, {}); }).code(), Code::kFailedPrecondition);
  network.weights.erase("head.weight");
  EXPECT_EQ(Thrown([&] { Quantize(network, observations, {}); }).code(), Code::kNotFound);
}

TEST(QuantizationFile, ComesBackOrIsRefused) {
  const TempFolder folder;
  const fs::path file = folder.path() / "q.json";
  const Quantization written{
      .scheme = "s8s8", .activations = {{"a", {0.5f, -128}}}, .weight_scales = {{"c", {0.25f, 1}}}};
  WriteFileAtomic(file, ToJson(written));
  EXPECT_EQ(ToJson(ReadQuantization(file)), ToJson(written));
  const std::pair<std::string, Code> cases[] = {
      {"{", Code::kDataLoss},
      {"[]", Code::kDataLoss},
      {R"({"version":2})", Code::kFailedPrecondition},
      {R"({"version":1,"scheme":"s8s8","activations":{"a":[1,128]},"weight_scales":{}})", Code::kDataLoss},
      {R"({"version":1,"scheme":"s8s8","activations":{"a":[1,0.5]},"weight_scales":{}})", Code::kDataLoss},
      {R"({"version":1,"scheme":"s8s8","activations":{"a":[1]},"weight_scales":{}})", Code::kDataLoss},
      {R"({"version":1,"scheme":"u8s8","activations":{"a":[1,-1]},"weight_scales":{}})", Code::kDataLoss},
      {R"({"version":1,"scheme":"s4s4","activations":{},"weight_scales":{}})", Code::kDataLoss}};
  for (const auto& [text, code] : cases) {
    WriteFileAtomic(file, text);
    const Error error = Thrown([&] { ReadQuantization(file); });
    EXPECT_EQ(error.code(), code) << text;
    EXPECT_EQ(error.where(), file.string()) << text;
  }
}

TEST(SyntheticQuantization, CoversTheSameNodes) {
  const Network network = Residual();
  const Quantization synthetic = SyntheticQuantization(network);
  for (const std::string& name : ObservedNodes(network.graph))
    EXPECT_TRUE(synthetic.activations.contains(name)) << name;
  EXPECT_FLOAT_EQ(synthetic.activations.at("stem.act").scale, 6 / 255.0f);
  EXPECT_EQ(synthetic.activations.at("stem.act").zero_point, -128);
  EXPECT_EQ(synthetic.weight_scales.size(), 6u);
}

}  // namespace
}  // namespace hot
