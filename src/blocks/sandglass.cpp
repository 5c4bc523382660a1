#include "blocks/sandglass.h"

#include <algorithm>

namespace hot {

NodeId Sandglass::Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const {
  const int in = builder.shape(x).c;
  const int hidden =
      std::max(RoundChannels(static_cast<double>(in) / spec.expansion), RoundChannels(spec.out_channels / 6.0));
  NodeId y = builder.ConvBn(prefix + ".depthwise1", x, in, spec.kernel, 1, in, Op::kRelu6);
  y = builder.ConvBn(prefix + ".reduce", y, hidden, 1, 1, 1, Op::kInput);
  y = builder.ConvBn(prefix + ".expand", y, spec.out_channels, 1, 1, 1, Op::kRelu6);
  y = builder.ConvBn(prefix + ".depthwise2", y, spec.out_channels, spec.kernel, spec.stride, spec.out_channels,
                     Op::kInput);
  return AddResidual(builder, x, y, spec, prefix);
}

}  // namespace hot
