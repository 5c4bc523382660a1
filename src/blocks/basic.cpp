#include "blocks/basic.h"

namespace hot {

NodeId Basic::Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const {
  const int middle = RoundChannels(static_cast<double>(spec.out_channels) / spec.expansion);
  NodeId y = builder.ConvBn(prefix + ".first", x, middle, spec.kernel, spec.stride, 1, Op::kRelu);
  y = builder.ConvBn(prefix + ".second", y, spec.out_channels, spec.kernel, 1, 1, Op::kInput);
  return AddShortcut(builder, x, y, spec.stride, prefix, Op::kRelu);
}

}  // namespace hot
