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
  int expansion = 6;  // of irb and fused; divisor of sandglass
};

class Block {
 public:
  virtual ~Block() = default;
  virtual std::string_view type() const = 0;
  // Adds nodes named "PREFIX.*"; returns the output node. Output is out_channels x ceil(h/stride) x ceil(w/stride).
  virtual NodeId Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const = 0;
};

std::span<const Block* const> AllBlocks();
// Throws Error(kInvalidArgument) with the known names.
const Block& FindBlock(std::string_view type);

// Adds `x` to `y` ("PREFIX.add") where stride and shapes allow a residual connection, else returns `y`.
NodeId AddResidual(GraphBuilder& builder, NodeId x, NodeId y, const BlockSpec& spec, const std::string& prefix);

// Nearest multiple of 8 that is at least 8 and not below 90 % of `channels` (MobileNetV2's rule).
int RoundChannels(double channels);

}  // namespace hot
