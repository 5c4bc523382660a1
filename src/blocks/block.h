// A block type: one way to get from c_in to c_out channels at a stride. A block only builds graph nodes.
// To add one: a file beside this with the class, its row in AllBlocks(), and the contract suite runs over it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace hot {

struct BlockSpec {
  int out_channels = 0;
  int stride = 1;
  int kernel = 3;
  // irb and fused: what the input's width is multiplied with; sandglass: what it is divided by; basic and bottleneck:
  // what the output's width is divided by. The result is the width of the middle.
  int expansion = 6;
};

class Block {
 public:
  virtual ~Block() = default;
  virtual std::string_view type() const = 0;
  // Adds nodes named "PREFIX.*"; returns the output node. Output is out_channels x ceil(h/stride) x ceil(w/stride). It
  // is linear, with a residual connection only where shapes allow it (AddResidual), or a ReLU behind one that is always
  // there (AddShortcut).
  virtual NodeId Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const = 0;
};

std::span<const Block* const> AllBlocks();
// Throws Error(kInvalidArgument) with the known names.
const Block& FindBlock(std::string_view type);

// Adds `x` to `y` ("PREFIX.add") where stride and shapes allow a residual connection, else returns `y`.
NodeId AddResidual(GraphBuilder& builder, NodeId x, NodeId y, const BlockSpec& spec, const std::string& prefix);

// Adds `x`, or a 1x1 projection of it with that stride ("PREFIX.shortcut") where the shapes differ, to `y`
// ("PREFIX.add"); behind it the activation ("PREFIX.act"; He et al., 2016, section 3.3, option B).
NodeId AddShortcut(GraphBuilder& builder, NodeId x, NodeId y, int stride, const std::string& prefix, Op activation);

// Nearest multiple of 8 that is at least 8 and not below 90 % of `channels` (MobileNetV2's rule).
int RoundChannels(double channels);

}  // namespace hot
