// A network after post-training quantization, and parts of it: with only one layer quantized, to see what it costs;
// with the worst layers in float. A layer is a convolution or linear layer. Values and pure functions.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/files.h"
#include "graph/fold.h"
#include "quantize/quantize.h"

namespace hot {

struct QuantizedNetwork {
  Network exact;    // in float: what was given, or its equalised twin
  Network network;  // weights and biases as they are quantized; rounded to nearest they are the integers
  Quantization quantization;
  std::map<std::string, std::string> ranges;  // by node: the method that gave its range
};

// Layers with weight scales, in node order.
std::vector<std::string> QuantizedLayers(const QuantizedNetwork& quantized);

// The weights of `layer`, what it reads and what it gives (behind its activation); all else is float and exact.
QuantizedNetwork OnlyLayer(const QuantizedNetwork& quantized, const std::string& layer);

// `layers` compute in float, with exact weights. What no integer layer reads is not rounded any more, nor is what
// a float layer gives outside; an addition or concatenation gets an operand from a float layer as it is, and is in
// float.
QuantizedNetwork WithFloatLayers(const QuantizedNetwork& quantized, const std::set<std::string>& layers);

// On disk: STEM.json with the scales, STEM.safetensors with the weights and biases that they belong to.
void WriteQuantized(const fs::path& stem, const Weights& weights, const Quantization& quantization);
// `exact` is `folded`, the float network. Throws Error(kDataLoss) on a broken file, kNotFound on a missing one.
QuantizedNetwork ReadQuantized(const fs::path& stem, const Network& folded);
// Hash of both files.
std::string QuantizedKey(const fs::path& stem);

}  // namespace hot
