#include "deploy/onnx_writer.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "deploy/onnx_model.h"
#include "quantize/integer_layer.h"
#include "quantize/plan.h"

namespace hot {
namespace {

using Names = std::vector<std::string>;

std::vector<int64_t> Dims(const Shape& shape) { return {1, shape.c, shape.h, shape.w}; }

// A node's output has up to three tensors: what its operator writes, the integers, and what quantized readers read.
struct Tensors {
  std::string raw, quantized, value;
  bool rounded = false;  // false: raw == value, no tensor of integers
};

using DataType = onnx::TensorProto::DataType;

constexpr int kOpset = 13;
constexpr int kOpsetHardSwish = 14;  // the first that has it
constexpr int kOpset16Bits = 21;     // the first whose QuantizeLinear knows 16-bit integers

int OpsetFor(const Graph& graph, DataType integer) {
  if (integer == onnx::TensorProto::INT16) return kOpset16Bits;
  return std::ranges::count(graph.nodes(), Op::kHardSwish, &Node::op) > 0 ? kOpsetHardSwish : kOpset;
}

// The tensor type of a scheme's activations.
DataType IntegerType(const Scheme& scheme) {
  if (scheme.precision == Precision::kInt16x8) return onnx::TensorProto::INT16;
  return scheme.lowest < 0 ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8;
}

DataType IntegerType(const Quantization* quantization) {
  return quantization == nullptr ? onnx::TensorProto::INT8 : IntegerType(SchemeOf(quantization->scheme));
}

class Writer {
 public:
  Writer(const Network& network, const OnnxOptions& options)
      : graph_(network.graph),
        weights_(network.weights),
        options_(options),
        consumers_(network.graph.Consumers()),
        places_(PlanQuantization(network.graph)),
        rounded_(options.quantization == nullptr
                     ? std::vector<bool>()
                     : RoundedOutputs(network.graph, places_, *options.quantization, options.int8_borders)),
        integer_(IntegerType(options.quantization)),
        float_(options.fp16 ? onnx::TensorProto::FLOAT16 : onnx::TensorProto::FLOAT),
        model_(OpsetFor(network.graph, integer_)) {}

  std::string Run() {
    CheckWeights(graph_, weights_, "onnx");
    for (NodeId id = 0; id < graph_.size(); ++id) {
      tensors_.push_back(TensorsOf(id));
      Write(id);
      if (tensors_.back().rounded) WriteRounding(id);
    }
    WriteOutputs();
    return model_.Serialize();
  }

 private:
  const Node& At(NodeId id) const { return graph_.node(id); }
  QuantPlace Place(NodeId id) const { return places_[static_cast<size_t>(id)]; }
  const std::string& Value(NodeId id) const { return tensors_[static_cast<size_t>(id)].value; }

  bool IsOutput(NodeId id) const {
    return std::find(graph_.outputs().begin(), graph_.outputs().end(), id) != graph_.outputs().end();
  }

  bool IsChannelsLast(NodeId border) const {
    return options_.channels_last_borders && !(options_.int8_borders && IsRounded(border));
  }

  bool IsRounded(NodeId id) const { return !rounded_.empty() && rounded_[static_cast<size_t>(id)]; }

  // Graph inputs and outputs bear the node's own name; behind it stands another one where borders are channels-last or
  // of another type.
  Tensors TensorsOf(NodeId id) const {
    const std::string& name = At(id).name;
    const bool input = At(id).op == Op::kInput;
    const bool border = input || IsOutput(id);
    const std::string outer = border && (IsChannelsLast(id) || options_.fp16) ? name + ".inner" : name;
    if (!IsRounded(id)) return {outer, "", outer, false};
    if (border && options_.int8_borders) return {name + ".raw", outer, name + ".dq", true};
    if (border && !input) return {name + ".raw", name + ".q", outer, true};
    return {outer, name + ".q", name + ".dq", true};
  }

