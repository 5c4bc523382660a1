// How far TFLite files are from the ONNX files that they were written from, in steps of their integers (LSB). Oracle:
// ONNX Runtime with its optimizations switched off, which computes in float between each pair of QuantizeLinear and
// DequantizeLinear. For tests and benchmarks; HOT_SOURCE_DIR is a compile definition.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/bridge.h"
#include "core/error.h"
#include "core/rng.h"
#include "core/subprocess.h"
#include "deploy/calibrate.h"
#include "deploy/onnx_writer.h"

namespace hot {

struct Deviation {
  int64_t values = 0;    // that were compared
  int max_lsb = 0;       // largest difference
  double mean_lsb = 0;   // mean magnitude
  double differing = 0;  // share of values that are not equal
};

// `operators`: of each operator by itself, on the integers that LiteRT gave it. `outputs`: of the whole network's,
// where what one operator rounds otherwise has gone through all behind it (random weights make much of it).
struct KernelDeviations {
  Deviation operators, outputs;
};

struct Deviations {
  KernelDeviations fixed_point;  // LiteRT's own kernels: what accuracy is read from
  KernelDeviations xnnpack;      // its float-rounding ones
};

// Network as Ethos-U gets it, calibrated (min-max) on normal inputs: ONNX with integer borders.
inline std::string IntegerOnnx(const Network& network) {
  const Shape& shape = network.graph.node(network.graph.inputs().at(0)).shape;
  std::vector<Tensor> inputs;
  Rng rng(3);
  for (int i = 0; i < 4; ++i) {
    Tensor& input = inputs.emplace_back(std::vector<int64_t>{1, shape.c, shape.h, shape.w});
    for (float& value : input.data) value = static_cast<float>(rng.Normal());
  }
  const Quantization quantization = Quantize(network, Calibrate(network, inputs), {.ranges = "minmax"});
  return WriteOnnx(network, {.quantization = &quantization, .int8_borders = true});
}

// By name, of the same names' ONNX files. Empty, and `why` set, where LiteRT or ONNX Runtime is not installed.
inline std::map<std::string, Deviations> MeasureDeviations(const std::map<std::string, std::string>& onnx_files,
                                                           std::string& why) {
  const fs::path python = fs::path(HOT_SOURCE_DIR) / ".venv/bin/python";
  const fs::path script = fs::path(HOT_SOURCE_DIR) / "src/deploy/toolchains/vela/testing/deviation.py";
  const TempFolder folder;
  std::map<std::string, Deviations> deviations;
  try {
    Bridge bridge;
    bridge.Call("vela.check", "{}");
    for (const auto& [name, onnx] : onnx_files) {
      const fs::path file = folder.path() / (name + ".onnx"), tflite = folder.path() / (name + ".tflite");
      WriteFileAtomic(file, onnx);
      bridge.Call("tflite.write", nlohmann::json{{"onnx", file.string()}, {"tflite", tflite.string()}}.dump());
    }
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    why = error.what();
    return {};
  }
  const ProcessResult run = RunProcess({python.string(), script.string(), folder.path().string()});
  if (run.status.code == 77) {
    why = run.output;
    return {};
  }
  if (!run.status.ok()) throw Error(Code::kInternal, script.string(), run.output);
  const auto measured = nlohmann::json::parse(ReadFile(folder.path() / "deviations.json"));
  const auto one = [](const nlohmann::json& json) {
    return Deviation{.values = json.at("values"),
                     .max_lsb = json.at("max_lsb"),
                     .mean_lsb = json.at("mean_lsb"),
                     .differing = json.at("differing")};
  };
  const auto read = [&](const nlohmann::json& json) {
    return KernelDeviations{.operators = one(json.at("operators")), .outputs = one(json.at("outputs"))};
  };
  for (const auto& [name, kernels] : measured.items()) {
    deviations[name] = {.fixed_point = read(kernels.at("fixed_point")), .xnnpack = read(kernels.at("xnnpack"))};
  }
  return deviations;
}

}  // namespace hot
