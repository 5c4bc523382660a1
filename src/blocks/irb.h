// Inverted residual block (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
// section 3.3, figure 4d): 1x1 expansion (none when it is 1), depthwise kxk, linear 1x1 projection. Stateless.
#pragma once

#include "blocks/block.h"

namespace hot {

class InvertedResidual : public Block {
 public:
  std::string_view type() const override { return "irb"; }
  NodeId Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const override;
};

}  // namespace hot
