#include "blocks/block.h"

#include <algorithm>
#include <array>

#include "blocks/basic.h"
#include "blocks/bottleneck.h"
#include "blocks/fused.h"
#include "blocks/irb.h"
#include "blocks/sandglass.h"
#include "core/error.h"

namespace hot {

std::span<const Block* const> AllBlocks() {
  static const InvertedResidual irb;
  static const FusedInvertedResidual fused;
  static const Sandglass sandglass;
  static const Basic basic;
  static const Bottleneck bottleneck;
  static const std::array<const Block*, 5> blocks{&irb, &fused, &sandglass, &basic, &bottleneck};
  return blocks;
}

const Block& FindBlock(std::string_view type) {
  std::string known;
  for (const Block* block : AllBlocks()) {
    if (block->type() == type) return *block;
    known += (known.empty() ? "" : ", ") + std::string(block->type());
  }
  throw Error(Code::kInvalidArgument, "block", "unknown block \"" + std::string(type) + "\"", "known: " + known);
}

int RoundChannels(double channels) {
  int rounded = std::max(8, static_cast<int>(channels + 4) / 8 * 8);
  if (rounded < 0.9 * channels) rounded += 8;
  return rounded;
}

NodeId AddResidual(GraphBuilder& builder, NodeId x, NodeId y, const BlockSpec& spec, const std::string& prefix) {
  const bool same = spec.stride == 1 && builder.shape(x) == builder.shape(y);
  return same ? builder.Add(prefix + ".add", x, y) : y;
}

NodeId AddShortcut(GraphBuilder& builder, NodeId x, NodeId y, int stride, const std::string& prefix, Op activation) {
  if (builder.shape(x) != builder.shape(y)) {
    x = builder.ConvBn(prefix + ".shortcut", x, builder.shape(y).c, 1, stride, 1, Op::kInput);
  }
  return builder.Unary(activation, prefix + ".act", builder.Add(prefix + ".add", x, y));
}

}  // namespace hot
