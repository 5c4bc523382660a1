#include "train/graph_module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "core/rng.h"
#include "graph/fold.h"
#include "models/backbone.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

// One picture, [c][h][w].
struct Map {
  Shape shape;
  std::vector<double> data;
  explicit Map(Shape s) : shape(s), data(static_cast<size_t>(s.elements()), 0.0) {}
  double& at(int c, int y, int x) { return data[static_cast<size_t>((c * shape.h + y) * shape.w + x)]; }
  double at(int c, int y, int x) const { return data[static_cast<size_t>((c * shape.h + y) * shape.w + x)]; }
};

using Visit = std::function<void(int, int, int)>;
void ForEach(const Shape& shape, const Visit& visit) {
  for (int c = 0; c < shape.c; ++c) {
    for (int y = 0; y < shape.h; ++y) {
      for (int x = 0; x < shape.w; ++x) visit(c, y, x);
    }
  }
}

// Values of the window of an output place, and their place in the window.
void ForWindow(const Map& in, const Attrs& a, int y, int x, const std::function<void(int, int, int, int)>& visit) {
  for (int ky = 0; ky < a.kernel; ++ky) {
    for (int kx = 0; kx < a.kernel; ++kx) {
      const int iy = y * a.stride + ky - a.pads[0], ix = x * a.stride + kx - a.pads[1];
      if (iy >= 0 && iy < in.shape.h && ix >= 0 && ix < in.shape.w) visit(iy, ix, ky, kx);
    }
  }
}

double ConvAt(const Map& in, const Node& node, const Weights& weights, int c, int y, int x) {
  const int in_group = in.shape.c / node.attrs.groups, first = c / (node.shape.c / node.attrs.groups) * in_group;
  const Tensor& weight = weights.at(node.name + ".weight");
  double sum = node.attrs.bias ? weights.at(node.name + ".bias").data[static_cast<size_t>(c)] : 0;
  const int k = node.attrs.kernel;
  ForWindow(in, node.attrs, y, x, [&](int iy, int ix, int ky, int kx) {
    for (int i = 0; i < in_group; ++i) {
      sum += in.at(first + i, iy, ix) * weight.data[static_cast<size_t>(((c * in_group + i) * k + ky) * k + kx)];
    }
  });
  return sum;
}

double PoolAt(const Map& in, const Node& node, int c, int y, int x) {
  double best = -1e30, sum = 0;
  int count = 0;
  ForWindow(in, node.attrs, y, x, [&](int iy, int ix, int, int) {
    best = std::max(best, in.at(c, iy, ix));
    sum += in.at(c, iy, ix);
    ++count;
  });
  return node.op == Op::kMaxPool ? best : sum / count;
}

double BatchNormAt(double value, const Node& node, const Weights& weights, int c) {
  const auto part = [&](const char* name) {
    return static_cast<double>(weights.at(node.name + name).data[static_cast<size_t>(c)]);
  };
  return (value - part(".running_mean")) / std::sqrt(part(".running_var") + node.attrs.eps) * part(".weight") +
         part(".bias");
}

double SoftmaxAt(const Map& in, int c, int y, int x) {
  double sum = 0;
  for (int i = 0; i < in.shape.c; ++i) sum += std::exp(in.at(i, y, x));
  return std::exp(in.at(c, y, x)) / sum;
}

double MeanOf(const Map& in, int c) {
  double sum = 0;
  ForEach({1, in.shape.h, in.shape.w}, [&](int, int y, int x) { sum += in.at(c, y, x); });
  return sum / (in.shape.h * in.shape.w);
}

double ElementwiseAt(const Node& node, const Map& in, const Weights& weights, int c, int y, int x) {
  const double value = in.at(c, y, x);
  switch (node.op) {
    case Op::kRelu:
      return std::max(0.0, value);
    case Op::kRelu6:
      return std::clamp(value, 0.0, 6.0);
    case Op::kSigmoid:
      return 1 / (1 + std::exp(-value));
    case Op::kHardSigmoid:
      return std::clamp(value / 6 + 0.5, 0.0, 1.0);
    case Op::kHardSwish:
      return value * std::clamp(value / 6 + 0.5, 0.0, 1.0);
    case Op::kSoftmax:
      return SoftmaxAt(in, c, y, x);
    case Op::kBatchNorm:
      return BatchNormAt(value, node, weights, c);
    default:
      ADD_FAILURE() << "no reference for " << OpName(node.op);
      return 0;
  }
}

double LinearAt(const Map& in, const Node& node, const Weights& weights, int c) {
  double sum = node.attrs.bias ? weights.at(node.name + ".bias").data[static_cast<size_t>(c)] : 0;
  for (int i = 0; i < in.shape.c; ++i) {
    sum += in.at(i, 0, 0) * weights.at(node.name + ".weight").data[static_cast<size_t>(c * in.shape.c + i)];
  }
  return sum;
}

