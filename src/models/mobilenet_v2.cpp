#include "models/mobilenet_v2.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hot {
namespace {

struct Stage {
  int expansion, channels, repeats, stride;  // t, c, n, s of table 2
};
constexpr std::array<Stage, 7> kStages{
    {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};

}  // namespace

std::vector<Choice> InvertedResidualChoices(bool expands, Precision precision) {
  std::vector<Choice> choices;
  for (const char* block : {"irb", "fused", "sandglass"}) {
    for (int kernel : {3, 5}) {
      for (int expansion : expands ? std::vector<int>{3, 6, 9} : std::vector<int>{1}) {
        choices.push_back({.block = block, .kernel = kernel, .expansion = expansion, .precision = precision});
      }
    }
  }
  return choices;
}

std::vector<Slot> MobileNetV2::Slots(double width, Precision precision) const {
  std::vector<Slot> slots;
  for (const Stage& stage : kStages) {
    Slot slot;
    slot.index = static_cast<int>(slots.size()) + 1;
    slot.stage = slot.index;
    slot.out_channels = RoundChannels(stage.channels * width);
    slot.repeats = stage.repeats;
    slot.stride = stage.stride;
    slot.baseline = {.block = "irb", .kernel = 3, .expansion = stage.expansion, .precision = precision};
    slot.choices = InvertedResidualChoices(!slots.empty(), precision);
    slots.push_back(std::move(slot));
  }
  return slots;
}

NodeId MobileNetV2::BuildStem(GraphBuilder& builder, NodeId image, double width) const {
  return builder.ConvBn("stem", image, RoundChannels(32 * width), 3, 2, 1, Op::kRelu6);
}

NodeId MobileNetV2::BuildTail(GraphBuilder& builder, NodeId x, double width) const {
  return builder.ConvBn("tail", x, RoundChannels(1280 * std::max(1.0, width)), 1, 1, 1, Op::kRelu6);
}

}  // namespace hot
