// MobileNetV2 (Sandler et al., CVPR 2018, table 2): stem 3x3 stride 2 to 32 channels, seven inverted-residual stages,
// tail 1x1 to max(1, width) * 1280 channels. The seven stages are the slots of the source paper (section 4.1).
// Stateless.
#pragma once

#include "models/backbone.h"

namespace hot {

// The choices of a slot, by rising expansion: irb, fused and sandglass, kernels 3 and 5, expansions 3, 6 and 9, or 1
// where the slot does not expand.
std::vector<Choice> InvertedResidualChoices(bool expands, Precision precision);

class MobileNetV2 : public Backbone {
 public:
  std::string_view name() const override { return "mobilenet_v2"; }
  BackboneTraits traits() const override { return {.stem_stride = 2, .has_tail = true, .narrow_slots = true}; }
  std::vector<Slot> Slots(double width, Precision precision) const override;
  NodeId BuildStem(GraphBuilder& builder, NodeId image, double width) const override;
  NodeId BuildTail(GraphBuilder& builder, NodeId x, double width) const override;
};

}  // namespace hot
