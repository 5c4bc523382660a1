#include "models/pretrained/channels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "blocks/block.h"
#include "graph/fold.h"

namespace hot {
namespace {

// Two blocks, of which the second has a residual connection.
Graph Slot(const std::string& type, int kernel, int expansion, int channels = 16) {
  GraphBuilder builder;
  const BlockSpec spec{.out_channels = 16, .kernel = kernel, .expansion = expansion};
  const NodeId x = builder.Input("x", {channels, 8, 8});
  const NodeId y = FindBlock(type).Build(builder, x, spec, "slot2.0");
  builder.Output(FindBlock(type).Build(builder, y, spec, "slot2.1"));
  return std::move(builder).Build();
}

// As if trained: no two channels alike.
Weights Trained(const Graph& graph) {
  Weights weights = RandomWeights(graph, 1);
  int at = 0;
  for (auto& [name, tensor] : weights) {
    if (name.find(".bn.") == std::string::npos) continue;
    for (float& value : tensor.data) value = 0.1f + static_cast<float>(++at * 37 % 101) / 100;
  }
  return weights;
}

TEST(InheritChannels, TheSameLayersTakeEverything) {
  for (const char* type : {"irb", "fused", "sandglass", "basic", "bottleneck"}) {
    const Graph graph = Slot(type, 3, 4);
    const Weights theirs = Trained(graph);
    Weights weights = RandomWeights(graph, 2);
    EXPECT_TRUE(InheritChannels(graph, "slot2", theirs, weights)) << type;
    for (const auto& [name, tensor] : theirs) EXPECT_EQ(weights.at(name).data, tensor.data) << type << " " << name;
  }
}

TEST(InheritChannels, TheChannelsThatWeighMostStayTogether) {
  const Graph large = Slot("irb", 3, 4), small = Slot("irb", 3, 2);
  Weights theirs = Trained(large);
  // Of the first block the odd channels: what reads them is ten times as strong.
  Tensor& reader = theirs.at("slot2.0.project.conv.weight");
  for (size_t at = 0; at < reader.data.size(); ++at) reader.data[at] = at % 2 == 0 ? 0.01f : 0.5f;
  Weights weights = RandomWeights(small, 2);
  ASSERT_TRUE(InheritChannels(small, "slot2", theirs, weights));
  for (const char* layer :
       {"expand.conv.weight", "expand.bn.bias", "depthwise.conv.weight", "depthwise.bn.running_var"}) {
    const Tensor &ours = weights.at(std::string("slot2.0.") + layer), &all = theirs.at(std::string("slot2.0.") + layer);
    const auto size = static_cast<size_t>(ours.size() / ours.shape[0]);
    for (size_t c = 0; c < 32; ++c) {
      for (size_t i = 0; i < size; ++i) EXPECT_EQ(ours.data[c * size + i], all.data[(2 * c + 1) * size + i]) << layer;
    }
  }
  EXPECT_EQ(weights.at("slot2.0.project.conv.weight").data, std::vector<float>(16 * 32, 0.5f));
  EXPECT_EQ(weights.at("slot2.0.project.bn.weight").data, theirs.at("slot2.0.project.bn.weight").data);
}

// gamma is what a channel is multiplied with last.
TEST(InheritChannels, AChannelWithoutGammaWeighsNothing) {
  const Graph large = Slot("basic", 3, 1), small = Slot("basic", 3, 2);
  Weights theirs = Trained(large);
  for (size_t c = 0; c < 8; ++c) theirs.at("slot2.1.first.bn.weight").data[c] = 0;
  Weights weights = RandomWeights(small, 2);
  ASSERT_TRUE(InheritChannels(small, "slot2", theirs, weights));
  const Tensor &ours = weights.at("slot2.1.first.bn.weight"), &all = theirs.at("slot2.1.first.bn.weight");
  EXPECT_TRUE(std::equal(ours.data.begin(), ours.data.end(), all.data.begin() + 8));
}

TEST(InheritChannels, MoreChannelsAndALargerKernelComputeTheSame) {
  const Graph small = Slot("irb", 3, 2), large = Slot("irb", 5, 3);
  const Weights theirs = Trained(small);
  const Weights random = RandomWeights(large, 2);
  Weights weights = random;
  ASSERT_TRUE(InheritChannels(large, "slot2", theirs, weights));
  const Tensor &kernel = weights.at("slot2.1.depthwise.conv.weight"), &of = theirs.at("slot2.1.depthwise.conv.weight");
  const Tensor& project = weights.at("slot2.1.project.conv.weight");
  for (size_t c = 0; c < 48; ++c) {
    for (size_t at = 0; at < 25; ++at) {
      const size_t y = at / 5, x = at % 5;
      const bool inside = x >= 1 && x <= 3 && y >= 1 && y <= 3;
      const float expected = c >= 32  ? random.at("slot2.1.depthwise.conv.weight").data[c * 25 + at]
                             : inside ? of.data[c * 9 + (y - 1) * 3 + x - 1]
                                      : 0;
      EXPECT_EQ(kernel.data[c * 25 + at], expected) << c << " " << at;
    }
    for (size_t out = 0; out < 16; ++out) {
      const float taken = c < 32 ? theirs.at("slot2.1.project.conv.weight").data[out * 32 + c] : 0;
      EXPECT_EQ(project.data[out * 48 + c], taken);
    }
  }
}

TEST(InheritChannels, OtherLayersTakeNothing) {
  const Weights theirs = Trained(Slot("irb", 3, 4));
  const std::pair<const char*, Graph> cases[] = {{"fused", Slot("fused", 3, 4)},
                                                 {"sandglass", Slot("sandglass", 3, 4)},
                                                 {"no expansion", Slot("irb", 3, 1)},
                                                 {"another input", Slot("irb", 3, 2, 24)}};
  for (const auto& [name, graph] : cases) {
    const Weights random = RandomWeights(graph, 2);
    Weights weights = random;
    EXPECT_FALSE(InheritChannels(graph, "slot2", theirs, weights)) << name;
    for (const auto& [parameter, tensor] : random) EXPECT_EQ(weights.at(parameter).data, tensor.data) << name;
  }
  Weights lacking = theirs;
  lacking.erase("slot2.1.expand.bn.bias");
  const Graph graph = Slot("irb", 3, 2);
  Weights weights = RandomWeights(graph, 2);
  EXPECT_FALSE(InheritChannels(graph, "slot2", lacking, weights));
  EXPECT_FALSE(InheritChannels(graph, "slot3", theirs, weights));
}

}  // namespace
}  // namespace hot
