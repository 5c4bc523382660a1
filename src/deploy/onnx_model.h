// Thin builder over ONNX's protobuf messages: tensors and nodes by name. Used by the ONNX writer only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnx.pb.h"

namespace hot {

class OnnxModel {
 public:
  explicit OnnxModel(int opset);

  // Initializers; the shape's product must be the number of values. `type` is that of the tensor: FLOAT or FLOAT16.
  void Floats(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values,
              onnx::TensorProto::DataType type = onnx::TensorProto::FLOAT);
  void Int8s(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int8_t>& values);
  // One integer of the given type: INT8, UINT8 or INT16.
  void Integer(const std::string& name, onnx::TensorProto::DataType type, int value);
  void Int32s(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int32_t>& values);
  void Int64s(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& values);

  // One node with one output, named after it.
  onnx::NodeProto& Node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output);

  void Input(const std::string& name, onnx::TensorProto::DataType type, const std::vector<int64_t>& shape);
  void Output(const std::string& name, onnx::TensorProto::DataType type, const std::vector<int64_t>& shape);

  std::string Serialize() const;

 private:
  onnx::ModelProto model_;
};

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value);
void SetFloat(onnx::NodeProto& node, const std::string& name, float value);
void SetInts(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values);
void SetText(onnx::NodeProto& node, const std::string& name, const std::string& value);

}  // namespace hot
