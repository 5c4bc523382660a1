#include "models/backbone.h"

#include <gtest/gtest.h>

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
