#include "blocks/bottleneck.h"

namespace hot {

NodeId BuildBottleneck(GraphBuilder& builder, NodeId x, const BottleneckLayers& layers, const std::string& prefix) {
  NodeId y = builder.ConvBn(prefix + ".reduce", x, layers.middle_channels, 1, 1, 1, layers.activation);
  y = builder.ConvBn(prefix + ".middle", y, layers.middle_channels, layers.kernel, layers.stride, 1, layers.activation);
  y = builder.ConvBn(prefix + ".expand", y, layers.out_channels, 1, 1, 1, Op::kInput);
  return AddShortcut(builder, x, y, layers.stride, prefix, layers.activation);
}

NodeId Bottleneck::Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const {
  return BuildBottleneck(builder, x,
                         {.middle_channels = RoundChannels(static_cast<double>(spec.out_channels) / spec.expansion),
                          .out_channels = spec.out_channels,
                          .kernel = spec.kernel,
                          .stride = spec.stride},
                         prefix);
}

}  // namespace hot
