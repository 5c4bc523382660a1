#include "pipeline/deployment.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/safetensors.h"

namespace hot {
std::vector<TrainedNetwork> TrainedNetworks(const Workspace& workspace) {
  const auto trained = ReadRunJson(workspace, "train.json");
  std::vector<TrainedNetwork> networks;
  for (StudyNetwork& network : StudyNetworks(workspace, /*trained_only=*/true)) {
    for (const auto& entry : trained.at("networks")) {
      const std::string best = entry.at("best");
      if (entry.at("id") == network.id && !best.empty()) networks.push_back({.network = network, .trial = best});
    }
  }
  return networks;
}

Network FoldedNetwork(const Workspace& workspace, const TrainedNetwork& trained) {
  const fs::path file = workspace.folder() / "trials" / trained.trial / "weights.safetensors";
  const Graph graph = GraphOf(workspace, trained.network.width, trained.network.choices);
  const Weights weights = ReadSafetensors(file);
  CheckWeights(graph, weights, file.string());
  return FoldBatchNorm(graph, weights);
}

std::vector<Precision> BuiltPrecisions(const Workspace& workspace) {
  std::vector<Precision> precisions;
  const std::vector<Precision> offered = workspace.toolchain().precisions();
  if (std::count(offered.begin(), offered.end(), Precision::kFp32) > 0) precisions.push_back(Precision::kFp32);
  for (const std::string& name : workspace.study().target.precision) {
    const Precision precision = ParsePrecision(name);
    if (std::count(precisions.begin(), precisions.end(), precision) == 0) precisions.push_back(precision);
  }
  return precisions;
}

std::string SchemeOf(const Workspace& workspace, Precision precision) {
  return SchemeOf(precision, workspace.study().quantize.scheme);
}

PostTrainingOptions PostTraining(const Workspace& workspace, Precision precision) {
  const auto& options = workspace.study().quantize;
  return {.scheme = SchemeOf(workspace, precision),
          .ranges = options.ranges,
          .equalize = options.equalize,
          .correct_bias = options.correct_bias,
          .rounding = options.rounding};
}

fs::path QuantizedStem(const fs::path& run, const std::string& id, Precision precision) {
  return run / "quantization" / (id + "-" + PrecisionName(precision));
}

fs::path ArtifactFolder(const Workspace& workspace, const std::string& id, Precision precision) {
  return workspace.folder() / "artifacts" / (id + "-" + PrecisionName(precision));
}

}  // namespace hot
