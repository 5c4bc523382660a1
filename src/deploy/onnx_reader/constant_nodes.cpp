#include "deploy/onnx_reader/constant_nodes.h"

#include <cmath>
#include <utility>

namespace hot {
namespace {

bool IsMatrix(const OnnxConstant& constant) { return !constant.is_integer && constant.shape.size() == 2; }

OnnxConstant Vector(std::vector<int64_t> integers) {
  return {.shape = {std::ssize(integers)}, .integers = std::move(integers), .is_integer = true};
}

// Of a list of integers: elements at `indices`, in the indices' shape.
std::optional<OnnxConstant> Gather(const OnnxConstant& data, const OnnxConstant& indices) {
  if (!data.is_integer || data.shape.size() != 1) return std::nullopt;
  OnnxConstant gathered{.shape = indices.shape, .is_integer = true};
  for (int64_t index : AsIntegers(indices)) {
    if (index < 0) index += std::ssize(data.integers);
    if (index < 0 || index >= std::ssize(data.integers)) return std::nullopt;
    gathered.integers.push_back(data.integers[static_cast<size_t>(index)]);
  }
  return gathered;
}

// Scalars and lists become one list.
std::optional<OnnxConstant> Concat(const std::vector<const OnnxConstant*>& inputs) {
  std::vector<int64_t> all;
  for (const OnnxConstant* input : inputs) {
    if (!input->is_integer || input->shape.size() > 1) return std::nullopt;
    all.insert(all.end(), input->integers.begin(), input->integers.end());
  }
  return Vector(std::move(all));
}

// Scalars to lists and back: the only reshapings that shapes need.
std::optional<OnnxConstant> WithRank(const OnnxConstant& constant, size_t rank) {
  if (!constant.is_integer || constant.integers.size() != 1) return std::nullopt;
  OnnxConstant result = constant;
  result.shape.assign(rank, 1);
  return result;
}

std::optional<OnnxConstant> Cast(const onnx::NodeProto& node, const OnnxConstant& constant) {
  const int64_t to = IntAttribute(node, "to", 0);
  const bool integer = to == onnx::TensorProto::INT64 || to == onnx::TensorProto::INT32;
  if (integer == constant.is_integer) return constant;
  OnnxConstant result{.shape = constant.shape, .is_integer = integer};
  if (integer) result.integers = AsIntegers(constant);
  if (!integer) result.values.assign(constant.integers.begin(), constant.integers.end());
  return result;
}

}  // namespace

OnnxConstant TransposeMatrix(const OnnxConstant& matrix) {
  OnnxConstant result{.shape = {matrix.shape[1], matrix.shape[0]}, .values = matrix.values};
  const auto rows = static_cast<size_t>(matrix.shape[0]), columns = static_cast<size_t>(matrix.shape[1]);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column)
      result.values[column * rows + row] = matrix.values[row * columns + column];
  }
  return result;
}

std::vector<int64_t> AsIntegers(const OnnxConstant& constant) {
  if (constant.is_integer) return constant.integers;
  std::vector<int64_t> integers;
  for (const float value : constant.values) {
    constexpr float kEnd = 1e15f;  // beyond it nothing is meant; the comparison is false for NaN
    integers.push_back(std::abs(value) < kEnd ? static_cast<int64_t>(value) : 0);
  }
  return integers;
}

std::optional<OnnxConstant> EvaluateConstant(const onnx::NodeProto& node,
                                             const std::vector<const OnnxConstant*>& inputs) {
  const std::string& op = node.op_type();
  if (inputs.empty()) return std::nullopt;
  const OnnxConstant& first = *inputs[0];
  if (op == "Concat") return Concat(inputs);
  if (op == "Gather") return Gather(first, *inputs.back());
  if (op == "Unsqueeze") return WithRank(first, 1);
  if (op == "Squeeze") return WithRank(first, 0);
  if (op == "Cast") return Cast(node, first);
  if (op == "Identity") return first;
  if (op == "Transpose" && IsMatrix(first)) return TransposeMatrix(first);
  return std::nullopt;
}

}  // namespace hot
