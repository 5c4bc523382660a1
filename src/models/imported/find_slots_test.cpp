#include "models/imported/find_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/costs.h"
#include "graph/key.h"
#include "models/imported/imported_backbone.h"
#include "models/search_space.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Key(const Graph& graph) { return GraphKey(graph, Precision::kFp32); }

constexpr double kWidth = 0.25;  // small, so that random weights take no time

Network Published(const std::string& backbone, bool folded) {
  const Backbone& net = FindBackbone(backbone);
  const Graph graph = BuildClassifier(net, kWidth, BaselineChoices(net, kWidth, Precision::kFp32), {3, 64, 64}, 10);
  const Weights weights = RandomWeights(graph, 1);
  return folded ? FoldBatchNorm(graph, weights) : Network{graph, weights};
}

// As a reader gives it: without sections, under other names.
Network Anonymous(const Network& network) {
  GraphBuilder builder;
  Network anonymous;
  const auto name_of = [](NodeId id) { return "n" + std::to_string(id); };
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    const Node& node = network.graph.node(id);
    builder.Copy(node, name_of(id), node.inputs);
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
      const auto found = network.weights.find(node.name + part);
      if (found != network.weights.end()) anonymous.weights[name_of(id) + part] = found->second;
    }
  }
  for (const NodeId output : network.graph.outputs()) builder.Output(output);
  anonymous.graph = std::move(builder).Build();
  return anonymous;
}

std::vector<std::string> SectionNames(const SlottedNetwork& slotted) {
  std::vector<std::string> names;
  for (const FoundSection& section : slotted.sections) names.push_back(section.name);
  return names;
}

struct PublishedCase {
  const char* backbone;
  bool folded;
};

class PublishedNetworks : public testing::TestWithParam<PublishedCase> {};

// The networks that we can build ourselves come back as ours: sections, names, weights, slots, choices.
TEST_P(PublishedNetworks, ComeBack) {
  const Backbone& net = FindBackbone(GetParam().backbone);
  const Network ours = Published(GetParam().backbone, GetParam().folded);
  const SlottedNetwork found = FindSlots(Anonymous(ours), "test");
  EXPECT_EQ(Key(found.network.graph), Key(ours.graph));
  ASSERT_EQ(found.network.graph.sections().size(), ours.graph.sections().size());
  for (size_t i = 0; i < ours.graph.sections().size(); ++i)
    EXPECT_EQ(found.network.graph.sections()[i].name, ours.graph.sections()[i].name);
  for (const auto& [name, tensor] : ours.weights) {
    if (name.starts_with("stem.") || name.starts_with("slot") || name.starts_with("head."))
      EXPECT_EQ(found.network.weights.at(name).data, tensor.data) << name;
  }
  const ImportedBackbone imported(found.network.graph, "import:test");
  const std::vector<Slot> slots = imported.Slots(1.0, Precision::kInt8), expected = net.Slots(kWidth, Precision::kInt8);
  ASSERT_EQ(slots.size(), expected.size());
  const auto inputs = SlotInputShapes(imported, 1.0, {3, 64, 64});
  for (size_t i = 0; i < slots.size(); ++i) {
    EXPECT_EQ(slots[i].stride, expected[i].stride);
    EXPECT_EQ(slots[i].repeats, expected[i].repeats);
    EXPECT_EQ(slots[i].baseline.block, kOriginal);
    EXPECT_EQ(slots[i].baseline.kernel, expected[i].baseline.kernel);
    EXPECT_EQ(slots[i].baseline.expansion, expected[i].baseline.expansion);
    EXPECT_EQ(DistinctChoices(slots[i], inputs[i]).size(), DistinctChoices(expected[i], inputs[i]).size());
  }
  EXPECT_EQ(SlotsByStride(imported), SlotsByStride(net));
  EXPECT_EQ(imported.traits().narrow_slots, net.traits().narrow_slots);
  EXPECT_EQ(imported.traits().has_tail, net.traits().has_tail);
}

