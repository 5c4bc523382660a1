// Bottleneck residual block (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, figure 5 right): 1x1
// to the middle width, kxk, 1x1 to out_channels; the input, or a 1x1 projection of it where shapes differ, is added
// before the last activation. The stride is the kxk's, as in torchvision ("ResNet v1.5"; the paper has it in the first
// 1x1).
#pragma once

#include "blocks/block.h"

namespace hot {

struct BottleneckLayers {
  int middle_channels = 0, out_channels = 0;
  int kernel = 3, stride = 1;
  Op activation = Op::kRelu;
};
// Nodes "PREFIX.reduce", ".middle", ".expand", ".shortcut" (where shapes differ), ".add" and ".act"; returns the last.
NodeId BuildBottleneck(GraphBuilder& builder, NodeId x, const BottleneckLayers& layers, const std::string& prefix);

// The middle is 1/expansion of out_channels wide (4 as published), rounded to 8. Stateless.
class Bottleneck : public Block {
 public:
  std::string_view type() const override { return "bottleneck"; }
  NodeId Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const override;
};

}  // namespace hot
