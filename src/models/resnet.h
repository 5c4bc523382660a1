// ResNet (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1) of 18, 34 or 50 layers: stem
// 7x7 stride 2 to 64 channels and 3x3 max pooling stride 2, four stages of residual blocks, no tail. The stages are the
// slots; a width multiplier scales stem and stages, rounded to multiples of 8.
//
// Search space a slot, kernels 3 and 5 each. 18 and 34 layers (baseline basic-k3-e1), 30 choices: basic and bottleneck
// with a middle of 1, 1/2, 1/4 of the output's width; sandglass likewise of the input's; irb and fused with one that is
// 3, 6, 9 and 1, 2, 3 times the input's. 50 layers (baseline bottleneck-k3-e4), 18 choices: bottleneck and sandglass
// with 1/2, 1/4, 1/8; basic with 1/4, 1/8; irb with 1. There blocks have wide ends (up to 2048 channels), so that what
// widens them further, or a full kxk between them, would be larger than the rest of the network. Stateless.
#pragma once

#include <array>

#include "models/backbone.h"

namespace hot {

struct ResNetVariant {
  const char* name;
  std::array<int, 4> repeats;  // of the block in each stage
  const char* block;
  int expansion;  // of the block; its ends are so many times the published 64, 128, 256, 512 channels
};
inline constexpr ResNetVariant kResNet18{"resnet18", {2, 2, 2, 2}, "basic", 1};
inline constexpr ResNetVariant kResNet34{"resnet34", {3, 4, 6, 3}, "basic", 1};
inline constexpr ResNetVariant kResNet50{"resnet50", {3, 4, 6, 3}, "bottleneck", 4};

// The choices of a slot, by rising expansion; with wide ends, as 50 layers have them.
std::vector<Choice> ResNetChoices(bool wide_ends, Precision precision);

class ResNet : public Backbone {
 public:
  explicit ResNet(const ResNetVariant& variant) : variant_(variant) {}
  std::string_view name() const override { return variant_.name; }
  BackboneTraits traits() const override { return {.stem_stride = 4, .has_tail = false, .narrow_slots = false}; }
  std::vector<Slot> Slots(double width, Precision precision) const override;
  NodeId BuildStem(GraphBuilder& builder, NodeId image, double width) const override;
  NodeId BuildTail(GraphBuilder& builder, NodeId x, double width) const override;

 private:
  ResNetVariant variant_;
};

}  // namespace hot