TEST_P(PublishedNetworks, AreRebuiltFromTheirSlots) {
  const Network ours = Published(GetParam().backbone, GetParam().folded);
  const SlottedNetwork found = FindSlots(Anonymous(ours), "test");
  const ImportedBackbone imported(found.network.graph, "import:test");
  const auto baseline = BaselineChoices(imported, 1.0, Precision::kFp32);
  EXPECT_EQ(Key(BuildClassifier(imported, 1.0, baseline, {3, 64, 64}, 10)), Key(ours.graph));
  const SearchSpace blocks(imported, SlotSize::kBlock);
  const Graph by_block = BuildClassifier(blocks, 1.0, BaselineChoices(blocks, 1.0, Precision::kFp32), {3, 64, 64}, 10);
  EXPECT_EQ(Key(by_block), Key(ours.graph));
  const Graph larger = BuildClassifier(imported, 1.0, baseline, {3, 96, 96}, 10);
  EXPECT_EQ(ComputeCosts(larger, Precision::kFp32).params, ComputeCosts(ours.graph, Precision::kFp32).params);
}

INSTANTIATE_TEST_SUITE_P(Ours, PublishedNetworks,
                         testing::Values(PublishedCase{"mobilenet_v2", false}, PublishedCase{"mobilenet_v2", true},
                                         PublishedCase{"resnet18", false}, PublishedCase{"resnet18", true},
                                         PublishedCase{"resnet50", true}),
                         [](const auto& info) {
                           return std::string(info.param.backbone) + (info.param.folded ? "Folded" : "");
                         });

// A block of MobileNetV3: hard swish, squeeze-and-excitation, an expansion that is no whole number.
NodeId SwishBlock(GraphBuilder& b, NodeId x, int hidden, int out, const std::string& name) {
  NodeId y = b.ConvBn(name + "a", x, hidden, 1, 1, 1, Op::kHardSwish);
  y = b.ConvBn(name + "b", y, hidden, 5, 1, hidden, Op::kHardSwish);
  NodeId gate = b.Conv(name + "s", b.Unary(Op::kGlobalAvgPool, name + "p", y), {.out_channels = 8, .bias = true});
  gate = b.Conv(name + "e", b.Unary(Op::kRelu, name + "r", gate), {.out_channels = hidden, .bias = true});
  y = b.Mul(name + "m", y, b.Unary(Op::kHardSigmoid, name + "g", gate));
  y = b.ConvBn(name + "c", y, out, 1, 1, 1, Op::kInput);
  return out == b.shape(x).c ? b.Add(name + "d", x, y) : y;
}

Network WithWeights(Graph graph) {
  Weights weights = RandomWeights(graph, 3);
  return {std::move(graph), std::move(weights)};
}

TEST(FindSlots, MobileNetV3Blocks) {
  GraphBuilder b;
  NodeId x = b.ConvBn("s", b.Input("x", {3, 32, 32}), 16, 3, 2, 1, Op::kHardSwish);
  x = SwishBlock(b, x, 40, 24, "one");
  x = SwishBlock(b, x, 72, 24, "two");
  x = b.Unary(Op::kHardSwish, "h", b.Linear("hidden", b.Unary(Op::kGlobalAvgPool, "p", x), 32));
  b.Output(b.Linear("last", x, 5));
  const Network network = WithWeights(std::move(b).Build());
  const SlottedNetwork found = FindSlots(network, "test");
  EXPECT_THAT(SectionNames(found), ElementsAre("stem", "slot1", "tail", "head"));
  ASSERT_EQ(found.sections[1].blocks.size(), 2u);
  EXPECT_EQ(found.sections[1].blocks[0].Text(), "irb-k5 (hard_swish, squeeze-and-excitation)");
  EXPECT_EQ(found.sections[1].blocks[1].Text(), "irb-k5-e3 (hard_swish, squeeze-and-excitation)");
  EXPECT_EQ(Key(found.network.graph), Key(network.graph));
  const ImportedBackbone imported(found.network.graph, "import:test");
  EXPECT_EQ(imported.Slots(1.0, Precision::kFp32)[0].choices.size(), 19u);  // those of MobileNetV2, and the original
  const auto baseline = BaselineChoices(imported, 1.0, Precision::kFp32);
  EXPECT_EQ(ComputeCosts(BuildClassifier(imported, 1.0, baseline, {3, 32, 32}, 5), Precision::kFp32).params,
            ComputeCosts(network.graph, Precision::kFp32).params);
}

