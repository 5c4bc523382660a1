#include "models/backbone.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "graph/costs.h"

namespace hot {
namespace {

const Backbone& Net() { return FindBackbone("mobilenet_v2"); }

TEST(MobileNetV2, HasThePublishedSize) {  // Sandler et al., 2018, table 4: 3.4 M parameters, 300 M MACs
  const Graph graph = BuildClassifier(Net(), 1.0, BaselineChoices(Net(), 1.0, Precision::kFp32), {3, 224, 224}, 1000);
  const Costs costs = ComputeCosts(graph, Precision::kFp32);
  EXPECT_EQ(costs.params, 3'504'872);
  EXPECT_NEAR(static_cast<double>(costs.macs), 300.8e6, 0.05e6);
  EXPECT_EQ(graph.sections().size(), 10u);  // stem, seven slots, tail, head
}

TEST(MobileNetV2, SlotsHaveThePublishedStrides) {
  const auto shapes = SlotInputShapes(Net(), 1.0, {3, 320, 320});
  ASSERT_EQ(shapes.size(), 8u);
  const std::vector<Shape> expected{{32, 160, 160}, {16, 160, 160}, {24, 80, 80},  {32, 40, 40},
                                    {64, 20, 20},   {96, 20, 20},   {160, 10, 10}, {320, 10, 10}};
  EXPECT_EQ(shapes, expected);
}

struct PublishedSize {
  const char* name;
  int64_t params, macs;
};

// Parameters as torchvision and timm count them, and the MACs of convolutions and classifier at 224 x 224, with the 3x3
// of bottlenecks at the stride (torchvision's model cards: 1.814, 3.664, 4.089 G).
class ResNets : public testing::TestWithParam<PublishedSize> {};

TEST_P(ResNets, HaveThePublishedSize) {
  const Backbone& net = FindBackbone(GetParam().name);
  const Graph graph = BuildClassifier(net, 1.0, BaselineChoices(net, 1.0, Precision::kFp32), {3, 224, 224}, 1000);
  const Costs costs = ComputeCosts(graph, Precision::kFp32);
  EXPECT_EQ(costs.params, GetParam().params);
  EXPECT_EQ(costs.macs, GetParam().macs);
  EXPECT_EQ(graph.sections().size(), 6u);  // stem, four slots, head
}

INSTANTIATE_TEST_SUITE_P(Published, ResNets,
                         testing::Values(PublishedSize{"resnet18", 11'689'512, 1'814'073'344},
                                         PublishedSize{"resnet34", 21'797'672, 3'663'761'408},
                                         PublishedSize{"resnet50", 25'557'032, 4'089'184'256}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ResNet, WidthScalesStemAndStages) {
  const Backbone& net = FindBackbone("resnet50");
  const std::vector<Shape> expected{{16, 56, 56}, {64, 56, 56}, {128, 28, 28}, {256, 14, 14}, {512, 7, 7}};
  EXPECT_EQ(SlotInputShapes(net, 0.25, {3, 224, 224}), expected);
}

// In each slot of one width, and the widths at which roundings make doubles of some.
TEST(ResNet, SeedSpaceHasTheDocumentedChoices) {
  for (const auto& [name, count] : {std::pair{"resnet18", 30u}, {"resnet34", 30u}, {"resnet50", 18u}}) {
    const Backbone& net = FindBackbone(name);
    const auto inputs = SlotInputShapes(net, 1.0, {3, 96, 96});
    for (const Slot& slot : net.Slots(1.0, Precision::kInt8)) {
      EXPECT_EQ(slot.choices.size(), count) << name;
      EXPECT_EQ(std::count(slot.choices.begin(), slot.choices.end(), slot.baseline), 1) << name;
      EXPECT_EQ(DistinctChoices(slot, inputs[static_cast<size_t>(slot.index - 1)]).size(), count) << name;
    }
  }
  const Slot slot1 = FindBackbone("resnet18").Slots(0.25, Precision::kInt8)[0];  // 16 channels: 1/2 and 1/4 are 8
  const auto distinct = DistinctChoices(slot1, {16, 24, 24});
  EXPECT_EQ(distinct.size(), 30u - 2u - 2u - 2u);
  for (const Choice& choice : distinct) EXPECT_TRUE(choice.block == "irb" || choice.expansion < 4) << choice.Name();
}

// Strides are what SSD and CPN ask for; the source paper's slots for MobileNetV2.
TEST(Backbones, SayWhichSlotHasAStride) {
  using ByStride = std::map<int, int>;
  EXPECT_EQ(SlotsByStride(Net()), (ByStride{{2, 1}, {4, 2}, {8, 3}, {16, 5}, {32, 7}}));
  for (const char* name : {"resnet18", "resnet34", "resnet50"}) {
    EXPECT_EQ(SlotsByStride(FindBackbone(name)), (ByStride{{4, 1}, {8, 2}, {16, 3}, {32, 4}}));
  }
}

TEST(Backbones, FeaturesAreWhatTheStridesSay) {
  for (const Backbone* net : AllBackbones()) {
    for (const bool with_tail : {true, false}) {
      GraphBuilder builder;
      const NodeId image = builder.Input("image", {3, 96, 64});
      const auto choices = BaselineChoices(*net, 0.25, Precision::kFp32);
      const Features features = BuildBackbone(builder, image, *net, 0.25, choices, with_tail);
      for (const auto& [stride, slot] : SlotsByStride(*net)) {
        const auto& [found, node] = features.slots.at(stride);
        EXPECT_EQ(found, slot) << net->name();
        EXPECT_EQ(builder.shape(node).h, 96 / stride) << net->name();
        EXPECT_EQ(builder.shape(node).w, 64 / stride) << net->name();
      }
      EXPECT_EQ(features.tail >= 0, with_tail) << net->name();
      if (!with_tail) continue;
      EXPECT_EQ(features.tail == features.slots.at(32).node, !net->traits().has_tail) << net->name();
    }
  }
}

TEST(SeedSpace, Has114RowsAndNamesDoublesByLowestExpansion) {
  size_t rows = 0;
  for (const Slot& slot : Net().Slots(1.0, Precision::kInt8)) rows += slot.choices.size();
  EXPECT_EQ(rows, 6u + 6u * 18u);

  const Slot slot2 = Net().Slots(0.35, Precision::kInt8)[1];  // 8 -> 8 channels: every sandglass is 8 wide inside
  const auto distinct = DistinctChoices(slot2, SlotInputShapes(Net(), 0.35, {3, 160, 160})[1]);
  EXPECT_EQ(distinct.size(), 12u + 2u);
  for (const Choice& choice : distinct) {
    EXPECT_TRUE(choice.block != "sandglass" || choice.expansion == 3) << choice.Name();
  }
}

TEST(Choice, NamesRoundTripAndRefuseNonsense) {
  const Choice choice{.block = "sandglass", .kernel = 5, .expansion = 9, .precision = Precision::kInt8};
  EXPECT_EQ(choice.Name(), "sandglass-k5-e9@int8");
  EXPECT_EQ(Choice::Parse(choice.Name()), choice);
  EXPECT_EQ(Choice::Parse("irb-k3-e6").precision, Precision::kFp32);
  for (const char* bad : {"", "irb", "irb-k3", "irb-3-6", "irb-k0-e6", "irb-k3-e6x", "none-k3-e6", "irb-k3-e6@int9"}) {
    EXPECT_THROW(Choice::Parse(bad), Error) << bad;
  }
}

TEST(Backbones, UnknownNameIsRefused) { EXPECT_THROW(FindBackbone("vgg"), Error); }

}  // namespace
}  // namespace hot
