#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/costs.h"
#include "graph/fold.h"
#include "graph/key.h"

namespace hot {
namespace {

// image 3x8x8 -> conv 4 s2 -> dw -> add
Graph Small(const std::string& prefix, int kernel = 3) {
  GraphBuilder builder;
  NodeId x = builder.Input(prefix + "image", {3, 8, 8});
  x = builder.ConvBn(prefix + "a", x, 4, 3, 2, 1, Op::kRelu6);
  const NodeId y = builder.ConvBn(prefix + "b", x, 4, kernel, 1, 4, Op::kInput);
  builder.Output(builder.Add(prefix + "sum", x, y));
  return std::move(builder).Build();
}

TEST(GraphBuilder, InfersShapes) {
  const Graph graph = Small("");
  EXPECT_EQ(graph.node(graph.outputs()[0]).shape, (Shape{4, 4, 4}));
  EXPECT_EQ(graph.size(), 7);
  EXPECT_EQ(Parameters(graph).size(), 10u);
}

// TensorFlow's SAME by its formula, against numbers worked out by hand: top, left, bottom, right.
TEST(GraphBuilder, PadsAsTheStyleSays) {
  struct Case {
    Padding padding;
    int h, w, kernel, stride;
    std::array<int, 4> pads;
  };
  for (const Case& c : {Case{Padding::kSymmetric, 8, 7, 3, 2, {1, 1, 1, 1}},
                        {Padding::kSame, 8, 7, 3, 2, {0, 1, 1, 1}},
                        {Padding::kSame, 8, 7, 5, 2, {1, 2, 2, 2}},
                        {Padding::kSame, 8, 7, 3, 1, {1, 1, 1, 1}},
                        {Padding::kSame, 8, 7, 1, 2, {0, 0, 0, 0}}}) {
    GraphBuilder builder({.padding = c.padding, .bn_eps = 1e-3});
    const NodeId x = builder.Input("x", {3, c.h, c.w});
    builder.Output(builder.ConvBn("a", x, 4, c.kernel, c.stride, 1, Op::kInput));
    const Graph graph = std::move(builder).Build();
    EXPECT_EQ(graph.node(1).attrs.pads, c.pads) << c.kernel << " " << c.stride;
    EXPECT_EQ(graph.node(2).attrs.eps, 1e-3f);
    EXPECT_EQ(graph.node(1).shape, (Shape{4, (c.h + c.stride - 1) / c.stride, (c.w + c.stride - 1) / c.stride}));
  }
  EXPECT_EQ(ParsePadding(PaddingName(Padding::kSame)), Padding::kSame);
  EXPECT_THROW(ParsePadding("valid"), Error);
}

TEST(GraphBuilder, RefusesMisfits) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {3, 8, 8});
  EXPECT_THROW(builder.Input("x", {3, 8, 8}), Error);
  EXPECT_THROW(builder.Input("y", {0, 8, 8}), Error);
  EXPECT_THROW(builder.ConvBn("g", x, 4, 3, 1, 2, Op::kInput), Error);
  EXPECT_THROW(builder.Linear("l", x, 4), Error);
  EXPECT_THROW(builder.Pool(Op::kMaxPool, "p", x, 9, 1, 0), Error);
  EXPECT_THROW(builder.Unary(Op::kAdd, "u", x), Error);
  const NodeId y = builder.Pool(Op::kMaxPool, "q", x, 2, 2, 0);
  EXPECT_THROW(builder.Add("a", x, y), Error);
  EXPECT_THROW(builder.Concat("c", {x, y}), Error);
  EXPECT_THROW(std::move(builder).Build(), Error);
}

TEST(Costs, CountByHand) {
  const Graph graph = Small("");
  const Costs fp32 = ComputeCosts(graph, Precision::kFp32);
  EXPECT_EQ(fp32.macs, 4 * 4 * 4 * 27 + 4 * 4 * 4 * 9);
  EXPECT_EQ(fp32.params, 108 + 8 + 36 + 8);
  EXPECT_EQ(fp32.weight_bytes, (108 + 4 + 36 + 4) * 4);
  EXPECT_EQ(ComputeCosts(graph, Precision::kInt8).weight_bytes, 108 + 36 + 8 * 4);
  // conv a: image 192 + out 64 elements; add: a 64 + b 64 + sum 64.
  EXPECT_EQ(fp32.peak_activation_bytes, (192 + 64) * 4);
  EXPECT_EQ(ComputeCosts(graph, Precision::kInt8).peak_activation_bytes, 192 + 64);
  EXPECT_EQ(LiveActivationBytes(graph, Precision::kInt8).back(), 3 * 64);
}

