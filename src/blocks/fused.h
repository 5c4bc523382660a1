// Fused inverted residual block: one full kxk convolution replaces expansion and depthwise (Gupta and Akin,
// "Accelerator-aware Neural Network Design using AutoML", MLSys on-device workshop 2020, section 3). Stateless.
#pragma once

#include "blocks/block.h"

namespace hot {

class FusedInvertedResidual : public Block {
 public:
  std::string_view type() const override { return "fused"; }
  NodeId Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const override;
};

}  // namespace hot
