#include "blocks/block.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/error.h"
#include "graph/costs.h"
#include "graph/fold.h"

namespace hot {
namespace {

Graph Alone(const Block& block, const BlockSpec& spec, Shape in) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", in);
  builder.Output(block.Build(builder, x, spec, "b"));
  return std::move(builder).Build();
}

// What every block type owes its users, whatever it computes.
class BlockContract : public testing::TestWithParam<const Block*> {};

TEST_P(BlockContract, GivesTheAskedShape) {
  for (int kernel : {3, 5}) {
    for (int stride : {1, 2}) {
      for (int expansion : {1, 3, 6, 9}) {
        for (int side : {7, 8}) {
          const Graph graph = Alone(*GetParam(), {24, stride, kernel, expansion}, {16, side, side});
          const int out = (side + stride - 1) / stride;
          EXPECT_EQ(graph.node(graph.outputs()[0]).shape, (Shape{24, out, out}));
          CheckWeights(graph, RandomWeights(graph, 1), "test");
        }
      }
    }
  }
}

// The summands of the only addition; none when there is no addition.
std::vector<NodeId> Summands(const Graph& graph) {
  std::vector<NodeId> summands;
  for (const Node& node : graph.nodes()) {
    if (node.op != Op::kAdd) continue;
    EXPECT_TRUE(summands.empty());
    summands = node.inputs;
  }
  return summands;
}

// Whether it ends in a batch norm; else it must end in a ReLU.
bool EndsLinear(const Graph& graph) {
  const Op last = graph.node(graph.outputs()[0]).op;
  EXPECT_TRUE(last == Op::kBatchNorm || last == Op::kRelu) << OpName(last);
  return last == Op::kBatchNorm;
}

TEST_P(BlockContract, HasAResidualWhereShapesAgreeAndElseNoneOrAProjection) {
  const Graph same = Alone(*GetParam(), {16, 1, 3, 6}, {16, 8, 8});
  ASSERT_EQ(Summands(same).size(), 2u);
  EXPECT_EQ(Summands(same)[0], same.inputs()[0]);
  for (const auto& [out, stride] : {std::pair{24, 1}, {16, 2}}) {
    const Graph other = Alone(*GetParam(), {out, stride, 3, 6}, {16, 8, 8});
    const std::vector<NodeId> summands = Summands(other);
    EXPECT_EQ(summands.empty(), EndsLinear(other));
    if (summands.empty()) continue;
    const Node& projection = other.node(other.node(summands[0]).inputs[0]);  // before its batch norm
    EXPECT_EQ(projection.inputs, other.inputs());
    EXPECT_EQ(projection.attrs, (Attrs{.out_channels = out, .kernel = 1, .stride = stride}));
  }
}

TEST_P(BlockContract, PrefixesEveryName) {
  const Graph graph = Alone(*GetParam(), {16, 1, 3, 6}, {16, 8, 8});
  for (NodeId id = 1; id < graph.size(); ++id)
    EXPECT_TRUE(graph.node(id).name.starts_with("b.")) << graph.node(id).name;
}

INSTANTIATE_TEST_SUITE_P(All, BlockContract, testing::ValuesIn(AllBlocks().begin(), AllBlocks().end()),
                         [](const auto& info) { return std::string(info.param->type()); });

TEST(Blocks, MacsByHand) {
  const auto macs = [](const char* type) {
    return ComputeCosts(Alone(FindBlock(type), {16, 1, 3, 6}, {16, 4, 4}), Precision::kFp32).macs;
  };
  EXPECT_EQ(macs("irb"), 16 * (16 * 96 + 96 * 9 + 96 * 16));
  EXPECT_EQ(macs("fused"), 16 * (16 * 96 * 9 + 96 * 16));
  EXPECT_EQ(macs("sandglass"), 16 * (16 * 9 + 16 * 8 + 8 * 16 + 16 * 9));
  EXPECT_EQ(macs("basic"), 16 * (16 * 8 * 9 + 8 * 16 * 9));
  EXPECT_EQ(macs("bottleneck"), 16 * (16 * 8 + 8 * 8 * 9 + 8 * 16));
}

// The stride is the kxk's: the first 1x1 sees the whole map.
TEST(Blocks, ABottleneckLosesNoPixelsBeforeItsMiddle) {
  const Graph graph = Alone(FindBlock("bottleneck"), {32, 2, 5, 4}, {16, 8, 8});
  for (const Node& node : graph.nodes()) {
    if (node.name == "b.reduce.act") {
      EXPECT_EQ(node.shape, (Shape{8, 8, 8}));
    }
    if (node.name == "b.middle.act") {
      EXPECT_EQ(node.shape, (Shape{8, 4, 4}));
    }
  }
}

TEST(Blocks, RoundsChannelsAsMobileNetV2) {
  struct Case {
    double channels;
    int rounded;
  };
  for (const Case& c :
       {Case{32 * 0.35, 16}, {16 * 0.35, 8}, {24 * 0.7, 16}, {96 * 0.7, 64}, {320 * 1.3, 416}, {1, 8}}) {
    EXPECT_EQ(RoundChannels(c.channels), c.rounded) << c.channels;
  }
}

TEST(Blocks, UnknownTypeNamesTheKnownOnes) {
  try {
    FindBlock("resnext");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("irb, fused, sandglass"), std::string::npos);
  }
}

}  // namespace
}  // namespace hot
