// Trained networks on their way to the device: where their files lie and which precisions are built. Used by the
// quantize, compile and evaluate stages.
#pragma once

#include <string>
#include <vector>

#include "deploy/post_training.h"
#include "graph/fold.h"
#include "pipeline/networks.h"

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

// How networks of this study are quantized. Of a precision in integers.
PostTrainingOptions PostTraining(const Workspace& workspace, Precision precision);

// Stem of the files of a network's integers at a precision, for WriteQuantized and ReadQuantized.
fs::path QuantizedStem(const fs::path& run, const std::string& id, Precision precision);
fs::path ArtifactFolder(const Workspace& workspace, const std::string& id, Precision precision);

}  // namespace hot
