#include "deploy/onnx_model.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/element_type.h"

namespace hot {
namespace {

// The newest that goes with the opset everywhere.
int IrVersion(int opset) { return opset < 21 ? 8 : 10; }

template <typename T>
void Fill(onnx::TensorProto& tensor, const std::string& name, onnx::TensorProto::DataType type,
          const std::vector<int64_t>& shape, const std::vector<T>& values) {
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const int64_t side : shape) tensor.add_dims(side);
  // ONNX stores raw data little-endian, as do all processors that this program runs on.
  tensor.set_raw_data(values.data(), values.size() * sizeof(T));
}

uint16_t Half(const std::string& name, float value) {
  constexpr float kEnd = 65520;  // from here on the nearest half is infinite
  if (std::isfinite(value) && std::abs(value) >= kEnd) {
    throw Error(Code::kInvalidArgument, name, std::to_string(value) + " is beyond fp16, which ends at 65504",
                "bf16 has the range of fp32");
  }
  return HalfFromFloat(value);
}

void Describe(onnx::ValueInfoProto& value, const std::string& name, onnx::TensorProto::DataType type,
              const std::vector<int64_t>& shape) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  for (const int64_t side : shape) tensor.mutable_shape()->add_dim()->set_dim_value(side);
}

onnx::AttributeProto& Attribute(onnx::NodeProto& node, const std::string& name,
                                onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

OnnxModel::OnnxModel(int opset) {
  model_.set_ir_version(IrVersion(opset));
  model_.set_producer_name("hot");
  model_.add_opset_import()->set_version(opset);
  model_.mutable_graph()->set_name("hot");
}

void OnnxModel::Floats(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values,
                       onnx::TensorProto::DataType type) {
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  if (type == onnx::TensorProto::FLOAT) return Fill(tensor, name, type, shape, values);
  std::vector<uint16_t> halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), [&](float value) { return Half(name, value); });
  Fill(tensor, name, type, shape, halves);
}

void OnnxModel::Integer(const std::string& name, onnx::TensorProto::DataType type, int value) {
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  if (type == onnx::TensorProto::INT16) return Fill(tensor, name, type, {}, std::vector{static_cast<int16_t>(value)});
  if (type == onnx::TensorProto::UINT8) return Fill(tensor, name, type, {}, std::vector{static_cast<uint8_t>(value)});
  Fill(tensor, name, type, {}, std::vector{static_cast<int8_t>(value)});
}

void OnnxModel::Int8s(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int8_t>& values) {
  Fill(*model_.mutable_graph()->add_initializer(), name, onnx::TensorProto::INT8, shape, values);
}

void OnnxModel::Int32s(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int32_t>& values) {
  Fill(*model_.mutable_graph()->add_initializer(), name, onnx::TensorProto::INT32, shape, values);
}

void OnnxModel::Int64s(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& values) {
  Fill(*model_.mutable_graph()->add_initializer(), name, onnx::TensorProto::INT64, shape, values);
}

onnx::NodeProto& OnnxModel::Node(const std::string& op, const std::vector<std::string>& inputs,
                                 const std::string& output) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(op);
  node.set_name(output);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

void OnnxModel::Input(const std::string& name, onnx::TensorProto::DataType type, const std::vector<int64_t>& shape) {
  Describe(*model_.mutable_graph()->add_input(), name, type, shape);
}

void OnnxModel::Output(const std::string& name, onnx::TensorProto::DataType type, const std::vector<int64_t>& shape) {
  Describe(*model_.mutable_graph()->add_output(), name, type, shape);
}

std::string OnnxModel::Serialize() const {
  std::string bytes;
  if (!model_.SerializeToString(&bytes)) {
    throw Error(Code::kResourceExhausted, "onnx", "the network is larger than the 2 GiB that one ONNX file can hold");
  }
  return bytes;
}

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value) {
  Attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

void SetFloat(onnx::NodeProto& node, const std::string& name, float value) {
  Attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

void SetInts(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
  onnx::AttributeProto& attribute = Attribute(node, name, onnx::AttributeProto::INTS);
  for (const int64_t value : values) attribute.add_ints(value);
}

void SetText(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  Attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

}  // namespace hot
