#include "deploy/onnx_writer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "deploy/onnx_model.h"
#include "quantize/plan.h"

namespace hot {
namespace {

using Names = std::vector<std::string>;

std::vector<int64_t> Dims(const Shape& shape) { return {1, shape.c, shape.h, shape.w}; }

template <typename Integer>
Integer Saturated(double value) {
  const double low = std::numeric_limits<Integer>::min(), high = std::numeric_limits<Integer>::max();
  return static_cast<Integer>(std::clamp(std::nearbyint(value), low, high));
}

// A node's output has up to three tensors: what its operator writes, the integers, and what quantized readers read.
struct Tensors {
  std::string raw, quantized, value;
  bool rounded = false;  // false: raw == value, no tensor of integers
};

using DataType = onnx::TensorProto::DataType;

constexpr int kOpset = 13;
constexpr int kOpset16Bits = 21;  // the first whose QuantizeLinear knows 16-bit integers

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
        integer_(IntegerType(options.quantization)),
        float_(options.fp16 ? onnx::TensorProto::FLOAT16 : onnx::TensorProto::FLOAT),
        model_(integer_ == onnx::TensorProto::INT16 ? kOpset16Bits : kOpset) {}

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

  // What nobody but a float operator or the outside reads stays in float: no accuracy is lost where no speed is won.
  bool IsRounded(NodeId id) const {
    if (Place(id) != QuantPlace::kScaled && Place(id) != QuantPlace::kPassThrough) return false;
    if (FindScale(id) == nullptr) return false;
    if (IsOutput(id) && options_.int8_borders) return true;
    const auto& readers = consumers_[static_cast<size_t>(id)];
    return std::any_of(readers.begin(), readers.end(),
                       [&](NodeId reader) { return At(reader).op != Op::kSigmoid && At(reader).op != Op::kSoftmax; });
  }

  // Graph inputs and outputs bear the node's own name; behind it stands another one where borders are channels-last or
  // of another type.
  Tensors TensorsOf(NodeId id) const {
    const std::string& name = At(id).name;
    const bool input = At(id).op == Op::kInput;
    const bool border = input || IsOutput(id);
    const std::string outer = border && (options_.channels_last_borders || options_.fp16) ? name + ".inner" : name;
    if (!IsRounded(id)) return {outer, "", outer, false};
    if (border && options_.int8_borders) return {name + ".raw", outer, name + ".dq", true};
    if (border && !input) return {name + ".raw", name + ".q", outer, true};
    return {outer, name + ".q", name + ".dq", true};
  }

  const ActivationScale* FindScale(NodeId id) const {
    if (options_.quantization == nullptr) return nullptr;
    const auto found = options_.quantization->activations.find(At(ScaleOwner(graph_, places_, id)).name);
    return found == options_.quantization->activations.end() ? nullptr : &found->second;
  }

  const ActivationScale& ScaleAt(NodeId id) const {
    const ActivationScale* scale = FindScale(id);
    if (scale != nullptr) return *scale;
    throw Error(Code::kNotFound, "node " + At(ScaleOwner(graph_, places_, id)).name,
                "the quantization has no scale for its output");
  }

  // Scale and zero point of a node's output as initializers, written once.
  Names ScaleNames(NodeId id) {
    const std::string& owner = At(ScaleOwner(graph_, places_, id)).name;
    const Names names = {owner + ".scale", owner + ".zero_point"};
    if (written_.insert(owner).second) {
      const ActivationScale& scale = ScaleAt(id);
      model_.Floats(names[0], {}, {scale.scale});
      model_.Integer(names[1], integer_, scale.zero_point);
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
    if (options_.channels_last_borders) {
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
    if (options_.channels_last_borders) return {1, shape.h, shape.w, shape.c};
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
    const std::vector<float>& scales = options_.quantization->weight_scales.at(node.name);
    if (std::ssize(scales) != node.shape.c)
      throw Error(Code::kNotFound, "node " + node.name,
                  "the quantization has no weight scale for each of its channels");
    const float input_scale = ScaleAt(node.inputs[0]).scale;
    const std::vector<float>& weight = weights_.at(inputs[1]).data;
    std::vector<int8_t> rounded;
    for (size_t i = 0; i < weight.size(); ++i) {
      const double value = static_cast<double>(weight[i]) / scales[i * scales.size() / weight.size()];
      rounded.push_back(std::max<int8_t>(-127, Saturated<int8_t>(value)));
    }
    model_.Int8s(inputs[1], WeightDims(node), rounded);
    Dequantize(inputs[1], scales, [&](const std::string& zero) {
      model_.Int8s(zero, {node.shape.c}, std::vector<int8_t>(scales.size(), 0));
    });
    if (inputs.size() == 3) WriteRoundedBias(node, scales, input_scale, inputs[2]);
  }

  // Biases have the accumulators' scale. Those of 16-bit activations are integers of 64 bits, which ONNX can't
  // dequantize: they stay in float, which is no less exact.
  void WriteRoundedBias(const Node& node, const std::vector<float>& scales, float input_scale, std::string& name) {
    if (integer_ == onnx::TensorProto::INT16) return model_.Floats(name, {node.shape.c}, weights_.at(name).data);
    std::vector<float> bias_scales;
    std::vector<int32_t> bias;
    for (size_t c = 0; c < scales.size(); ++c) {
      bias_scales.push_back(input_scale * scales[c]);
      bias.push_back(Saturated<int32_t>(weights_.at(name).data[c] / static_cast<double>(bias_scales[c])));
    }
    model_.Int32s(name, {node.shape.c}, bias);
    Dequantize(name, bias_scales, [&](const std::string& zero) {
      model_.Int32s(zero, {node.shape.c}, std::vector<int32_t>(scales.size(), 0));
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
    const Node& node = At(id);
    Names inputs;
    for (const NodeId input : node.inputs) inputs.push_back(Value(input));
    const auto add = [&](const char* op) -> onnx::NodeProto& { return model_.Node(op, inputs, tensors_.back().raw); };
    switch (node.op) {
      case Op::kRelu:
        add("Relu");
        break;
      case Op::kAdd:
        add("Add");
        break;
      case Op::kSigmoid:
        add("Sigmoid");
        break;
      case Op::kGlobalAvgPool:
        add("GlobalAveragePool");
        break;
      case Op::kConcat:
        SetInt(add("Concat"), "axis", 1);
        break;
      case Op::kSoftmax:
        SetInt(add("Softmax"), "axis", 1);
        break;
      default:
        throw Error(Code::kUnimplemented, "node " + node.name,
                    "ONNX writer: unknown op " + std::string(OpName(node.op)));
    }
  }

  void WriteOutputs() {
    for (const NodeId id : graph_.outputs()) WriteOutput(id);
    for (const std::string& name : options_.exposed) {
      const NodeId id = Find(name);
      model_.Output(Value(id), float_, Dims(At(id).shape));
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
      const std::string cast = options_.channels_last_borders ? name + ".fp32" : name;
      Cast(y, cast, onnx::TensorProto::FLOAT);
      y = cast;
    }
    if (options_.channels_last_borders) SetInts(model_.Node("Transpose", {y}, name), "perm", {0, 2, 3, 1});
  }

  const Graph& graph_;
  const Weights& weights_;
  const OnnxOptions& options_;
  const std::vector<std::vector<NodeId>> consumers_;
  const std::vector<QuantPlace> places_;
  const DataType integer_, float_;  // of activations
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
