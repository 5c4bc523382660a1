#include "models/resnet.h"

#include <array>
#include <utility>

namespace hot {
namespace {

constexpr std::array<int, 4> kChannels{64, 128, 256, 512};  // of the stages, at expansion 1

struct BlockChoices {
  const char* block;
  std::vector<int> expansions;
};

}  // namespace

std::vector<Choice> ResNetChoices(bool wide_ends, Precision precision) {
  static const std::vector<BlockChoices> narrow{{"basic", {1, 2, 4}},
                                                {"bottleneck", {1, 2, 4}},
                                                {"irb", {3, 6, 9}},
                                                {"fused", {1, 2, 3}},
                                                {"sandglass", {1, 2, 4}}};
  static const std::vector<BlockChoices> wide{
      {"basic", {4, 8}}, {"bottleneck", {2, 4, 8}}, {"irb", {1}}, {"sandglass", {2, 4, 8}}};
  std::vector<Choice> choices;
  for (const BlockChoices& one : wide_ends ? wide : narrow) {
    for (const int kernel : {3, 5}) {
      for (const int expansion : one.expansions) {
        choices.push_back({.block = one.block, .kernel = kernel, .expansion = expansion, .precision = precision});
      }
    }
  }
  return choices;
}

std::vector<Slot> ResNet::Slots(double width, Precision precision) const {
  std::vector<Slot> slots;
  for (size_t stage = 0; stage < kChannels.size(); ++stage) {
    Slot slot;
    slot.index = static_cast<int>(stage) + 1;
    slot.stage = slot.index;
    slot.out_channels = RoundChannels(kChannels[stage] * variant_.expansion * width);
    slot.repeats = variant_.repeats[stage];
    slot.stride = stage == 0 ? 1 : 2;
    slot.baseline = {.block = variant_.block, .kernel = 3, .expansion = variant_.expansion, .precision = precision};
    slot.choices = ResNetChoices(variant_.expansion > 1, precision);
    slots.push_back(std::move(slot));
  }
  return slots;
}

NodeId ResNet::BuildStem(GraphBuilder& builder, NodeId image, double width) const {
  const NodeId x = builder.ConvBn("stem", image, RoundChannels(kChannels[0] * width), 7, 2, 1, Op::kRelu);
  return builder.Pool(Op::kMaxPool, "stem.pool", x, 3, 2, 1);
}

NodeId ResNet::BuildTail(GraphBuilder& /*builder*/, NodeId x, double /*width*/) const { return x; }

}  // namespace hot
