#include "blocks/irb.h"

namespace hot {

NodeId InvertedResidual::Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec,
                               const std::string& prefix) const {
  const int hidden = builder.shape(x).c * spec.expansion;
  NodeId y = x;
  if (spec.expansion != 1) y = builder.ConvBn(prefix + ".expand", y, hidden, 1, 1, 1, Op::kRelu6);
  y = builder.ConvBn(prefix + ".depthwise", y, hidden, spec.kernel, spec.stride, hidden, Op::kRelu6);
  y = builder.ConvBn(prefix + ".project", y, spec.out_channels, 1, 1, 1, Op::kInput);
  return AddResidual(builder, x, y, spec, prefix);
}

}  // namespace hot
