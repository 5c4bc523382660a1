// Graph + weights -> ONNX (opset 13), in float or with QuantizeLinear/DequantizeLinear pairs. Batch norm must be
// folded.
#pragma once

#include <string>

#include "graph/fold.h"
#include "quantize/quantize.h"

namespace hot {

struct OnnxOptions {
  const Quantization* quantization = nullptr;  // null: float
  // Blocks measured alone read and write int8 tensors, as they do inside a network, instead of converting at the
  // borders.
  bool int8_borders = false;
  // Inputs and outputs are NHWC, the layout that CPU kernels keep between layers: a block measured alone then pays for
  // no conversion that it would not need inside a network.
  bool channels_last_borders = false;
  bool expose_activations = false;  // every ObservedNodes() output becomes a graph output, for calibration
};

// Serialized ModelProto. Input and output names are node names.
std::string WriteOnnx(const Network& network, const OnnxOptions& options);

}  // namespace hot
