// The thing that ships: one model file and a manifest beside it. Accuracy and latency always come from this very file.
// Format: docs/formats/artifact.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

enum class BlobFormat {
  kOnnx,    // model.onnx
  kEthosU,  // model_vela.tflite: TFLite whose one operator is the NPU's command stream
};

// What a vendor's tool says the device would need, where nothing is measured.
struct Estimate {
  double latency_ns = 0;
  std::map<std::string, int64_t> peak_bytes;  // by memory: "sram", "dram", "on_chip_flash", "off_chip_flash"
};

struct Artifact {
  // manifest
  int version = 1;
  std::string toolchain, toolchain_version, flags;
  std::string precision, scheme;  // asked for
  std::string graph_key;
  int threads = 1;
  std::string blob_sha256, reference_sha256;
  std::vector<std::string> input_names, output_names;
  std::vector<std::vector<int64_t>> input_shapes, output_shapes;
  std::map<std::string, std::string> layer_precisions;  // executed, by layer, from the runtime
  Preprocessing preprocessing;
  std::string task;
  std::vector<std::string> classes;
  std::string task_options;  // JSON: anchors, thresholds
  BlobFormat format = BlobFormat::kOnnx;
  std::optional<Estimate> estimate;  // of toolchains that give one
  // contents
  std::string blob;
  std::string reference;  // TFLite from which a kEthosU blob was compiled: the same numbers, for a CPU. Else empty
  std::vector<GoldenPair> golden;
};

// Writes folder/{manifest.json, the blob, golden.safetensors}; manifest last, so that a folder with one is whole.
void WriteArtifact(const fs::path& folder, const Artifact& artifact);
// Throws Error(kDataLoss) when a hash does not match or a file is missing, kFailedPrecondition for a newer version.
Artifact ReadArtifact(const fs::path& folder);

}  // namespace hot