double ConcatAt(const std::vector<const Map*>& inputs, int c, int y, int x) {
  for (const Map* input : inputs) {
    if (c < input->shape.c) return input->at(c, y, x);
    c -= input->shape.c;
  }
  return 0;
}

// Of several inputs.
double JoinAt(Op op, const std::vector<const Map*>& inputs, int c, int y, int x) {
  if (op == Op::kConcat) return ConcatAt(inputs, c, y, x);
  const double a = inputs[0]->at(c, y, x);
  if (op == Op::kAdd) return a + inputs[1]->at(c, y, x);
  return a * (inputs[1]->shape.h == 1 ? inputs[1]->at(c, 0, 0) : inputs[1]->at(c, y, x));
}

double ReferenceAt(const Node& node, const std::vector<const Map*>& inputs, const Weights& weights, int c, int y,
                   int x) {
  const Map& in = *inputs[0];
  if (inputs.size() > 1) return JoinAt(node.op, inputs, c, y, x);
  switch (node.op) {
    case Op::kConv:
      return ConvAt(in, node, weights, c, y, x);
    case Op::kMaxPool:
    case Op::kAvgPool:
      return PoolAt(in, node, c, y, x);
    case Op::kGlobalAvgPool:
      return MeanOf(in, c);
    case Op::kUpsample:
      return in.at(c, y / node.attrs.stride, x / node.attrs.stride);
    case Op::kFlatten:
      return in.data[static_cast<size_t>(c)];
    case Op::kLinear:
      return LinearAt(in, node, weights, c);
    default:
      return ElementwiseAt(node, in, weights, c, y, x);
  }
}

std::vector<Map> Reference(const Graph& graph, const Weights& weights, const Map& image) {
  std::vector<Map> values;
  for (const Node& node : graph.nodes()) {
    std::vector<const Map*> inputs;
    for (NodeId input : node.inputs) inputs.push_back(&values[static_cast<size_t>(input)]);
    Map map = node.op == Op::kInput ? image : Map(node.shape);
    if (node.op != Op::kInput) {
      ForEach(node.shape, [&](int c, int y, int x) { map.at(c, y, x) = ReferenceAt(node, inputs, weights, c, y, x); });
    }
    values.push_back(std::move(map));
  }
  return values;
}

Weights AnyWeights(const Graph& graph, uint64_t seed) {
  Weights weights = RandomWeights(graph, seed);
  Rng rng(seed);
  for (auto& [name, tensor] : weights) {
    const bool positive = name.ends_with(".running_var");
    if (tensor.shape.size() == 1) {
      for (float& value : tensor.data)
        value = static_cast<float>(positive ? rng.Uniform(0.5, 2) : rng.Uniform(-1, 1.5));
    }
  }
  return weights;
}

void ExpectAgreement(const Graph& graph) {
  const Weights weights = AnyWeights(graph, 7);
  GraphModule module(graph);
  module.Load(weights);
  const Shape in = graph.node(graph.inputs()[0]).shape;
  const at::NoGradGuard no_grad;
  at::manual_seed(2);
  const at::Tensor images = at::randn({2, in.c, in.h, in.w}) * 3;
  const std::vector<at::Tensor> outputs = module.Forward(images);
  for (int64_t picture = 0; picture < 2; ++picture) {
    Map image(in);
    ForEach(in, [&](int c, int y, int x) { image.at(c, y, x) = images[picture][c][y][x].item<double>(); });
    const std::vector<Map> values = Reference(graph, weights, image);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Map& expected = values[static_cast<size_t>(graph.outputs()[i])];
      ASSERT_EQ(outputs[i].sizes(), (std::vector<int64_t>{2, expected.shape.c, expected.shape.h, expected.shape.w}));
      ForEach(expected.shape, [&](int c, int y, int x) {
        ASSERT_NEAR(outputs[i][picture][c][y][x].item<double>(), expected.at(c, y, x), 2e-4)
            << c << " " << y << " " << x;
      });
    }
  }
}

using Build = std::function<NodeId(GraphBuilder&, NodeId)>;
struct OpCase {
  const char* name;
  Shape input;
  Build build;
};

class EveryOp : public testing::TestWithParam<OpCase> {};

TEST_P(EveryOp, IsWhatItsNameSays) {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", GetParam().input);
  builder.Output(GetParam().build(builder, x));
  ExpectAgreement(std::move(builder).Build());
}

Build Unary(Op op) {
  return [op](GraphBuilder& b, NodeId x) { return b.Unary(op, "u", x); };
}
Build Convolution(const Attrs& attrs) {
  return [attrs](GraphBuilder& b, NodeId x) { return b.Conv("c.v", x, attrs); };
}
Build Pool(Op op, int kernel, int stride, int pad) {
  return [=](GraphBuilder& b, NodeId x) { return b.Pool(op, "p", x, kernel, stride, pad); };
}

