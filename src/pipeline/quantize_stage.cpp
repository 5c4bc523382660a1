// Stage quantize: ranges of every trained network's activations over training pictures, and its int8 scales.
#include <nlohmann/json.hpp>

#include "core/rng.h"
#include "data/loader.h"
#include "deploy/calibrate.h"
#include "pipeline/deployment.h"
#include "pipeline/stages.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

// The same pictures for every network: a seeded draw from the training part (never from val or test).
std::vector<Tensor> CalibrationInputs(const Workspace& workspace) {
  TrialSpec spec = workspace.TrialTemplate();
  Dataset train = LoadTrialData(spec).train;
  Rng rng(MixSeed(spec.seed, "calibration"));
  rng.Shuffle(std::span<Sample>(train.samples));
  const auto count = std::min(train.samples.size(), static_cast<size_t>(workspace.study().quantize.pictures));
  const Preprocessing preprocessing = TaskPreprocessing(workspace.task().options());
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < count; ++i) {
    Tensor input({1, 3, preprocessing.height, preprocessing.width});
    SampleToInput(train.samples[i], preprocessing, input.data.data());
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace

std::string QuantizeInputs(const Workspace& workspace) {
  return FileKey(workspace, "train.json") + StudySectionJson(workspace.study(), "quantize") +
         StudySectionJson(workspace.study(), "target");
}

std::string RunQuantize(Workspace& workspace) {
  EnsureFolder(workspace.folder() / "quantization");
  const auto precisions = BuiltPrecisions(workspace);
  if (std::count(precisions.begin(), precisions.end(), Precision::kInt8) == 0) return "nothing to quantize";
  const auto networks = TrainedNetworks(workspace);
  const auto inputs = CalibrationInputs(workspace);
  const auto& options = workspace.study().quantize;
  const Context& context = workspace.context();
  context.progress.Begin("quantize", static_cast<double>(networks.size()));
  for (size_t i = 0; i < networks.size(); ++i) {
    context.ThrowIfCancelled();
    context.progress.Update(static_cast<double>(i), networks[i].network.id);
    const Network network = FoldedNetwork(workspace, networks[i]);
    const Observations observations = Calibrate(network, inputs);
    const Quantization quantization = Quantize(network, observations, {.ranges = options.ranges});
    WriteFileAtomic(QuantizationFile(workspace, networks[i].network.id), ToJson(quantization) + "\n");
  }
  return std::to_string(networks.size()) + " networks over " + std::to_string(inputs.size()) + " pictures";
}

}  // namespace hot
