#include "pipeline/fine_tune.h"

#include <chrono>
#include <thread>

#include "graph/safetensors.h"
#include "pipeline/train_progress.h"
#include "pipeline/trial_folder.h"

namespace hot {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);
// Of the trial's: the weights are good already, and only have to find their places between the integers.
constexpr double kLearningRate = 1.0 / 50;

// With batch norm folded: what `quantized` has, and beside it the layers that only the loss reads.
Weights StartWeights(const fs::path& trained, const TrialSpec& spec, const Weights& quantized) {
  const Graph graph = TrialGraph(spec, *MakeTask(spec.task));
  Weights weights = FoldBatchNorm(graph, ReadSafetensors(trained / "weights.safetensors")).weights;
  for (const auto& [name, tensor] : quantized) weights[name] = tensor;
  return weights;
}

TrialSpec SpecOf(const FineTuning& tuning) {
  TrialSpec spec = ReadTrial(tuning.trained / "trial.json");
  spec.id = tuning.folder.filename().string();
  spec.pretrained.clear();
  spec.pretrained_sha256.clear();
  spec.epochs = tuning.epochs;
  spec.lr *= kLearningRate;
  spec.schedule = "cosine";
  spec.warmup_epochs = 0;
  spec.precision = "fp32";
  spec.freeze = "none";
  spec.validate_every = spec.patience = 0;
  return spec;
}

// The training's only outcome.
TrialOutcome Train(const fs::path& folder, Executor& executor, const Context& context,
                   const std::function<void(int)>& epoch) {
  executor.Start({.folder = folder});
  while (true) {
    context.ThrowIfCancelled();
    epoch(FinishedEpochs(folder));
    for (TrialOutcome& outcome : executor.Poll()) {
      if (outcome.folder == folder) return std::move(outcome);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace

FineTuned FineTune(const FineTuning& tuning, const QuantizedNetwork& quantized, Executor& executor,
                   const Context& context, const std::function<void(int)>& epoch) {
  TrialSpec spec = SpecOf(tuning);
  const TempFolder temporary;
  const fs::path start = temporary.path() / kQuantizedStem;
  WriteQuantized(start, StartWeights(tuning.trained, spec, quantized.network.weights), quantized.quantization);
  spec.quantized_sha256 = QuantizedKey(start);
  FineTuned tuned;
  if (!FinishedTrial(tuning.folder, spec)) {
    PrepareTrialFolder(tuning.folder, spec);
    fs::copy(temporary.path(), tuning.folder, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    tuned.error = Train(tuning.folder, executor, context, epoch).error;
  }
  const auto result = FinishedTrial(tuning.folder, spec);
  if (!result) return tuned;
  tuned.seconds = result->seconds;
  const fs::path trained = tuning.folder / "weights.safetensors";
  Weights weights = ReadSafetensors(trained);
  tuned.network = quantized;
  for (auto& [name, tensor] : tuned.network->network.weights) {
    const auto found = weights.find(name);
    if (found == weights.end() || found->second.shape != tensor.shape) {
      throw Error(Code::kFailedPrecondition, trained.string(), "is not the fine-tuned network: " + name + " is missing",
                  "hot-train is of another version than hot: build both and delete the folder");
    }
    tensor = std::move(found->second);
  }
  tuned.network->exact.weights = tuned.network->network.weights;
  return tuned;
}

}  // namespace hot
