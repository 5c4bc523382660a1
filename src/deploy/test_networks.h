// Small networks shared by the tests of deploy/. Tests only.
#pragma once

#include <string>

#include "core/rng.h"
#include "graph/fold.h"

namespace hot {

inline NodeId TestIrb(GraphBuilder& builder, const std::string& name, NodeId x, int out, int stride) {
  const int in = builder.shape(x).c;
  const NodeId wide = builder.ConvBn(name + ".expand", x, in * 3, 1, 1, 1, Op::kRelu6);
  const NodeId depth = builder.ConvBn(name + ".depth", wide, in * 3, 3, stride, in * 3, Op::kRelu6);
  const NodeId narrow = builder.ConvBn(name + ".project", depth, out, 1, 1, 1, Op::kInput);
  return stride == 1 && in == out ? builder.Add(name + ".add", x, narrow) : narrow;
}

// Shaped like MobileNetV2 with an SSD head: residual blocks and, last, two output convolutions.
inline Network SmallMobileNet(int side = 32) {
  GraphBuilder builder;
  NodeId x = builder.ConvBn("stem", builder.Input("image", {3, side, side}), 16, 3, 2, 1, Op::kRelu6);
  x = TestIrb(builder, "block1", x, 16, 1);
  x = TestIrb(builder, "block2", x, 24, 2);
  x = TestIrb(builder, "block3", x, 24, 1);
  x = TestIrb(builder, "block4", x, 24, 1);
  builder.Output(builder.Conv("boxes", x, {.out_channels = 8, .kernel = 3, .pads = {1, 1, 1, 1}, .bias = true}));
  builder.Output(builder.Conv("classes", x, {.out_channels = 12, .bias = true}));
  const Graph graph = std::move(builder).Build();
  return FoldBatchNorm(graph, TimingWeights(graph, 4));
}

// Every operator that all toolchains have.
inline Network EveryOp() {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {4, 16, 16});
  const NodeId relu = builder.ConvBn("a", x, 8, 5, 2, 4, Op::kRelu);
  const NodeId pooled = builder.Pool(Op::kMaxPool, "max", relu, 2, 2, 0);
  const NodeId averaged = builder.Pool(Op::kAvgPool, "avg", relu, 3, 2, 1);
  const NodeId both = builder.Concat("both", {pooled, averaged});
  const NodeId up = builder.Upsample("up", both, 2);
  const NodeId mixed = builder.ConvBn("mix", up, 8, 1, 1, 1, Op::kRelu6);
  const NodeId sum = builder.Unary(Op::kRelu, "sum.act", builder.Add("sum", mixed, relu));
  builder.Output(builder.Unary(Op::kSigmoid, "sigmoid", builder.Conv("mask", sum, {.out_channels = 1, .bias = true})));
  const NodeId small = builder.Pool(Op::kMaxPool, "small", sum, 4, 4, 0);
  const NodeId wide = builder.Linear("hidden", builder.Unary(Op::kFlatten, "flat", small), 10);
  const NodeId mean = builder.Linear("means", builder.Unary(Op::kGlobalAvgPool, "mean", sum), 10, false);
  builder.Output(builder.Unary(Op::kSoftmax, "softmax", builder.Add("logits", wide, mean)));
  const Graph graph = std::move(builder).Build();
  return FoldBatchNorm(graph, RandomWeights(graph, 6));
}

inline Tensor RandomInput(const Network& network, uint64_t seed) {
  const Shape& shape = network.graph.node(network.graph.inputs()[0]).shape;
  Tensor input({1, shape.c, shape.h, shape.w});
  Rng rng(seed);
  for (float& value : input.data) value = static_cast<float>(rng.Uniform(-1, 1));
  return input;
}

}  // namespace hot
