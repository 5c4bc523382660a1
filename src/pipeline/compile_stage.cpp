// Stage compile: one artifact a trained network and precision.
#include <nlohmann/json.hpp>

#include "graph/key.h"
#include "pipeline/deployment.h"
#include "pipeline/stages.h"

namespace hot {
namespace {

// What an application needs to make the input and to read the output.
std::string TaskOptionsJson(const Workspace& workspace) {
  const TaskOptions& options = workspace.task().options();
  if (workspace.task().predicted() == Predicted::kClasses) return "{}";
  if (workspace.task().predicted() == Predicted::kBoxes) return DecodingJson(options).dump();
  return nlohmann::ordered_json{{"keypoints", options.keypoints},
                                {"mirror_pairs", options.mirror_pairs},
                                {"skeleton", workspace.skeleton()},
                                {"box_margin", {options.margin_y, options.margin_x}},
                                {"flip_test", options.flip_test}}
      .dump();
}

void CompileOne(const Workspace& workspace, const TrainedNetwork& trained, const Network& network,
                Precision precision) {
  const bool int8 = precision == Precision::kInt8;
  Quantization quantization;
  if (int8) quantization = ReadQuantization(QuantizationFile(workspace, trained.network.id));
  Artifact artifact = workspace.toolchain().Compile(
      {.network = network,
       .precision = precision,
       .quantization = int8 ? &quantization : nullptr,
       .threads = static_cast<int>(workspace.study().target.threads),
       .int8_borders = false,
       .timing_only = false,
       .graph_key = GraphKey(GraphOf(workspace, trained.network.width, trained.network.choices), precision)});
  artifact.preprocessing = TaskPreprocessing(workspace.task());
  artifact.task = workspace.task().name();
  artifact.classes = workspace.task().options().classes;
  artifact.task_options = TaskOptionsJson(workspace);
  WriteArtifact(ArtifactFolder(workspace, trained.network.id, precision), artifact);
}

}  // namespace

std::string CompileInputs(const Workspace& workspace) {
  return QuantizeInputs(workspace) + StudySectionJson(workspace.study(), "model") +
         std::string(workspace.toolchain().name()) + workspace.toolchain().version() + workspace.toolchain().flags();
}

std::string RunCompile(Workspace& workspace) {
  const auto networks = TrainedNetworks(workspace);
  const auto precisions = BuiltPrecisions(workspace);
  const Context& context = workspace.context();
  context.progress.Begin("compile", static_cast<double>(networks.size() * precisions.size()));
  int done = 0;
  for (const TrainedNetwork& trained : networks) {
    const Network network = FoldedNetwork(workspace, trained);
    for (Precision precision : precisions) {
      context.ThrowIfCancelled();
      context.progress.Update(done++, trained.network.id + " " + PrecisionName(precision));
      CompileOne(workspace, trained, network, precision);
    }
  }
  return std::to_string(done) + " artifacts";
}

}  // namespace hot