  const ActivationScale& ScaleAt(NodeId id) const { return OutputScale(graph_, places_, id, *options_.quantization); }

  // Scale and zero point of a node's output as initializers, written once.
  Names ScaleNames(NodeId id) {
    const NodeId owner_id = ScaleOwner(graph_, places_, id);
    const Node& owner = At(owner_id);
    const Names names = {owner.name + ".scale", owner.name + ".zero_point"};
    if (written_.insert(owner.name).second) {
      const ActivationScale& scale = ScaleAt(id);
      const bool shifted = options_.unsigned_concatenations && owner.op == Op::kConcat && !IsOutput(owner_id) &&
                           integer_ == onnx::TensorProto::INT8;
      model_.Floats(names[0], {}, {scale.scale});
      model_.Integer(names[1], shifted ? onnx::TensorProto::UINT8 : integer_, scale.zero_point + (shifted ? 128 : 0));
    }
    return names;
  }

  void WriteRounding(NodeId id) {
    const Tensors& tensors = tensors_[static_cast<size_t>(id)];
    const Names scale = ScaleNames(id);
    const bool int8_input = At(id).op == Op::kInput && options_.int8_borders;
    if (!int8_input) model_.Node("QuantizeLinear", {tensors.raw, scale[0], scale[1]}, tensors.quantized);
    if (!consumers_[static_cast<size_t>(id)].empty() || !options_.int8_borders) {
      model_.Node("DequantizeLinear", {tensors.quantized, scale[0], scale[1]}, tensors.value);
    }
  }

  void Write(NodeId id) {
    const Node& node = At(id);
    switch (node.op) {
      case Op::kInput:
        return WriteInput(id);
      case Op::kConv:
      case Op::kLinear:
        return WriteConv(id);
      case Op::kRelu6:
        return WriteRelu6(id);
      case Op::kMaxPool:
      case Op::kAvgPool:
        return WritePool(id);
      case Op::kUpsample:
        return WriteUpsample(id);
      case Op::kFlatten:
        return WriteFlatten(id);
      case Op::kBatchNorm:
        throw Error(Code::kInvalidArgument, "node " + node.name, "batch norm must be folded before ONNX is written");
      default:
        return WriteSimple(id);
    }
  }

  void WriteInput(NodeId id) {
    const bool int8_input = tensors_.back().rounded && options_.int8_borders;
    model_.Input(At(id).name, int8_input ? integer_ : onnx::TensorProto::FLOAT, BorderDims(id));
    std::string x = At(id).name;
    if (IsChannelsLast(id)) {
      const std::string transposed = options_.fp16 ? x + ".fp32" : tensors_.back().raw;
      SetInts(model_.Node("Transpose", {x}, transposed), "perm", {0, 3, 1, 2});
      x = transposed;
    }
    if (options_.fp16) Cast(x, tensors_.back().raw, float_);
  }

  void Cast(const std::string& from, const std::string& to, DataType type) {
    SetInt(model_.Node("Cast", {from}, to), "to", type);
  }

  std::vector<int64_t> BorderDims(NodeId id) const {
    const Shape& shape = At(id).shape;
    if (IsChannelsLast(id)) return {1, shape.h, shape.w, shape.c};
    return Dims(shape);
  }

  // Linear layers are 1x1 convolutions on 1x1 maps, so that all shapes have four sides.
  void WriteConv(NodeId id) {
    const Node& node = At(id);
    const Attrs& a = node.attrs;
    Names inputs = {Value(node.inputs[0]), node.name + ".weight"};
    if (a.bias) inputs.push_back(node.name + ".bias");
    if (options_.quantization == nullptr || !options_.quantization->weight_scales.contains(node.name)) {
      model_.Floats(inputs[1], WeightDims(node), weights_.at(inputs[1]).data, float_);
      if (a.bias) model_.Floats(inputs[2], {node.shape.c}, weights_.at(inputs[2]).data, float_);
    } else {
      WriteRoundedWeights(node, inputs);
    }
    onnx::NodeProto& conv = model_.Node("Conv", inputs, tensors_.back().raw);
    SetInts(conv, "kernel_shape", {a.kernel, a.kernel});
    SetInts(conv, "strides", {a.stride, a.stride});
    SetInts(conv, "pads", {a.pads[0], a.pads[1], a.pads[2], a.pads[3]});
    SetInt(conv, "group", a.groups);
  }

