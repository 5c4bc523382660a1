#include "deploy/devices/host/canary.h"

#include "deploy/onnx_writer.h"

namespace hot {

std::string CanaryOnnx() {
  GraphBuilder builder;
  NodeId x = builder.Input("x", {16, 28, 28});
  for (int i = 0; i < 4; ++i) {
    const std::string name = "block" + std::to_string(i);
    const NodeId wide = builder.ConvBn(name + ".expand", x, 64, 1, 1, 1, Op::kRelu6);
    const NodeId depth = builder.ConvBn(name + ".depth", wide, 64, 3, 1, 64, Op::kRelu6);
    const NodeId narrow = builder.ConvBn(name + ".project", depth, 16, 1, 1, 1, Op::kInput);
    x = builder.Add(name + ".add", x, narrow);
  }
  builder.Output(builder.ConvBn("last", x, 32, 3, 2, 1, Op::kRelu6));
  const Graph graph = std::move(builder).Build();
  return WriteOnnx(FoldBatchNorm(graph, RandomWeights(graph, 1)), {});
}

}  // namespace hot
