#include "graph/graph.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace hot {
namespace {

[[noreturn]] void Misfit(const std::string& name, const std::string& message) {
  throw Error(Code::kInvalidArgument, "node " + name, message);
}

std::string Text(const Shape& shape) {
  return std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w);
}

// No network comes near these; beyond them sizes in bytes would overflow.
constexpr int64_t kMaxSide = 1 << 16, kMaxElements = 1 << 28, kMaxWindow = 1 << 12;

void CheckWeightCount(const std::string& name, const Shape& in, const Attrs& attrs) {
  const double kernel = attrs.kernel, per_channel = static_cast<double>(in.c) / attrs.groups * kernel * kernel;
  if (attrs.out_channels * per_channel > static_cast<double>(kMaxElements)) Misfit(name, "its weights are too large");
}

Shape CheckedShape(const std::string& name, int64_t c, int64_t h, int64_t w) {
  const bool sides = h <= kMaxSide && w <= kMaxSide && c <= kMaxElements;
  if (!sides || c * h * w > kMaxElements) Misfit(name, "its output is too large");
  return {.c = static_cast<int>(c), .h = static_cast<int>(h), .w = static_cast<int>(w)};
}

struct Window {
  int kernel, stride;
  std::array<int, 4> pads;
};

// Output of a sliding window over `in`; floor, as in ONNX without ceil_mode.
Shape Slide(const std::string& name, const Shape& in, int channels, const Window& window) {
  const auto side = [&](int length, int before, int behind) {
    const int64_t room = int64_t{length} + before + behind - window.kernel;
    const bool odd = window.kernel < 1 || window.kernel > kMaxWindow || window.stride < 1 || before < 0 || behind < 0;
    if (odd || room < 0) Misfit(name, "a window of " + std::to_string(window.kernel) + " does not fit");
    return room / window.stride + 1;
  };
  return CheckedShape(name, channels, side(in.h, window.pads[0], window.pads[2]),
                      side(in.w, window.pads[1], window.pads[3]));
}

// Pixels before and behind one axis.
std::pair<int, int> AxisPads(Padding padding, int side, int kernel, int stride) {
  if (padding == Padding::kSymmetric) return {kernel / 2, kernel / 2};
  const int out = (side + stride - 1) / stride;
  const int pads = std::max(0, (out - 1) * stride + kernel - side);
  return {pads / 2, pads - pads / 2};
}

}  // namespace

std::string_view OpName(Op op) {
  static constexpr std::string_view kNames[] = {
      "input",    "conv",         "batch_norm",      "relu",     "relu6",   "add",    "concat",
      "max_pool", "avg_pool",     "global_avg_pool", "upsample", "flatten", "linear", "sigmoid",
      "softmax",  "hard_sigmoid", "hard_swish",      "mul"};
  return kNames[static_cast<int>(op)];
}

std::string PaddingName(Padding padding) { return padding == Padding::kSame ? "same" : "symmetric"; }

Padding ParsePadding(std::string_view name) {
  for (Padding padding : {Padding::kSymmetric, Padding::kSame}) {
    if (PaddingName(padding) == name) return padding;
  }
  throw Error(Code::kInvalidArgument, "padding", "unknown padding \"" + std::string(name) + "\"",
              "known: symmetric, same");
}

std::vector<std::vector<NodeId>> Graph::Consumers() const {
  std::vector<std::vector<NodeId>> consumers(nodes_.size());
  for (NodeId id = 0; id < size(); ++id) {
    for (NodeId input : node(id).inputs) consumers[static_cast<size_t>(input)].push_back(id);
  }
  return consumers;
}

NodeId GraphBuilder::Append(Node node) {
  const auto taken = [&](const Node& other) { return other.name == node.name; };
  if (std::any_of(graph_.nodes_.begin(), graph_.nodes_.end(), taken)) Misfit(node.name, "this name is used twice");
  graph_.nodes_.push_back(std::move(node));
  return graph_.size() - 1;
}

NodeId GraphBuilder::Input(const std::string& name, Shape shape) {
  if (shape.c < 1 || shape.h < 1 || shape.w < 1) Misfit(name, "an input needs a positive shape, got " + Text(shape));
  CheckedShape(name, shape.c, shape.h, shape.w);
  const NodeId id = Append({.op = Op::kInput, .name = name, .inputs = {}, .attrs = {}, .shape = shape});
  graph_.inputs_.push_back(id);
  return id;
}

