#include "blocks/fused.h"

namespace hot {

NodeId FusedInvertedResidual::Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec,
                                    const std::string& prefix) const {
  const int hidden = builder.shape(x).c * spec.expansion;
  NodeId y = builder.ConvBn(prefix + ".expand", x, hidden, spec.kernel, spec.stride, 1, Op::kRelu6);
  y = builder.ConvBn(prefix + ".project", y, spec.out_channels, 1, 1, 1, Op::kInput);
  return AddResidual(builder, x, y, spec, prefix);
}

}  // namespace hot
