// The thing that ships: one model file and a manifest beside it. Accuracy and latency always come from this very file.
// Format: docs/formats/artifact.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/files.h"
#include "data/image.h"
#include "graph/tensor.h"

namespace hot {

struct GoldenPair {
  Tensor input;
  std::vector<Tensor> outputs;
};

struct Artifact {
  // manifest
  int version = 1;
  std::string toolchain, toolchain_version, flags;
  std::string precision, scheme;  // asked for
  std::string graph_key;
  int threads = 1;
  std::string blob_sha256;
  std::vector<std::string> input_names, output_names;
  std::vector<std::vector<int64_t>> input_shapes, output_shapes;
  std::map<std::string, std::string> layer_precisions;  // executed, by layer, from the runtime
  Preprocessing preprocessing;
  std::string task;
  std::vector<std::string> classes;
  std::string task_options;  // JSON: anchors, thresholds
  // contents
  std::string blob;  // model.onnx bytes
  std::vector<GoldenPair> golden;
};

// Writes folder/{manifest.json, model.onnx, golden.safetensors}; manifest last, so that a folder with one is whole.
void WriteArtifact(const fs::path& folder, const Artifact& artifact);
// Throws Error(kDataLoss) when a hash does not match or a file is missing, kFailedPrecondition for a newer version.
Artifact ReadArtifact(const fs::path& folder);

}  // namespace hot