NodeId GraphBuilder::Conv(const std::string& name, NodeId x, const Attrs& attrs) {
  const Shape in = shape(x);
  if (attrs.groups < 1 || in.c % attrs.groups != 0 || attrs.out_channels < 1 ||
      attrs.out_channels % attrs.groups != 0) {
    Misfit(name, std::to_string(attrs.groups) + " groups don't divide " + std::to_string(in.c) + " -> " +
                     std::to_string(attrs.out_channels) + " channels");
  }
  CheckWeightCount(name, in, attrs);
  const Shape out = Slide(name, in, attrs.out_channels, {attrs.kernel, attrs.stride, attrs.pads});
  return Append({.op = Op::kConv, .name = name, .inputs = {x}, .attrs = attrs, .shape = out});
}

NodeId GraphBuilder::BatchNorm(const std::string& name, NodeId x, float eps) {
  if (!(eps > 0 && eps < 1)) Misfit(name, "eps is expected between 0 and 1");
  Attrs attrs;
  attrs.eps = eps;
  return Append({.op = Op::kBatchNorm, .name = name, .inputs = {x}, .attrs = attrs, .shape = shape(x)});
}

NodeId GraphBuilder::Unary(Op op, const std::string& name, NodeId x) {
  Shape out = shape(x);
  switch (op) {
    case Op::kRelu:
    case Op::kRelu6:
    case Op::kSigmoid:
    case Op::kSoftmax:
    case Op::kHardSigmoid:
    case Op::kHardSwish:
      break;
    case Op::kGlobalAvgPool:
      out = {.c = out.c, .h = 1, .w = 1};
      break;
    case Op::kFlatten:
      out = {.c = static_cast<int>(out.elements()), .h = 1, .w = 1};
      break;
    default:
      Misfit(name, std::string(OpName(op)) + " is not an operation of one input");
  }
  return Append({.op = op, .name = name, .inputs = {x}, .attrs = {}, .shape = out});
}

NodeId GraphBuilder::Add(const std::string& name, NodeId a, NodeId b) {
  if (shape(a) != shape(b)) Misfit(name, "can't add " + Text(shape(a)) + " and " + Text(shape(b)));
  return Append({.op = Op::kAdd, .name = name, .inputs = {a, b}, .attrs = {}, .shape = shape(a)});
}

NodeId GraphBuilder::Mul(const std::string& name, NodeId x, NodeId factor) {
  const Shape in = shape(x), by = shape(factor);
  if (by != in && by != Shape{.c = in.c, .h = 1, .w = 1})
    Misfit(name, "can't multiply " + Text(in) + " by " + Text(by));
  return Append({.op = Op::kMul, .name = name, .inputs = {x, factor}, .attrs = {}, .shape = in});
}

NodeId GraphBuilder::Concat(const std::string& name, const std::vector<NodeId>& inputs) {
  if (inputs.empty()) Misfit(name, "nothing to concatenate");
  const Shape first = shape(inputs[0]);
  int64_t channels = 0;
  for (NodeId input : inputs) {
    const Shape& in = shape(input);
    if (in.h != first.h || in.w != first.w) Misfit(name, "maps of different sizes: " + Text(in));
    channels += in.c;
  }
  const Shape out = CheckedShape(name, channels, first.h, first.w);
  return Append({.op = Op::kConcat, .name = name, .inputs = inputs, .attrs = {}, .shape = out});
}

NodeId GraphBuilder::Pool(Op op, const std::string& name, NodeId x, int kernel, int stride, int pad) {
  if (op != Op::kMaxPool && op != Op::kAvgPool) Misfit(name, std::string(OpName(op)) + " is not a pool");
  if (pad >= kernel) Misfit(name, "a window of " + std::to_string(kernel) + " may lie in the padding altogether");
  Attrs attrs;
  attrs.kernel = kernel;
  attrs.stride = stride;
  attrs.pads = {pad, pad, pad, pad};
  const Shape out = Slide(name, shape(x), shape(x).c, {kernel, stride, attrs.pads});
  return Append({.op = op, .name = name, .inputs = {x}, .attrs = attrs, .shape = out});
}

NodeId GraphBuilder::Upsample(const std::string& name, NodeId x, int factor) {
  if (factor < 1) Misfit(name, "the factor must be positive");
  const Shape in = shape(x);
  Attrs attrs;
  attrs.stride = factor;
  return Append({.op = Op::kUpsample,
                 .name = name,
                 .inputs = {x},
                 .attrs = attrs,
                 .shape = CheckedShape(name, in.c, int64_t{in.h} * factor, int64_t{in.w} * factor)});
}