// A detector's head reads the inside of one block and the end of another.
TEST(FindSlots, WhatAHeadReadsFromInsideIsKept) {
  GraphBuilder b;
  NodeId x = b.ConvBn("s", b.Input("x", {3, 32, 32}), 16, 3, 2, 1, Op::kRelu6);
  const auto block = [&](const std::string& name, int out, int stride) {
    const NodeId wide = b.ConvBn(name + "a", x, 48, 1, 1, 1, Op::kRelu6);
    x = b.ConvBn(name + "b", wide, 48, 3, stride, 48, Op::kRelu6);
    x = b.ConvBn(name + "c", x, out, 1, 1, 1, Op::kInput);
    return wide;
  };
  block("one", 24, 1);
  const NodeId inside = block("two", 32, 2);
  block("three", 40, 1);
  b.Output(b.Conv("fine", inside, {.out_channels = 4}));
  b.Output(b.Conv("coarse", x, {.out_channels = 4}));
  const Network network = WithWeights(std::move(b).Build());
  const SlottedNetwork found = FindSlots(network, "test");
  EXPECT_THAT(SectionNames(found), ElementsAre("stem", "slot1", "slot2", "slot3", "slot4", "head"));
  EXPECT_TRUE(found.sections[2].blocks.empty());
  EXPECT_EQ(found.sections[2].reason, "the head reads its twoa.act");
  EXPECT_EQ(Key(found.network.graph), Key(network.graph));
  const ImportedBackbone imported(found.network.graph, "import:test");
  const std::vector<Slot> slots = imported.Slots(1.0, Precision::kFp32);
  EXPECT_THAT(slots[1].choices, ElementsAre(slots[1].baseline));
  EXPECT_EQ(found.sections[3].blocks.at(0).Text(), "irb-k3-e1");  // what is left of that block
  EXPECT_EQ(SlotsByStride(imported), (std::map<int, int>{{2, 2}, {4, 4}}));
}

TEST(FindSlots, NetworksWithoutKnownBlocksAreRefused) {
  GraphBuilder b;
  const NodeId x = b.ConvBn("s", b.Input("x", {3, 32, 32}), 16, 3, 2, 1, Op::kRelu);
  b.Output(b.ConvBn("t", x, 16, 3, 1, 1, Op::kRelu));
  try {
    FindSlots(WithWeights(std::move(b).Build()), "model.onnx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    EXPECT_THAT(std::string(error.what()), HasSubstr("model.onnx: has no block that is known"));
  }
}

TEST(ImportedBackbone, RefusesGraphsThatAreNoImports) {
  const Graph graph = Published("resnet18", false).graph;
  EXPECT_NO_THROW(ImportedBackbone(graph, "import:x"));
  GraphBuilder b;  // no sections
  b.Output(b.Unary(Op::kRelu, "r", b.Input("x", {3, 4, 4})));
  EXPECT_THROW(ImportedBackbone(std::move(b).Build(), "import:x"), Error);
  GraphBuilder skips;  // a slot that reads what is before the stem
  const NodeId x = skips.Input("x", {3, 4, 4});
  skips.BeginSection("stem");
  const NodeId stem = skips.Unary(Op::kRelu, "stem.act", x);
  skips.BeginSection("slot1");
  skips.Output(skips.Add("slot1.0.add", stem, x));
  EXPECT_THROW(ImportedBackbone(std::move(skips).Build(), "import:x"), Error);
  EXPECT_THROW(ImportedBackbone(graph, "import:x").Slots(0.5, Precision::kFp32), Error);
}

}  // namespace
}  // namespace hot
