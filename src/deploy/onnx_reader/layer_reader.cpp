#include "deploy/onnx_reader/layer_reader.h"

#include <algorithm>

#include "core/error.h"
#include "deploy/onnx_reader/constant_nodes.h"
#include "deploy/onnx_reader/names.h"

namespace hot {

const std::map<std::string, LayerReader::Method>& LayerReader::Methods() {
  using L = LayerReader;
  static const std::map<std::string, Method> kMethods{{"Conv", &L::AddConv},
                                                      {"MaxPool", &L::AddPool},
                                                      {"AveragePool", &L::AddPool},
                                                      {"Resize", &L::AddResize},
                                                      {"BatchNormalization", &L::AddBatchNorm},
                                                      {"Gemm", &L::AddGemm},
                                                      {"MatMul", &L::AddMatMul},
                                                      {"Add", &L::AddSum},
                                                      {"Mul", &L::AddProduct},
                                                      {"Concat", &L::AddConcat},
                                                      {"Clip", &L::AddClip},
                                                      {"HardSigmoid", &L::AddHardSigmoid},
                                                      {"HardSwish", &L::AddActivation},
                                                      {"Relu", &L::AddActivation},
                                                      {"Sigmoid", &L::AddActivation},
                                                      {"Softmax", &L::AddSoftmax},
                                                      {"GlobalAveragePool", &L::AddGlobalPool},
                                                      {"ReduceMean", &L::AddReduceMean},
                                                      {"Flatten", &L::AddFlatten},
                                                      {"Reshape", &L::AddReshape},
                                                      {"Squeeze", &L::AddSqueeze},
                                                      {"Unsqueeze", &L::AddSqueeze},
                                                      {"Shape", &L::AddShapeOf},
                                                      {"Constant", &L::AddConstantNode},
                                                      {"Identity", &L::AddSame},
                                                      {"Dropout", &L::AddSame},
                                                      {"Cast", &L::AddSame}};
  return kMethods;
}

LayerReader::LayerReader(ModelFile& file) : file_(file) {
  for (const OnnxNode& node : file.graph().node()) {
    for (const std::string& input : node.input()) readers_[input].push_back(&node);
  }
  for (const onnx::ValueInfoProto& output : file.graph().output()) outputs_.insert(output.name());
}

void LayerReader::AddInput(const std::string& tensor, Shape shape) {
  names_.insert("input");
  values_[tensor] = {.node = builder_.Input("input", shape), .rank = 4};
}

void LayerReader::Add(const OnnxNode& node) {
  if (node.output_size() == 0) throw Error(Code::kInvalidArgument, file_.where(), "a node has no output");
  if (done_.contains(node.output(0)) || FoldConstants(node)) return;
  const auto method = Methods().find(node.op_type());
  const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
  if (method == Methods().end() || !standard) Refuse(node, "no such operation is read");
  (this->*method->second)(node);
}

// A node that reads nothing but constants gives one.
bool LayerReader::FoldConstants(const OnnxNode& node) {
  std::vector<const OnnxConstant*> inputs;
  for (const std::string& input : node.input()) {
    if (input.empty()) continue;
    inputs.push_back(file_.FindConstant(input));
    if (inputs.back() == nullptr) return false;
  }
  std::optional<OnnxConstant> constant = EvaluateConstant(node, inputs);
  if (!constant) return false;
  file_.AddConstant(node.output(0), *std::move(constant));
  return true;
}

const OnnxValue* LayerReader::FindValue(const std::string& tensor) const {
  const auto found = values_.find(tensor);
  return found == values_.end() ? nullptr : &found->second;
}

void LayerReader::Refuse(const OnnxNode& node, const std::string& why) const {
  const std::string& name = node.name().empty() ? node.output(0) : node.name();
  throw Error(Code::kUnimplemented, file_.where(), "node " + name + " (" + node.op_type() + "): " + why);
}

std::string LayerReader::UniqueName(const OnnxNode& node) {
  const std::string name = ReadableName(node);
  std::string unique = name;
  for (int i = 2; !names_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
  return unique;
}

const OnnxValue& LayerReader::Input(const OnnxNode& node, int index) const {
  if (index >= node.input_size()) Refuse(node, "has too few inputs");
  const OnnxValue* value = FindValue(node.input(index));
  if (value == nullptr) Refuse(node, "reads " + node.input(index) + ", which is no map of this network");
  return *value;
}

const OnnxConstant* LayerReader::ConstantInput(const OnnxNode& node, int index) const {
  if (index >= node.input_size() || node.input(index).empty()) return nullptr;
  const OnnxConstant* constant = file_.FindConstant(node.input(index));
  if (constant == nullptr) Refuse(node, "reads " + node.input(index) + ", which is not constant");
  return constant;
}

const OnnxConstant& LayerReader::NeededConstant(const OnnxNode& node, int index) const {
  const OnnxConstant* constant = ConstantInput(node, index);
  if (constant == nullptr) Refuse(node, "has too few inputs");
  return *constant;
}

const OnnxNode* LayerReader::SoleReader(const std::string& tensor) const {
  const auto found = readers_.find(tensor);
  if (found == readers_.end() || found->second.size() != 1 || outputs_.contains(tensor)) return nullptr;
  return found->second[0];
}

void LayerReader::Store(const std::string& parameter, std::vector<int64_t> shape, const std::vector<float>& values) {
  Tensor tensor;
  tensor.shape = std::move(shape);
  tensor.data = values;
  weights_[parameter] = std::move(tensor);
}

}  // namespace hot
