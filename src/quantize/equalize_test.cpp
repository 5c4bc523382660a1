#include "quantize/equalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace hot {
namespace {

using ::testing::ElementsAre;

// expand -> act -> depthwise -> act -> project, then a residual addition and a head.
Network Block(Op activation) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {4, 6, 6});
  NodeId y = builder.ConvBn("expand", x, 8, 1, 1, 1, activation);
  y = builder.ConvBn("depth", y, 8, 3, 1, 8, activation);
  y = builder.ConvBn("project", y, 4, 1, 1, 1, Op::kInput);
  y = builder.Add("add", x, y);
  builder.Output(builder.Conv("head", y, {.out_channels = 3, .bias = true}));
  const Graph graph = std::move(builder).Build();
  return FoldBatchNorm(graph, TimingWeights(graph, 3));
}

float Largest(const Tensor& weight, size_t row, size_t rows) {
  const size_t size = weight.data.size() / rows;
  float largest = 0;
  for (size_t i = 0; i < size; ++i) largest = std::max(largest, std::abs(weight.data[row * size + i]));
  return largest;
}

std::map<std::string, std::vector<float>> Maxima(float small, float large) {
  std::vector<float> channels(8, large);
  channels[2] = small;
  return {{"expand.act", channels}, {"depth.act", channels}};
}

TEST(EqualizableNodes, AreThoseThatOneConvolutionReads) {
  EXPECT_THAT(EqualizableNodes(Block(Op::kRelu6).graph), ElementsAre("expand.act", "depth.act"));
}

TEST(Equalize, ADepthwiseReaderTakesTheWholeFactor) {
  Network network = Block(Op::kRelu);
  const Network before = network;
  Equalize(network, Maxima(0.25f, 2));
  const Tensor &expand = network.weights.at("expand.conv.weight"), &old = before.weights.at("expand.conv.weight");
  EXPECT_NEAR(Largest(expand, 2, 8), 8 * Largest(old, 2, 8), 1e-5) << "0.25 becomes 2, the tensor's largest";
  EXPECT_FLOAT_EQ(Largest(expand, 1, 8), Largest(old, 1, 8));
  EXPECT_NEAR(network.weights.at("expand.conv.bias").data[2], 8 * before.weights.at("expand.conv.bias").data[2], 1e-5);
  // Channel 2 of the depthwise convolution is divided by 8 for what it reads, then multiplied for what it gives.
  const auto& project = network.weights.at("project.conv.weight").data;
  const float factor = before.weights.at("project.conv.weight").data[2] / project[2];
  EXPECT_NEAR(Largest(network.weights.at("depth.conv.weight"), 2, 8),
              factor / 8 * Largest(before.weights.at("depth.conv.weight"), 2, 8), 1e-5);
  EXPECT_GT(factor, 1.5);
}

// The product of what is before and behind a channel stays the same, so that the network computes what it did.
TEST(Equalize, FactorsCancel) {
  for (const Op activation : {Op::kRelu, Op::kRelu6}) {
    Network network = Block(activation);
    const Network before = network;
    Equalize(network, Maxima(0.25f, 2));
    const auto product = [](const Network& n, size_t c) {
      double value = n.weights.at("expand.conv.weight").data[c * 4] * n.weights.at("depth.conv.weight").data[c * 9];
      return value * n.weights.at("project.conv.weight").data[c];
    };
    for (size_t c = 0; c < 8; ++c) EXPECT_NEAR(product(network, c) / product(before, c), 1, 1e-4) << c;
  }
}

TEST(Equalize, ReLU6KeepsChannelsThatItClipsAndStaysBelowTheClip) {
  Network network = Block(Op::kRelu6);
  const Network before = network;
  Equalize(network, Maxima(0.25f, 6));
  const Tensor &expand = network.weights.at("expand.conv.weight"), &old = before.weights.at("expand.conv.weight");
  EXPECT_EQ(Largest(expand, 1, 8), Largest(old, 1, 8)) << "reached 6 in calibration";
  const float factor = Largest(expand, 2, 8) / Largest(old, 2, 8);
  EXPECT_GT(factor, 4);
  EXPECT_LE(0.25f * factor, 4.81f) << "a fifth of the range is left for other pictures";
}

TEST(Equalize, DeadChannelsStayAsTheyAre) {
  Network network = Block(Op::kRelu);
  const Network before = network;
  Equalize(network, Maxima(0, 2));
  EXPECT_EQ(Largest(network.weights.at("expand.conv.weight"), 2, 8),
            Largest(before.weights.at("expand.conv.weight"), 2, 8));
  for (const auto& [name, tensor] : network.weights) {
    for (const float value : tensor.data) EXPECT_TRUE(std::isfinite(value)) << name;
  }
}

TEST(Equalize, NeedsTheMaximaOfEveryNode) {
  Network network = Block(Op::kRelu);
  auto maxima = Maxima(1, 2);
  maxima.erase("depth.act");
  try {
    Equalize(network, maxima);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_EQ(error.where(), "node depth.act");
  }
}

}  // namespace
}  // namespace hot