  std::vector<int64_t> WeightDims(const Node& node) const {
    std::vector<int64_t> dims = weights_.at(node.name + ".weight").shape;
    dims.resize(4, 1);
    return dims;
  }

  // Replaces the names of weight and bias in `inputs` by those of the dequantized ones.
  void WriteRoundedWeights(const Node& node, Names& inputs) {
    const IntegerLayer layer = RoundLayer(node, weights_, *options_.quantization, ScaleAt(node.inputs[0]).scale);
    const std::vector<int64_t> channels = {node.shape.c};
    model_.Int8s(inputs[1], WeightDims(node), layer.weight);
    Dequantize(inputs[1], layer.weight_scales, [&](const std::string& zero) {
      model_.Int8s(zero, channels, std::vector<int8_t>(layer.weight_scales.size(), 0));
    });
    if (inputs.size() < 3) return;
    if (layer.bias.empty()) return model_.Floats(inputs[2], channels, weights_.at(inputs[2]).data);
    model_.Int32s(inputs[2], channels, layer.bias);
    Dequantize(inputs[2], layer.bias_scales, [&](const std::string& zero) {
      model_.Int32s(zero, channels, std::vector<int32_t>(layer.bias.size(), 0));
    });
  }

  template <typename WriteZero>
  void Dequantize(std::string& name, const std::vector<float>& scales, const WriteZero& write_zero) {
    model_.Floats(name + ".scale", {std::ssize(scales)}, scales);
    write_zero(name + ".zero_point");
    SetInt(model_.Node("DequantizeLinear", {name, name + ".scale", name + ".zero_point"}, name + ".dq"), "axis", 0);
    name += ".dq";
  }

  void WriteRelu6(NodeId id) {
    if (written_.insert("relu6").second) {
      model_.Floats("relu6.min", {}, {0}, float_);
      model_.Floats("relu6.max", {}, {6}, float_);
    }
    model_.Node("Clip", {Value(At(id).inputs[0]), "relu6.min", "relu6.max"}, tensors_.back().raw);
  }

  void WritePool(NodeId id) {
    const Node& node = At(id);
    const Attrs& a = node.attrs;
    const bool max = node.op == Op::kMaxPool;
    onnx::NodeProto& pool = model_.Node(max ? "MaxPool" : "AveragePool", {Value(node.inputs[0])}, tensors_.back().raw);
    SetInts(pool, "kernel_shape", {a.kernel, a.kernel});
    SetInts(pool, "strides", {a.stride, a.stride});
    SetInts(pool, "pads", {a.pads[0], a.pads[1], a.pads[2], a.pads[3]});
    if (!max) SetInt(pool, "count_include_pad", 0);
  }

  void WriteUpsample(NodeId id) {
    const Node& node = At(id);
    const auto factor = static_cast<float>(node.attrs.stride);
    model_.Floats(node.name + ".factors", {4}, {1, 1, factor, factor});
    const Names inputs = {Value(node.inputs[0]), "", node.name + ".factors"};
    onnx::NodeProto& resize = model_.Node("Resize", inputs, tensors_.back().raw);
    SetText(resize, "mode", "nearest");
    SetText(resize, "coordinate_transformation_mode", "asymmetric");
    SetText(resize, "nearest_mode", "floor");
  }

