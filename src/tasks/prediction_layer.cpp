#include "tasks/prediction_layer.h"

namespace hot {

NodeId SeparablePrediction(GraphBuilder& builder, NodeId x, const std::string& name, int channels) {
  const int in = builder.shape(x).c;
  x = builder.ConvBn(name + ".depthwise", x, in, 3, 1, in, Op::kRelu6);
  Attrs attrs;
  attrs.out_channels = channels;
  attrs.bias = true;
  return builder.Conv(name, x, attrs);
}

}  // namespace hot