INSTANTIATE_TEST_SUITE_P(
    Ops, EveryOp,
    testing::Values(
        OpCase{"Conv",
               {3, 7, 6},
               Convolution({.out_channels = 4, .kernel = 3, .stride = 2, .pads = {1, 1, 1, 1}, .bias = true})},
        OpCase{
            "Depthwise", {8, 7, 6}, Convolution({.out_channels = 8, .kernel = 5, .groups = 8, .pads = {2, 2, 2, 2}})},
        OpCase{"Grouped", {4, 5, 5}, Convolution({.out_channels = 6, .kernel = 3, .groups = 2})},
        OpCase{
            "UnevenPads", {3, 6, 6}, Convolution({.out_channels = 4, .kernel = 3, .stride = 2, .pads = {0, 0, 1, 1}})},
        OpCase{"BatchNorm", {5, 4, 3}, [](GraphBuilder& b, NodeId x) { return b.BatchNorm("n", x, 1e-3f); }},
        OpCase{"Relu", {3, 4, 4}, Unary(Op::kRelu)}, OpCase{"Relu6", {3, 4, 4}, Unary(Op::kRelu6)},
        OpCase{"Sigmoid", {3, 4, 4}, Unary(Op::kSigmoid)}, OpCase{"Softmax", {3, 4, 4}, Unary(Op::kSoftmax)},
        OpCase{"HardSigmoid", {3, 4, 4}, Unary(Op::kHardSigmoid)},
        OpCase{"HardSwish", {3, 4, 4}, Unary(Op::kHardSwish)},
        OpCase{"Mul", {3, 4, 4}, [](GraphBuilder& b, NodeId x) { return b.Mul("m", x, b.Unary(Op::kRelu, "r", x)); }},
        OpCase{"MulChannels",
               {3, 4, 4},
               [](GraphBuilder& b, NodeId x) { return b.Mul("m", x, b.Unary(Op::kGlobalAvgPool, "g", x)); }},
        OpCase{"GlobalAvgPool", {3, 4, 5}, Unary(Op::kGlobalAvgPool)},
        OpCase{"Flatten", {3, 4, 5}, Unary(Op::kFlatten)}, OpCase{"MaxPool", {3, 7, 7}, Pool(Op::kMaxPool, 3, 2, 1)},
        OpCase{"AvgPool", {3, 7, 7}, Pool(Op::kAvgPool, 3, 2, 1)},
        OpCase{"Add", {3, 4, 4}, [](GraphBuilder& b, NodeId x) { return b.Add("a", x, b.Unary(Op::kRelu, "r", x)); }},
        OpCase{"AddToItself", {3, 4, 4}, [](GraphBuilder& b, NodeId x) { return b.Add("a", x, x); }},
        OpCase{"Concat",
               {3, 4, 4},
               [](GraphBuilder& b, NodeId x) {
                 return b.Concat("c", {x, b.Unary(Op::kRelu, "r", x), x});
               }},
        OpCase{"Upsample", {3, 4, 5}, [](GraphBuilder& b, NodeId x) { return b.Upsample("u", x, 2); }},
        OpCase{"Linear", {6, 1, 1}, [](GraphBuilder& b, NodeId x) { return b.Linear("l", x, 4); }},
        OpCase{"ConvNormRelu",
               {3, 6, 6},
               [](GraphBuilder& b, NodeId x) { return b.ConvBn("s", x, 8, 3, 2, 1, Op::kRelu); }},
        OpCase{"ConvNormRelu6",
               {3, 6, 6},
               [](GraphBuilder& b, NodeId x) { return b.ConvBn("s", x, 8, 3, 1, 1, Op::kRelu6); }}),
    [](const auto& info) { return std::string(info.param.name); });

// A value read twice, an output in the middle, and batch norms whose output may or may not be overwritten.
TEST(GraphModule, KeepsValuesThatAreReadLater) {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {3, 8, 8});
  const NodeId a = builder.ConvBn("a", x, 8, 3, 1, 1, Op::kInput);
  const NodeId b = builder.ConvBn("b", a, 8, 3, 1, 1, Op::kInput);
  const NodeId sum = builder.Add("sum", a, b);
  const NodeId twice = builder.Add("twice", sum, a);  // `a` is a batch norm with three readers
  const NodeId act = builder.Unary(Op::kRelu6, "act", a);
  builder.Output(a);
  builder.Output(twice);
  builder.Output(builder.Add("last", act, sum));
  ExpectAgreement(std::move(builder).Build());
}

Graph SmallClassifier() {
  const Backbone& net = FindBackbone("mobilenet_v2");
  return BuildClassifier(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), {3, 32, 32}, 5);
}

