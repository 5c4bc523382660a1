// Trained networks on their way to the device: where their files lie and which precisions are built. Used by the
// quantize, compile and evaluate stages.
#pragma once

#include <string>
#include <vector>

#include "graph/fold.h"
#include "pipeline/networks.h"
#include "quantize/quantized_network.h"

namespace hot {

// Networks with a finished trial, baseline first.
struct TrainedNetwork {
  StudyNetwork network;
  std::string trial;  // folder name of the best trial
};
std::vector<TrainedNetwork> TrainedNetworks(const Workspace& workspace);

// Batch norm folded, weights of the best trial.
Network FoldedNetwork(const Workspace& workspace, const TrainedNetwork& trained);

// fp32 (the reference of every accuracy drop) where the toolchain has it, then target.precision without doubles.
std::vector<Precision> BuiltPrecisions(const Workspace& workspace);

// The scheme a precision is quantized by in this study; empty for float.
std::string SchemeOf(const Workspace& workspace, Precision precision);

// A network's integers at a precision, in the run folder: scales, and the weights and biases that they belong to.
void WriteQuantized(const Workspace& workspace, const std::string& id, Precision precision,
                    const QuantizedNetwork& quantized);
// `folded` is the float network. Throws Error(kDataLoss) on a broken file, kNotFound on a missing one.
QuantizedNetwork ReadQuantized(const Workspace& workspace, const std::string& id, Precision precision,
                               const Network& folded);
fs::path ArtifactFolder(const Workspace& workspace, const std::string& id, Precision precision);

}  // namespace hot
