// What nodes compute from constants alone: the shapes and axes that exporters build at run time, and weights that pass
// through Identity, Cast or Transpose. Pure function.
#pragma once

#include <optional>
#include <vector>

#include "deploy/onnx_reader/model_file.h"

namespace hot {

// No value for an operation that is not among them, or one whose inputs don't fit it.
std::optional<OnnxConstant> EvaluateConstant(const onnx::NodeProto& node,
                                             const std::vector<const OnnxConstant*>& inputs);

// Of floats, [rows, columns].
OnnxConstant TransposeMatrix(const OnnxConstant& matrix);

// The values of a constant, integers or not. `axes` of Squeeze and others are such.
std::vector<int64_t> AsIntegers(const OnnxConstant& constant);

}  // namespace hot
