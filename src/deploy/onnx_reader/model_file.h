// An ONNX file as messages, checked as far as every reader needs, and its constants as numbers. Used by the ONNX reader
// only. Not thread-safe: constants are decoded when they are asked for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "graph/tensor.h"
#include "onnx.pb.h"

namespace hot {

// A tensor that the file knows: weights, or the numbers of shapes and axes.
struct OnnxConstant {
  std::vector<int64_t> shape;
  std::vector<float> values;      // of floats; of integers that are no int64 or int32
  std::vector<int64_t> integers;  // of int64 and int32
  bool is_integer = false;
};

class ModelFile {
 public:
  // Throws Error(kInvalidArgument) for bytes that are no ONNX file, kDataLoss for a broken one.
  ModelFile(std::string_view bytes, fs::path folder, std::string where);

  const onnx::GraphProto& graph() const { return model_.graph(); }
  int opset() const { return opset_; }
  std::string Producer() const;
  const std::string& where() const { return where_; }

  // Null when `name` is no constant. Throws Error(kDataLoss) naming it where its numbers are not all there.
  const OnnxConstant* FindConstant(const std::string& name);
  // What a node computes from constants alone, or a Constant node's tensor.
  void AddConstant(const std::string& name, OnnxConstant constant) { constants_[name] = std::move(constant); }
  OnnxConstant Decode(const onnx::TensorProto& tensor) const;

 private:
  // `expected`: bytes that the shape asks for.
  std::string RawBytes(const onnx::TensorProto& tensor, size_t expected) const;
  std::string ExternalBytes(const onnx::TensorProto& tensor, size_t expected) const;

  onnx::ModelProto model_;
  const fs::path folder_;
  const std::string where_;
  int opset_ = 0;
  std::map<std::string, const onnx::TensorProto*> initializers_;
  std::map<std::string, OnnxConstant> constants_;
};

// Attributes of a node, with what it means when they are missing.
const onnx::AttributeProto* FindAttribute(const onnx::NodeProto& node, std::string_view name);
int64_t IntAttribute(const onnx::NodeProto& node, std::string_view name, int64_t fallback);
float FloatAttribute(const onnx::NodeProto& node, std::string_view name, float fallback);
std::string TextAttribute(const onnx::NodeProto& node, std::string_view name, const std::string& fallback);
std::vector<int64_t> IntsAttribute(const onnx::NodeProto& node, std::string_view name);  // empty: missing

}  // namespace hot