NodeId GraphBuilder::Linear(const std::string& name, NodeId x, int out_channels, bool bias) {
  const Shape in = shape(x);
  if (in.h != 1 || in.w != 1) Misfit(name, "a linear layer needs a 1x1 map, got " + Text(in));
  if (out_channels < 1) Misfit(name, "a layer needs at least one channel");
  Attrs attrs;
  attrs.out_channels = out_channels;
  attrs.bias = bias;
  CheckWeightCount(name, in, attrs);
  return Append({.op = Op::kLinear,
                 .name = name,
                 .inputs = {x},
                 .attrs = attrs,
                 .shape = CheckedShape(name, out_channels, 1, 1)});
}

NodeId GraphBuilder::ConvBn(const std::string& name, NodeId x, int out_channels, int kernel, int stride, int groups,
                            Op activation) {
  Attrs attrs;
  attrs.out_channels = out_channels;
  attrs.kernel = kernel;
  attrs.stride = stride;
  attrs.groups = groups;
  const Shape in = shape(x);
  const auto [top, bottom] = AxisPads(style_.padding, in.h, kernel, stride);
  const auto [left, right] = AxisPads(style_.padding, in.w, kernel, stride);
  attrs.pads = {top, left, bottom, right};
  x = Conv(name + ".conv", x, attrs);
  x = BatchNorm(name + ".bn", x, static_cast<float>(style_.bn_eps));
  return activation == Op::kInput ? x : Unary(activation, name + ".act", x);
}

NodeId GraphBuilder::Copy(const Node& node, const std::string& name, const std::vector<NodeId>& inputs) {
  const Attrs& attrs = node.attrs;
  switch (node.op) {
    case Op::kInput:
      return Input(name, node.shape);
    case Op::kConv:
      return Conv(name, inputs.at(0), attrs);
    case Op::kBatchNorm:
      return BatchNorm(name, inputs.at(0), attrs.eps);
    case Op::kMaxPool:
    case Op::kAvgPool:
      return Pool(node.op, name, inputs.at(0), attrs.kernel, attrs.stride, attrs.pads[0]);
    case Op::kUpsample:
      return Upsample(name, inputs.at(0), attrs.stride);
    case Op::kLinear:
      return Linear(name, inputs.at(0), attrs.out_channels, attrs.bias);
    default:
      return Join(node.op, name, inputs);
  }
}

NodeId GraphBuilder::Join(Op op, const std::string& name, const std::vector<NodeId>& inputs) {
  switch (op) {
    case Op::kAdd:
      return Add(name, inputs.at(0), inputs.at(1));
    case Op::kMul:
      return Mul(name, inputs.at(0), inputs.at(1));
    case Op::kConcat:
      return Concat(name, inputs);
    default:
      return Unary(op, name, inputs.at(0));
  }
}

void GraphBuilder::Output(NodeId id) { graph_.outputs_.push_back(id); }

void GraphBuilder::BeginSection(const std::string& name) {
  if (!graph_.sections_.empty()) graph_.sections_.back().last = graph_.size();
  graph_.sections_.push_back({.name = name, .first = graph_.size(), .last = graph_.size()});
}

Graph GraphBuilder::Build() && {
  if (graph_.outputs_.empty()) throw Error(Code::kInvalidArgument, "graph", "has no output");
  if (!graph_.sections_.empty()) graph_.sections_.back().last = graph_.size();
  return std::move(graph_);
}

NodeId AppendGraph(GraphBuilder& builder, NodeId x, const Graph& part, const std::string& prefix) {
  std::vector<NodeId> mapped;
  for (const Node& node : part.nodes()) {
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(mapped[static_cast<size_t>(input)]);
    mapped.push_back(node.op == Op::kInput ? x : builder.Copy(node, prefix + "." + node.name, inputs));
  }
  return mapped[static_cast<size_t>(part.outputs().at(0))];
}

std::vector<Parameter> Parameters(const Graph& graph) {
  std::vector<Parameter> parameters;
  for (const Node& node : graph.nodes()) {
    const int64_t channels = node.shape.c;
    if (IsLayer(node.op)) {
      const Shape& in = graph.node(node.inputs[0]).shape;
      const int64_t k = node.attrs.kernel;
      std::vector<int64_t> shape{channels, in.c / node.attrs.groups};
      if (node.op == Op::kConv) shape.insert(shape.end(), {k, k});
      parameters.push_back({.name = node.name + ".weight", .shape = shape, .trainable = true});
      if (node.attrs.bias) parameters.push_back({.name = node.name + ".bias", .shape = {channels}, .trainable = true});
    } else if (node.op == Op::kBatchNorm) {
      for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
        const bool trainable = std::string_view(part).substr(0, 4) != ".run";
        parameters.push_back({.name = node.name + part, .shape = {channels}, .trainable = trainable});
      }
    }
  }
  return parameters;
}

}  // namespace hot
