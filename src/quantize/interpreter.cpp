#include "quantize/interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "quantize/interpreter_ops.h"

namespace hot {
namespace {

std::vector<NodeId> LastReaders(const Graph& graph) {
  std::vector<NodeId> last;
  for (NodeId id = 0; id < graph.size(); ++id) {
    last.push_back(id);
    for (const NodeId input : graph.node(id).inputs) last[static_cast<size_t>(input)] = id;
  }
  for (const NodeId output : graph.outputs()) last[static_cast<size_t>(output)] = graph.size();
  return last;
}

void CheckInput(const Node& node, const Tensor& tensor) {
  if (tensor.size() != node.shape.elements()) {
    throw Error(
        Code::kInvalidArgument, "input " + node.name,
        "has " + std::to_string(tensor.size()) + " values, the network wants " + std::to_string(node.shape.elements()));
  }
  if (!std::all_of(tensor.data.begin(), tensor.data.end(), [](float value) { return std::isfinite(value); }))
    throw Error(Code::kInvalidArgument, "input " + node.name, "holds NaN or infinity");
}

// The float bias of a layer that has one.
Reals AddBias(const Node& node, const Weights& weights, Reals out) {
  if (!node.attrs.bias) return out;
  const std::vector<float>& bias = weights.at(node.name + ".bias").data;
  for (size_t i = 0; i < out.size(); ++i) out[i] += bias[i / (out.size() / bias.size())];
  return out;
}

Reals EvaluateUnary(const Node& node, const Shape& in, const Reals& x) {
  switch (node.op) {
    case Op::kRelu:
      return ClampReals(x, 0, std::numeric_limits<double>::infinity());
    case Op::kRelu6:
      return ClampReals(x, 0, 6);
    case Op::kGlobalAvgPool:
      return ChannelMeans(in, x);
    case Op::kFlatten:
      return x;
    case Op::kSigmoid:
      return SigmoidReals(x);
    case Op::kHardSigmoid:
      return HardSigmoidReals(x);
    case Op::kHardSwish:
      return MulReals(x, HardSigmoidReals(x));
    case Op::kSoftmax:
      return SoftmaxReals(in, x);
    default:
      throw Error(Code::kInvalidArgument, "node " + node.name, "the interpreter has no " + std::string(OpName(node.op)),
                  "batch norm must be folded before");
  }
}

}  // namespace

Interpreter::Interpreter(const Network& network, const Quantization& quantization, Borders borders)
    : graph_(network.graph),
      weights_(network.weights),
      scheme_(SchemeOf(quantization.scheme)),
      borders_(borders),
      last_readers_(LastReaders(network.graph)) {
  const std::vector<QuantPlace> places = PlanQuantization(graph_);
  rounded_ = RoundedOutputs(graph_, places, quantization, borders != Borders::kFloat);
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (IsRounded(id)) scales_[id] = OutputScale(graph_, places, id, quantization);
    if (!quantization.weight_scales.contains(node.name)) continue;
    const float input_scale = OutputScale(graph_, places, node.inputs[0], quantization).scale;
    layers_[id] = RoundLayer(node, weights_, quantization, input_scale);
  }
}

std::vector<Tensor> Interpreter::Run(std::span<const Tensor> inputs, const Visit& visit) const {
  if (inputs.size() != graph_.inputs().size()) {
    throw Error(
        Code::kInvalidArgument, "interpreter",
        std::to_string(inputs.size()) + " inputs given, the network has " + std::to_string(graph_.inputs().size()));
  }
  std::vector<Value> values(static_cast<size_t>(graph_.size()));
  size_t next_input = 0;
  for (NodeId id = 0; id < graph_.size(); ++id) {
    Value& value = values[static_cast<size_t>(id)];
    const bool input = graph_.node(id).op == Op::kInput;
    value.reals = input ? InputReals(id, inputs[next_input++]) : Evaluate(id, values);
    if (IsRounded(id)) Round(id, value);
    if (visit) {
      visit(graph_.node(id), value);
      if (IsRounded(id)) Scale(id, value);
    }
    for (const NodeId read : graph_.node(id).inputs) {
      if (last_readers_[static_cast<size_t>(read)] == id) values[static_cast<size_t>(read)] = {};
    }
  }
  std::vector<Tensor> outputs;
  for (const NodeId id : graph_.outputs()) outputs.push_back(OutputTensor(id, values[static_cast<size_t>(id)]));
  return outputs;
}

