#include "models/search_space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "core/error.h"
#include "graph/costs.h"
#include "graph/key.h"

namespace hot {
namespace {

Graph Classifier(const Backbone& net) {
  return BuildClassifier(net, 1.0, BaselineChoices(net, 1.0, Precision::kFp32), {3, 224, 224}, 1000);
}

// Sandler et al., 2018, table 2: 17 bottlenecks; He et al., 2016, table 1: 8 and 16 blocks.
TEST(SearchSpace, BlocksAreThoseOfThePublishedNetworks) {
  for (const auto& [name, count] :
       {std::pair{"mobilenet_v2", 17u}, {"resnet18", 8u}, {"resnet34", 16u}, {"resnet50", 16u}}) {
    const Backbone& stages = FindBackbone(name);
    const SearchSpace blocks(stages, SlotSize::kBlock);
    const std::vector<Slot> slots = blocks.Slots(1.0, Precision::kFp32);
    ASSERT_EQ(slots.size(), count) << name;
    int index = 0;
    for (const Slot& stage : stages.Slots(1.0, Precision::kFp32)) {
      for (int repeat = 0; repeat < stage.repeats; ++repeat) {
        const Slot& slot = slots[static_cast<size_t>(index)];
        EXPECT_EQ(slot.index, ++index);
        EXPECT_EQ(slot.stage, stage.index);
        EXPECT_EQ(slot.first_repeat, repeat);
        EXPECT_EQ(slot.repeats, 1);
        EXPECT_EQ(slot.stride, repeat == 0 ? stage.stride : 1);
        EXPECT_EQ(slot.out_channels, stage.out_channels);
        EXPECT_EQ(slot.choices, stage.choices);
      }
    }
    // The same network, to the structure: published sizes hold (backbone_test.cpp).
    EXPECT_EQ(GraphKey(Classifier(blocks), Precision::kFp32), GraphKey(Classifier(stages), Precision::kFp32)) << name;
    EXPECT_EQ(Classifier(blocks).sections().size(), count + (stages.traits().has_tail ? 3u : 2u)) << name;
  }
}

TEST(SearchSpace, TapsStayWhereTheStridesAre) {
  for (const Backbone* stages : AllBackbones()) {
    const SearchSpace blocks(*stages, SlotSize::kBlock);
    const std::vector<Slot> slots = blocks.Slots(1.0, Precision::kFp32);
    const auto by_stage = SlotsByStride(*stages), by_block = SlotsByStride(blocks);
    ASSERT_EQ(by_stage.size(), by_block.size());
    for (const auto& [stride, stage] : by_stage) {
      const auto last =
          std::ranges::find_if(slots.rbegin(), slots.rend(), [&](const Slot& s) { return s.stage == stage; });
      EXPECT_EQ(by_block.at(stride), last->index) << stages->name() << " " << stride;
    }
  }
}

TEST(SearchSpace, AFinerSpaceMixesBlocksWithinAStage) {
  const SearchSpace blocks(FindBackbone("mobilenet_v2"), SlotSize::kBlock);
  std::vector<Choice> choices = BaselineChoices(blocks, 1.0, Precision::kFp32);
  choices[2] = Choice::Parse("fused-k5-e3");  // the second block of stage 2
  GraphBuilder builder;
  const Features features = BuildBackbone(builder, builder.Input("image", {3, 64, 64}), blocks, 1.0, choices);
  EXPECT_EQ(builder.shape(features.slots.at(4).node), (Shape{24, 16, 16}));
  EXPECT_EQ(features.slots.at(4).slot, 3);
}

// What tells choices of one block and kernel apart is the width of their middle, by the blocks' definitions.
int MiddleWidth(const Choice& choice, int in, int out) {
  if (choice.block == "irb" || choice.block == "fused") return in * choice.expansion;
  if (choice.block == "sandglass") {
    return std::max(RoundChannels(static_cast<double>(in) / choice.expansion), RoundChannels(out / 6.0));
  }
  return RoundChannels(static_cast<double>(out) / choice.expansion);
}

TEST(SearchSpace, DoublesOfTheFinerSpaceAreDropped) {
  for (const Backbone* stages : AllBackbones()) {
    for (const double width : {0.35, 1.0}) {
      const SearchSpace blocks(*stages, SlotSize::kBlock);
      const auto inputs = SlotInputShapes(blocks, width, {3, 96, 96});
      for (const Slot& slot : blocks.Slots(width, Precision::kInt8)) {
        const Shape input = inputs[static_cast<size_t>(slot.index - 1)];
        std::set<std::tuple<std::string, int, int>> expected, found;
        for (const Choice& choice : slot.choices) {
          expected.emplace(choice.block, choice.kernel, MiddleWidth(choice, input.c, slot.out_channels));
        }
        const std::vector<Choice> distinct = DistinctChoices(slot, input);
        for (const Choice& choice : distinct) {
          found.emplace(choice.block, choice.kernel, MiddleWidth(choice, input.c, slot.out_channels));
        }
        EXPECT_EQ(found, expected) << stages->name() << " " << slot.index;
        EXPECT_EQ(distinct.size(), expected.size()) << stages->name() << " " << slot.index;
        EXPECT_EQ(std::ranges::count(distinct, slot.baseline), 1) << stages->name() << " " << slot.index;
      }
    }
  }
}

TEST(SearchSpace, TakesTheStudysChoices) {
  const SearchSpace space(FindBackbone("mobilenet_v2"), SlotSize::kStage,
                          {{2, {Choice::Parse("irb-k7-e9"), Choice::Parse("sandglass-k3-e2")}}});
  const std::vector<Slot> slots = space.Slots(1.0, Precision::kInt8);
  ASSERT_EQ(slots[1].choices.size(), 2u);
  EXPECT_EQ(slots[1].choices[0].Name(), "sandglass-k3-e2@int8");  // by rising expansion
  EXPECT_EQ(slots[1].choices[1].Name(), "irb-k7-e9@int8");
  EXPECT_EQ(slots[1].baseline.Name(), "irb-k3-e6@int8");
  EXPECT_EQ(slots[2].choices.size(), 18u);
}

TEST(SearchSpace, DoublesAreNamedByTheLowestExpansionOrAsTheBaseline) {
  // 24 -> 24 channels: at e 3 and above the middle of a sandglass is 8 wide.
  std::vector<Choice> listed;
  for (const char* name : {"sandglass-k3-e9", "sandglass-k3-e3", "irb-k3-e6", "sandglass-k3-e32"}) {
    listed.push_back(Choice::Parse(name));
  }
  const SearchSpace space(FindBackbone("mobilenet_v2"), SlotSize::kBlock, {{3, listed}});
  Slot slot = space.Slots(1.0, Precision::kFp32)[2];
  const auto names = [&] {
    std::vector<std::string> found;
    for (const Choice& choice : DistinctChoices(slot, {24, 20, 20})) found.push_back(choice.Name());
    return found;
  };
  EXPECT_EQ(names(), (std::vector<std::string>{"sandglass-k3-e3@fp32", "irb-k3-e6@fp32"}));
  slot.baseline = Choice::Parse("sandglass-k3-e9");
  EXPECT_EQ(names(), (std::vector<std::string>{"sandglass-k3-e9@fp32", "irb-k3-e6@fp32"}));
}

TEST(SearchSpace, RefusesSlotsThatAreNone) {
  const Backbone& net = FindBackbone("resnet18");
  for (const int slot : {0, 5}) {
    EXPECT_THROW(SearchSpace(net, SlotSize::kStage, {{slot, {Choice::Parse("basic-k3-e1")}}}), Error) << slot;
  }
  EXPECT_NO_THROW(SearchSpace(net, SlotSize::kBlock, {{5, {Choice::Parse("basic-k3-e1")}}}));
  EXPECT_THROW(SearchSpace(net, SlotSize::kStage, {{1, {}}}), Error);
  EXPECT_THROW(ParseSlotSize("layer"), Error);
  for (const SlotSize size : {SlotSize::kStage, SlotSize::kBlock}) EXPECT_EQ(ParseSlotSize(SlotSizeName(size)), size);
}

}  // namespace
}  // namespace hot