TEST(GraphModule, FoldingBatchNormChangesNothing) {
  const Graph graph = SmallClassifier();
  const Weights weights = RandomWeights(graph, 3);
  const Network folded = FoldBatchNorm(graph, weights);
  GraphModule plain(graph), short_one(folded.graph);
  plain.Load(weights);
  short_one.Load(folded.weights);
  const at::NoGradGuard no_grad;
  const at::Tensor images = at::randn({2, 3, 32, 32});
  const at::Tensor a = plain.Forward(images)[0], b = short_one.Forward(images)[0];
  EXPECT_GT(a.abs().max().item<double>(), 1e-3);
  EXPECT_TRUE(at::allclose(a, b, 1e-3, 1e-4));
}

TEST(GraphModule, WeightsComeBackAsTheyWereLoaded) {
  const Graph graph = SmallClassifier();
  const Weights weights = AnyWeights(graph, 3);
  GraphModule module(graph);
  module.Load(weights);
  const Weights stored = module.Store();
  ASSERT_EQ(stored.size(), weights.size());
  for (const auto& [name, tensor] : weights) {
    EXPECT_EQ(stored.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(stored.at(name).data, tensor.data) << name;
  }
}

TEST(GraphModule, RefusesWeightsOfAnotherNetwork) {
  const Graph graph = SmallClassifier();
  Weights weights = RandomWeights(graph, 3);
  weights.erase("stem.conv.weight");
  GraphModule module(graph);
  EXPECT_THROW(module.Load(weights), Error);
}

struct Gradients {
  at::Tensor y;
  std::vector<at::Tensor> of;
};

// One residual block by LibTorch's own operations.
Gradients ResidualByHand(const Weights& weights, const at::Tensor& image) {
  std::map<std::string, at::Tensor> p;
  for (const auto& [name, tensor] : weights) {
    p[name] = at::from_blob(const_cast<float*>(tensor.data.data()), tensor.shape).clone();
  }
  const std::vector<std::string> names{"a.conv.weight", "a.bn.weight", "a.bn.bias",
                                       "b.conv.weight", "b.bn.weight", "b.bn.bias"};
  std::vector<at::Tensor> leaves;
  for (const std::string& name : names) leaves.push_back(p[name].requires_grad_(true));
  const auto norm = [&](const at::Tensor& x, const std::string& bn) {
    return at::batch_norm(x, p[bn + ".weight"], p[bn + ".bias"], {}, {}, true, 0.1, 1e-5, false);
  };
  const at::Tensor a = at::hardtanh(norm(at::conv2d(image, p["a.conv.weight"], {}, {1, 1}, {1, 1}), "a.bn"), 0, 6);
  const at::Tensor y = a + norm(at::conv2d(a, p["b.conv.weight"], {}, {1, 1}, {1, 1}), "b.bn");
  return {y, torch::autograd::grad({(y * y * y).sum()}, leaves)};
}

class ResidualBlock : public testing::TestWithParam<at::ScalarType> {};

// bfloat16 has 8 bits: about a hundredth behind two layers and a cube.
TEST_P(ResidualBlock, IsTrainedAsLibTorchWould) {
  const double tolerance = GetParam() == at::kFloat ? 1e-4 : 3e-2;
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {3, 8, 8});
  const NodeId a = builder.ConvBn("a", x, 8, 3, 1, 1, Op::kRelu6);
  builder.Output(builder.Add("sum", a, builder.ConvBn("b", a, 8, 3, 1, 1, Op::kInput)));
  const Graph graph = std::move(builder).Build();
  const Weights weights = AnyWeights(graph, 5);
  at::manual_seed(4);
  const at::Tensor image = at::randn({4, 3, 8, 8});
  const Gradients expected = ResidualByHand(weights, image);

  GraphModule module(graph);
  module.Load(weights);
  module.SetTrainingType(GetParam());
  module.Train(0.1);
  const at::Tensor y = module.Forward(image)[0];
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  (y * y * y).sum().backward();
  const auto expect_close = [&](const at::Tensor& ours, const at::Tensor& theirs, const char* name) {
    EXPECT_LT((ours - theirs).abs().max().item<double>() / theirs.abs().max().item<double>(), tolerance) << name;
  };
  expect_close(y, expected.y, "y");
  size_t i = 0;
  for (const char* name : {"a.conv.weight", "a.bn.weight", "a.bn.bias", "b.conv.weight", "b.bn.weight", "b.bn.bias"}) {
    expect_close(module.parameters().Get(name).grad(), expected.of[i++], name);
  }
  // The gradients are where the optimizer looks for them.
  EXPECT_GT(module.parameters().gradients().abs().max().item<double>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Types, ResidualBlock, testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& info) { return std::string(at::toString(info.param)); });

}  // namespace
}  // namespace hot
