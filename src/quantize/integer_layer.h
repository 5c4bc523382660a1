// Weights and biases of one convolution or linear layer as the integers that ship. Read by the ONNX writer and the
// reference interpreter, so that both mean the same numbers. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "graph/tensor.h"
#include "quantize/plan.h"
#include "quantize/quantize.h"
#include "quantize/scheme.h"

namespace hot {

struct IntegerLayer {
  std::vector<int8_t> weight;        // in the order of the float weights, in [-127, 127]
  std::vector<float> weight_scales;  // one an output channel
  std::vector<int32_t> bias;         // one an output channel; empty for a layer without one, and where it stays float
  std::vector<float> bias_scales;    // input scale times weight scale, rounded to float32
};

// Nearest step, halves to even, saturated. `input_scale` is that of the layer's input. Throws Error(kNotFound) when the
// quantization or the weights lack the layer. Biases of 16-bit activations are integers of 64 bits, which ONNX can't
// dequantize: they stay in float, which is no less exact.
IntegerLayer RoundLayer(const Node& layer, const Weights& weights, const Quantization& quantization, float input_scale);

// What an activation's readers see is scale * step: the nearest integer, halves to even, saturated as `scheme` says,
// less the zero point.
int NearestStep(double real, const ActivationScale& scale, const Scheme& scheme);

// The scale and zero point of a node's output, its own or, through pass-through nodes, that of the one before. Throws
// Error(kNotFound) when the quantization lacks it.
const ActivationScale& OutputScale(const Graph& folded, const std::vector<QuantPlace>& places, NodeId id,
                                   const Quantization& quantization);

// By node id: whether the network carries the output as integers, in the scale of its ScaleOwner. What has no scale
// stays in float, and so does what nobody but a float operator or the outside reads: no accuracy is lost where no speed
// is won. With `int8_borders` what the outside reads is rounded, too.
std::vector<bool> RoundedOutputs(const Graph& folded, const std::vector<QuantPlace>& places,
                                 const Quantization& quantization, bool int8_borders);

}  // namespace hot
