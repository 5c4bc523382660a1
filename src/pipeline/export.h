// A trained network taken out of a run folder, for people who go on with other tools. Called by hot export. Needs
// nothing but the run folder: no data set, no device.
#pragma once

#include <string>
#include <vector>

#include "core/files.h"

namespace hot {

struct ExportRequest {
  fs::path run;
  std::string network;      // an id of train.json or its beginning, "baseline", or a winner: "accuracy", "latency"
  std::string format;       // pytorch | safetensors | onnx | bundle
  fs::path out;             // folder, made when it is missing
  std::string precision{};  // of a bundle's artifact; empty: the first of target.precision
  std::string isa{};        // of a bundle of toolchain tvm: a board's; empty: the artifact as it was measured
};

struct Exported {
  std::string id, trial;
  std::vector<fs::path> files;
};

// pytorch: network.py and weights.safetensors; safetensors: weights.safetensors; onnx: network.onnx, float32, batch
// norm folded; bundle: the artifact as it was measured, with an example that runs it (bundle.h). Weights are those of
// the network's best trial. Throws Error(kNotFound) when the run folder has no such network or no finished training,
// kInvalidArgument for an ambiguous id or an unknown format.
Exported ExportNetwork(const ExportRequest& request);

}  // namespace hot
