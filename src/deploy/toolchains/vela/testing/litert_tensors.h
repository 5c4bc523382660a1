// Every activation that LiteRT computes of an integer network: what the TFLite writer is tested by. Tests only;
// HOT_SOURCE_DIR is a compile definition.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/bridge.h"
#include "core/error.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "deploy/onnx_writer.h"
#include "graph/safetensors.h"

namespace hot {

struct LiteRtRun {
  Network network;
  Quantization quantization;
  Tensor input;  // of the network's integers, NCHW
};

// By name of the node that gives it; integers, NCHW.
struct LiteRtTensors {
  Weights fixed_point;  // of LiteRT's own kernels: what accuracy is read from
  Weights xnnpack;      // of its kernels that round as float does, where it has them (not for 16 bits)
};

// By name of the run. Throws Error(kUnavailable) where LiteRT is not installed.
inline std::map<std::string, LiteRtTensors> RunInLiteRt(const std::map<std::string, LiteRtRun>& runs) {
  const fs::path script = fs::path(HOT_SOURCE_DIR) / "src/deploy/toolchains/vela/testing/litert_tensors.py";
  const TempFolder folder;
  const auto file = [&](const std::string& name, const char* ending) { return folder.path() / (name + ending); };
  Bridge bridge;
  bridge.Call("vela.check", "{}");
  for (const auto& [name, run] : runs) {
    const fs::path onnx = file(name, ".onnx"), tflite = file(name, ".tflite");
    const std::vector<float>& input = run.input.data;
    WriteFileAtomic(file(name, ".in"), {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)});
    WriteFileAtomic(onnx, WriteOnnx(run.network, {.quantization = &run.quantization, .int8_borders = true}));
    bridge.Call("tflite.write", nlohmann::json{{"onnx", onnx.string()}, {"tflite", tflite.string()}}.dump());
  }
  const std::string python = (fs::path(HOT_SOURCE_DIR) / ".venv/bin/python").string();
  const ProcessResult result = RunProcess({python, script.string(), folder.path().string()});
  if (result.status.code == 77) throw Error(Code::kUnavailable, "LiteRT", result.output);
  if (!result.status.ok()) throw Error(Code::kInternal, script.string(), result.output);
  std::map<std::string, LiteRtTensors> tensors;
  for (const auto& [name, run] : runs) {
    tensors[name] = {.fixed_point = ReadSafetensors(file(name, ".fixed_point.safetensors")),
                     .xnnpack = ReadSafetensors(file(name, ".xnnpack.safetensors"))};
  }
  return tensors;
}

}  // namespace hot