  void WriteFlatten(NodeId id) {
    const Node& node = At(id);
    model_.Int64s(node.name + ".shape", {4}, Dims(node.shape));
    model_.Node("Reshape", {Value(node.inputs[0]), node.name + ".shape"}, tensors_.back().raw);
  }

  void WriteSimple(NodeId id) {
    static const std::map<Op, const char*> kNames{{Op::kRelu, "Relu"},
                                                  {Op::kAdd, "Add"},
                                                  {Op::kMul, "Mul"},
                                                  {Op::kSigmoid, "Sigmoid"},
                                                  {Op::kConcat, "Concat"},
                                                  {Op::kSoftmax, "Softmax"},
                                                  {Op::kHardSwish, "HardSwish"},
                                                  {Op::kHardSigmoid, "HardSigmoid"},
                                                  {Op::kGlobalAvgPool, "GlobalAveragePool"}};
    const Node& node = At(id);
    const auto name = kNames.find(node.op);
    if (name == kNames.end()) {
      throw Error(Code::kUnimplemented, "node " + node.name, "ONNX writer: unknown op " + std::string(OpName(node.op)));
    }
    Names inputs;
    for (const NodeId input : node.inputs) inputs.push_back(Value(input));
    onnx::NodeProto& written = model_.Node(name->second, inputs, tensors_.back().raw);
    if (node.op == Op::kConcat || node.op == Op::kSoftmax) SetInt(written, "axis", 1);
    if (node.op != Op::kHardSigmoid) return;
    SetFloat(written, "alpha", 1.0f / 6);
    SetFloat(written, "beta", 0.5f);
  }

  void WriteOutputs() {
    for (const NodeId id : graph_.outputs()) WriteOutput(id);
    for (const std::string& name : options_.exposed) {
      const NodeId id = Find(name);
      model_.Output(Value(id), float_, Dims(At(id).shape));
    }
    for (const std::string& name : options_.extremes) {
      const std::string value = Value(Find(name));
      for (const auto& [op, suffix] : {std::pair{"ReduceMin", ".min"}, {"ReduceMax", ".max"}}) {
        SetInt(model_.Node(op, {value}, name + suffix), "keepdims", 0);
        model_.Output(name + suffix, float_, {});
      }
    }
  }

  NodeId Find(const std::string& name) const {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (At(id).name == name) return id;
    }
    throw Error(Code::kNotFound, "node " + name, "can't be exposed: the graph has no such node");
  }

  void WriteOutput(NodeId id) {
    const std::string& name = At(id).name;
    if (At(id).op == Op::kInput)
      throw Error(Code::kInvalidArgument, "node " + name, "an input can't be an output, too");
    const bool int8 = options_.int8_borders && tensors_[static_cast<size_t>(id)].rounded;
    model_.Output(name, int8 ? integer_ : onnx::TensorProto::FLOAT, BorderDims(id));
    std::string y = name + ".inner";
    if (options_.fp16) {
      const std::string cast = IsChannelsLast(id) ? name + ".fp32" : name;
      Cast(y, cast, onnx::TensorProto::FLOAT);
      y = cast;
    }
    if (IsChannelsLast(id)) SetInts(model_.Node("Transpose", {y}, name), "perm", {0, 2, 3, 1});
  }

  const Graph& graph_;
  const Weights& weights_;
  const OnnxOptions& options_;
  const std::vector<std::vector<NodeId>> consumers_;
  const std::vector<QuantPlace> places_;
  const std::vector<bool> rounded_;  // by node; empty without a quantization
  const DataType integer_, float_;   // of activations
  OnnxModel model_;
  std::vector<Tensors> tensors_;   // by node
  std::set<std::string> written_;  // shared initializers
};

}  // namespace

std::string WriteOnnx(const Network& network, const OnnxOptions& options) {
  if (options.fp16 && options.quantization != nullptr)
    throw Error(Code::kInvalidArgument, "onnx", "a network is either quantized or in fp16");
  return Writer(network, options).Run();
}

}  // namespace hot
