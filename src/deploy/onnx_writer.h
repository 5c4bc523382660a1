// Graph + weights -> ONNX (opset 13; 21 with 16-bit integers), in float or with QuantizeLinear/DequantizeLinear pairs.
// Batch norm must be folded.
#pragma once

#include <string>
#include <vector>

#include "graph/fold.h"
#include "quantize/quantize.h"

namespace hot {

struct OnnxOptions {
  // Null: float. A convolution or linear layer without weight scales computes in float, an output without a scale stays
  // in float.
  const Quantization* quantization = nullptr;
  bool fp16 = false;  // numbers between input and outputs, and weights, are FLOAT16; not with a quantization
  // Blocks measured alone read and write integer tensors, as they do inside a network, instead of converting at the
  // borders.
  bool int8_borders = false;
  // Inputs and outputs, but those of int8_borders, are NHWC, the layout that CPU kernels keep between layers: a block
  // measured alone then pays for no conversion that it would not need inside a network.
  bool channels_last_borders = false;
  // Concatenations in int8 are written in uint8, zero points 128 higher: the same numbers, for OpenVINO, which rounds
  // signed ones to whole numbers instead of to their scale (docs/benchmarks.md).
  bool unsigned_concatenations = false;
  std::vector<std::string> exposed;  // nodes whose outputs, as their readers see them, follow the graph's own outputs
  // Nodes of whose outputs the smallest and the largest value, "NODE.min" and "NODE.max", follow those: scalars.
  std::vector<std::string> extremes;
};

// Serialized ModelProto. Input and output names are node names; those of exposed outputs are the tensors'. Throws
// Error(kNotFound) when an integer layer's input has no scale, or a name is no node's.
std::string WriteOnnx(const Network& network, const OnnxOptions& options);

}  // namespace hot