std::vector<double> Interpreter::InputReals(NodeId id, const Tensor& tensor) const {
  CheckInput(graph_.node(id), tensor);
  Reals reals(tensor.data.begin(), tensor.data.end());
  if (borders_ != Borders::kIntegers || !IsRounded(id)) return reals;
  const ActivationScale& scale = ScaleAt(id);
  for (double& real : reals) real = (real - scale.zero_point) * scale.scale;
  return reals;
}

// Reals of steps.
void Interpreter::Scale(NodeId id, Value& value) const {
  const double scale = ScaleAt(id).scale;
  for (size_t i = 0; i < value.reals.size(); ++i) value.reals[i] = scale * value.steps[i];
}

void Interpreter::Round(NodeId id, Value& value) const {
  const ActivationScale& scale = ScaleAt(id);
  value.steps.resize(value.reals.size());
  for (size_t i = 0; i < value.reals.size(); ++i) {
    value.steps[i] = static_cast<int16_t>(NearestStep(value.reals[i], scale, scheme_));
  }
  Scale(id, value);
}

std::vector<double> Interpreter::Evaluate(NodeId id, const std::vector<Value>& values) const {
  const Node& node = graph_.node(id);
  const auto input = [&](size_t i) -> const Value& { return values[static_cast<size_t>(node.inputs[i])]; };
  const Shape& in = graph_.node(node.inputs[0]).shape;
  switch (node.op) {
    case Op::kConv:
    case Op::kLinear:
      return Convolve(id, input(0));
    case Op::kAdd:
      return AddReals(input(0).reals, input(1).reals);
    case Op::kMul:
      return MulReals(input(0).reals, input(1).reals);
    case Op::kConcat: {
      Reals all;
      for (size_t i = 0; i < node.inputs.size(); ++i)
        all.insert(all.end(), input(i).reals.begin(), input(i).reals.end());
      return all;
    }
    case Op::kMaxPool:
      return MaxPoolReals(node, in, input(0).reals);
    case Op::kAvgPool:
      return AveragePoolReals(node, in, input(0).reals);
    case Op::kUpsample:
      return UpsampleReals(in, node.attrs.stride, input(0).reals);
    default:
      return EvaluateUnary(node, in, input(0).reals);
  }
}

std::vector<double> Interpreter::Convolve(NodeId id, const Value& input) const {
  const Node& node = graph_.node(id);
  const auto found = layers_.find(id);
  if (found == layers_.end()) return ConvolveFloat(node, input);
  const IntegerLayer& layer = found->second;
  const double input_scale = ScaleAt(node.inputs[0]).scale;
  const std::vector<int64_t> sums = WindowSums(node, graph_.node(node.inputs[0]).shape, input.steps, layer.weight);
  const size_t cells = sums.size() / layer.weight_scales.size();
  Reals out(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t c = i / cells;
    out[i] = input_scale * layer.weight_scales[c] * static_cast<double>(sums[i]);
    if (!layer.bias.empty()) out[i] += static_cast<double>(layer.bias_scales[c]) * layer.bias[c];
  }
  return layer.bias.empty() ? AddBias(node, weights_, std::move(out)) : out;
}

std::vector<double> Interpreter::ConvolveFloat(const Node& node, const Value& input) const {
  const std::vector<float>& weight = weights_.at(node.name + ".weight").data;
  return AddBias(node, weights_, WindowSums(node, graph_.node(node.inputs[0]).shape, input.reals, weight));
}

Tensor Interpreter::OutputTensor(NodeId id, const Value& value) const {
  const Shape& shape = graph_.node(id).shape;
  Tensor tensor({1, shape.c, shape.h, shape.w});
  if (borders_ == Borders::kIntegers && IsRounded(id)) {
    const int zero_point = ScaleAt(id).zero_point;
    std::transform(value.steps.begin(), value.steps.end(), tensor.data.begin(),
                   [&](int16_t steps) { return static_cast<float>(steps + zero_point); });
  } else {
    std::transform(value.reals.begin(), value.reals.end(), tensor.data.begin(),
                   [](double real) { return static_cast<float>(real); });
  }
  return tensor;
}

}  // namespace hot
