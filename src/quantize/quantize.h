// Post-training quantization as a reader of the graph: per-channel symmetric int8 weights, per-tensor activations in
// the integers of a scheme (Jacob et al., 2018; Nagel et al., "A White Paper on Neural Network Quantization", 2021).
// Values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/files.h"
#include "graph/fold.h"
#include "graph/graph.h"
#include "graph/tensor.h"
#include "quantize/ranges.h"

namespace hot {

// What has no scale here is not quantized.
struct Quantization {
  std::string scheme = "s8s8";                              // see scheme.h
  std::map<std::string, ActivationScale> activations;       // by node name: outputs that are quantized
  std::map<std::string, std::vector<float>> weight_scales;  // by node name: conv and linear, one a channel
};

struct QuantizeOptions {
  std::string ranges = "percentile";             // one of RangeMethods(), for every tensor
  std::map<std::string, std::string> ranges_of;  // but for these nodes
  std::string scheme = "s8s8";
};

// Names of the nodes whose outputs must be observed: what a quantized graph keeps (after fusing conv + activation),
// graph inputs and outputs included.
std::vector<std::string> ObservedNodes(const Graph& folded);

using Observations = std::map<std::string, RangeObserver>;

// `network` has its batch norms folded. Throws Error(kNotFound) when a node was not observed, kFailedPrecondition when
// a range is empty or not finite (NaN weights).
Quantization Quantize(const Network& network, const Observations& observations, const QuantizeOptions& options);

// One JSON object: {"version": 1, "scheme", "activations": {node: [scale, zero_point]}, "weight_scales": {node:
// [...]}}.
std::string ToJson(const Quantization& quantization);
// Throws Error(kDataLoss) on a broken file, kNotFound when it is missing.
Quantization ReadQuantization(const fs::path& file);

// Plausible ranges without data (relu6: [0, 6], else [-4, 4]): for timing a block with random weights.
Quantization SyntheticQuantization(const Network& network, const std::string& scheme = "s8s8");

}  // namespace hot
