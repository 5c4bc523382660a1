// The thing that ships: one model file and a manifest beside it. Accuracy and latency always come from this very file.
// Format: docs/formats/artifact.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "data/image.h"
#include "graph/tensor.h"

namespace hot {

struct GoldenPair {
  Tensor input;
  std::vector<Tensor> outputs;
};

// How far an output is from the reference interpreter's over the golden inputs (deviation.h).
struct OutputDeviation {
  std::string output;
  double step = 1;       // one LSB in the output's unit
  double max_lsb = 0;    // largest difference
  double rms_lsb = 0;    // root of the mean square
  double share = 0;      // of the values that differ by more than half an LSB
  double noise_lsb = 0;  // what int8 costs by itself: the reference's distance (rms) from the float network
};

enum class BlobFormat {
  kOnnx,          // model.onnx
  kEthosU,        // model_vela.tflite: TFLite whose one operator is the NPU's command stream
  kSharedObject,  // model.so: machine code (docs/formats/tvm-library.md)
};

// What a vendor's tool says the device would need, where nothing is measured.
struct Estimate {
  double latency_ns = 0;
  std::map<std::string, int64_t> peak_bytes;  // by memory: "sram", "dram", "on_chip_flash", "off_chip_flash"
  // By layer of the network, named as its node, what follows it fused into it; adds up to latency_ns. Not in manifests.
  std::map<std::string, double> layers_ns = {};
};

struct Artifact {
  // manifest
  int version = 2;          // of the manifest that was read
  std::string hot_version;  // of the program that made it; empty in version 1
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
  std::vector<std::string> keypoints;         // of poses; version 1 had them in task_options only
  std::string task_options;                   // JSON: anchors, thresholds
  std::vector<OutputDeviation> deviations{};  // of int8, by output
  BlobFormat format = BlobFormat::kOnnx;
  std::optional<Estimate> estimate;              // of toolchains that give one
  std::map<std::string, int64_t> planned_bytes;  // of machine code: "arena", for all values, and "constants"
  // contents
  std::string blob;
  std::string reference;  // TFLite from which a kEthosU blob was compiled: the same numbers, for a CPU. Else empty
  std::vector<GoldenPair> golden;
};

// Writes folder/{manifest.json, the blob, golden.safetensors}; manifest last, so that a folder with one is whole.
// `blob`: the name of the blob's file, if not its format's usual one.
void WriteArtifact(const fs::path& folder, const Artifact& artifact, std::string_view blob = "");
// Throws Error(kDataLoss) when a hash does not match or a file is missing, kFailedPrecondition for a newer version.
Artifact ReadArtifact(const fs::path& folder, std::string_view blob = "");

// A runtime of another version may compute other numbers and take another time than those the artifact was released
// with. Throws Error(kFailedPrecondition) when `artifact` was made by another version than `version` of its toolchain;
// one that names none was made by this very program a moment ago, and never written.
void CheckToolchainVersion(const Artifact& artifact, const std::string& version, const std::string& where);

}  // namespace hot
