// What programs that we did not write give for an ONNX model: oracles of the ONNX writer, the toolchains and the
// reference interpreter. Tests only.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "graph/tensor.h"

namespace hot {

enum class Runtime {
  kOnnxRuntime,             // as users run it: all optimizations
  kOnnxRuntimeUnoptimized,  // operator by operator, in float32
  kOnnxReference64,         // the onnx package's own evaluator, with every float widened to float64
};

struct ModelRun {
  std::string onnx;
  Tensor input;
};

// Runs folder/*.onnx on the .in beside each; outputs, in float32, to .out0, .out1, ...
inline constexpr const char* kRuntimeScript = R"py(
import glob, sys
folder, runtime = sys.argv[1:]
try:
    import numpy as np, onnx, onnxruntime
    from onnx.reference import ReferenceEvaluator
except ImportError as error:
    print(error)
    sys.exit(77)

def widened(model):
    model.opset_import[0].version = 21  # the oldest in which the evaluator has DequantizeLinear's axis; same meaning
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and not tensor.name.endswith('.factors'):
            wide = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(wide, tensor.name))
    return model

def run(file, data):
    model = onnx.load(file)
    spec = model.graph.input[0].type.tensor_type
    data = data.reshape([side.dim_value for side in spec.shape.dim])
    if spec.elem_type == onnx.TensorProto.INT8:
        data = data.astype(np.int8)
    elif runtime == '2':
        data = data.astype(np.float64)
    feed = {model.graph.input[0].name: data}
    if runtime == '2':
        return ReferenceEvaluator(widened(model)).run(None, feed)
    options = onnxruntime.SessionOptions()
    if runtime == '1':
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(file, options, providers=['CPUExecutionProvider']).run(None, feed)

for file in glob.glob(folder + '/*.onnx'):
    outputs = run(file, np.fromfile(file[:-5] + '.in', np.float32))
    for i, output in enumerate(outputs):
        output.astype(np.float32).tofile(f'{file[:-5]}.out{i}')
)py";

using OutputValues = std::vector<std::vector<float>>;  // by output

// By model. None where Python lacks the packages. Throws Error(kInternal) with what the program printed when it failed.
inline std::optional<std::vector<OutputValues>> RunElsewhere(Runtime runtime, const std::vector<ModelRun>& models) {
  const fs::path python = fs::path(HOT_SOURCE_DIR) / ".venv/bin/python";
  if (!fs::exists(python)) return std::nullopt;
  const TempFolder folder;
  const auto file = [&](size_t i, const std::string& ending) { return folder.path() / (std::to_string(i) + ending); };
  for (size_t i = 0; i < models.size(); ++i) {
    const std::vector<float>& input = models[i].input.data;
    WriteFileAtomic(file(i, ".onnx"), models[i].onnx);
    WriteFileAtomic(file(i, ".in"), {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)});
  }
  const ProcessResult result = RunProcess(
      {python.string(), "-c", kRuntimeScript, folder.path().string(), std::to_string(static_cast<int>(runtime))});
  if (result.status.code == 77) return std::nullopt;
  if (!result.status.ok()) throw Error(Code::kInternal, "python", result.output);
  std::vector<OutputValues> outputs(models.size());
  for (size_t i = 0; i < models.size(); ++i) {
    for (int k = 0; fs::exists(file(i, ".out" + std::to_string(k))); ++k) {
      const std::string bytes = ReadFile(file(i, ".out" + std::to_string(k)));
      std::memcpy(outputs[i].emplace_back(bytes.size() / sizeof(float)).data(), bytes.data(), bytes.size());
    }
  }
  return outputs;
}

}  // namespace hot
