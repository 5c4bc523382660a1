#include "pipeline/recompile.h"

#include "deploy/toolchains/tvm/tvm_toolchain.h"
#include "graph/safetensors.h"
#include "pipeline/deployment.h"
#include "quantize/quantized_network.h"
#include "tasks/task.h"
#include "tasks/trial.h"

namespace hot {

Artifact Recompile(const Artifact& made, const fs::path& run, const fs::path& trial, const std::string& id,
                   const std::string& isa) {
  const fs::path file = trial / "weights.safetensors";
  const TrialSpec spec = ReadTrial(trial / "trial.json");
  const Graph graph = TrialGraph(spec, *MakeTask(spec.task), Purpose::kShipping);
  const Weights weights = ReadSafetensors(file);
  CheckWeights(graph, weights, file.string());
  const Network folded = FoldBatchNorm(graph, weights);
  if (made.scheme.empty()) return CompileTvmFor(isa, made, folded, nullptr);
  const QuantizedNetwork quantized = ReadQuantized(QuantizedStem(run, id, ParsePrecision(made.precision)), folded);
  return CompileTvmFor(isa, made, quantized.network, &quantized.quantization);
}

}  // namespace hot
