// Basic residual block (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, figure 5 left): two kxk
// convolutions, the first with the stride; its output is 1/expansion of out_channels wide (1 as published), rounded
// to 8. The input, or a 1x1 projection of it where shapes differ, is added before the last ReLU. Stateless.
#pragma once

#include "blocks/block.h"

namespace hot {

class Basic : public Block {
 public:
  std::string_view type() const override { return "basic"; }
  NodeId Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const override;
};

}  // namespace hot