TEST(GraphKey, SeesStructureOnly) {
  const std::string key = GraphKey(Small(""), Precision::kInt8);
  EXPECT_EQ(key, GraphKey(Small("other."), Precision::kInt8));
  EXPECT_NE(key, GraphKey(Small(""), Precision::kFp32));
  EXPECT_NE(key, GraphKey(Small("", 5), Precision::kInt8));
}

TEST(GraphKey, TellsASharedNodeFromTwoEqualOnes) {
  const auto make = [](bool shared) {
    GraphBuilder builder;
    const NodeId x = builder.Input("x", {4, 4, 4});
    const NodeId a = builder.ConvBn("a", x, 4, 3, 1, 1, Op::kInput);
    const NodeId b = shared ? a : builder.ConvBn("b", x, 4, 3, 1, 1, Op::kInput);
    builder.Output(builder.Add("sum", a, b));
    return GraphKey(std::move(builder).Build(), Precision::kFp32);
  };
  EXPECT_NE(make(true), make(false));
}

TEST(Fold, TakesBatchNormIntoConv) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {1, 1, 1});
  builder.Output(builder.ConvBn("a", x, 1, 1, 1, 1, Op::kInput));
  const Graph graph = std::move(builder).Build();
  Weights weights = RandomWeights(graph, 1);
  weights["a.conv.weight"].data = {3};
  weights["a.bn.weight"].data = {2};
  weights["a.bn.bias"].data = {5};
  weights["a.bn.running_mean"].data = {7};
  weights["a.bn.running_var"].data = {4 - 1e-5f};
  const Network folded = FoldBatchNorm(graph, weights);
  EXPECT_EQ(folded.graph.size(), 2);
  EXPECT_FLOAT_EQ(folded.weights.at("a.conv.weight").data[0], 3);    // 3 * 2 / 2
  EXPECT_FLOAT_EQ(folded.weights.at("a.conv.bias").data[0], 5 - 7);  // 5 - 7 * 2 / 2
  weights.erase("a.bn.bias");
  EXPECT_THROW(FoldBatchNorm(graph, weights), Error);
}

TEST(Fold, KeepsSectionsAndLoneBatchNorms) {
  GraphBuilder builder;
  builder.BeginSection("one");
  NodeId x = builder.Input("x", {2, 2, 2});
  x = builder.BatchNorm("bn", x);
  builder.BeginSection("two");
  builder.Output(builder.ConvBn("a", x, 2, 3, 1, 1, Op::kRelu6));
  const Graph graph = std::move(builder).Build();
  const Network folded = FoldBatchNorm(graph, RandomWeights(graph, 1));
  ASSERT_EQ(folded.graph.sections().size(), 2u);
  EXPECT_EQ(folded.graph.sections()[1].first, 2);
  EXPECT_EQ(folded.graph.node(1).op, Op::kConv);
  CheckWeights(folded.graph, folded.weights, "test");
}

TEST(Weights, ChecksFindFaults) {
  const Graph graph = Small("");
  Weights weights = RandomWeights(graph, 3);
  CheckWeights(graph, weights, "test");
  weights["a.conv.weight"].data[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(CheckWeights(graph, weights, "test"), Error);
}

TEST(Weights, ForTimingNoBiasOfTheFoldedNetworkIsZero) {
  const Graph graph = Small("");
  const Network folded = FoldBatchNorm(graph, TimingWeights(graph, 3));
  int biases = 0;
  for (const auto& [name, tensor] : folded.weights) {
    if (!name.ends_with(".bias")) continue;
    ++biases;
    for (const float value : tensor.data) EXPECT_NE(value, 0) << name;
  }
  EXPECT_GT(biases, 0);
}

TEST(Precision, NamesRoundTrip) {
  for (const char* name : {"fp32", "bf16", "fp16", "int8", "int16x8"})
    EXPECT_EQ(PrecisionName(ParsePrecision(name)), name);
  EXPECT_THROW(ParsePrecision("16-bit"), Error);
}

}  // namespace
}  // namespace hot
