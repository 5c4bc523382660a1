// Stage compile: one artifact a trained network and precision.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "deploy/deviation.h"
#include "deploy/session.h"
#include "graph/key.h"
#include "pipeline/calibration_inputs.h"
#include "pipeline/deployment.h"
#include "pipeline/stages.h"
#include "quantize/quantized_network.h"

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

size_t CountLayers(const Graph& folded) {
  return static_cast<size_t>(std::ranges::count_if(folded.nodes(), IsLayer, &Node::op));
}

// Convolutions that the runtime executes in another precision than was asked for, unless they fell back.
void CheckExecuted(const Workspace& workspace, const Artifact& artifact, const std::string& id, Precision precision,
                   size_t fell_back) {
  static const std::map<Precision, std::string> kNames{{Precision::kFp32, "f32"},
                                                       {Precision::kBf16, "bf16"},
                                                       {Precision::kFp16, "f16"},
                                                       {Precision::kInt8, "i8"},
                                                       {Precision::kInt16x8, "i16"}};
  const auto others = ConvolutionsNotIn(artifact.layer_precisions, kNames.at(precision));
  if (others.size() <= fell_back) return;
  workspace.context().progress.Note("warning: " + id + " " + PrecisionName(precision) + ": " +
                                    std::to_string(others.size()) +
                                    " convolutions run in another precision: " + JoinNames(others, 3));
}

constexpr size_t kGoldenPictures = 2;

// What the float network gives for the golden inputs. On this machine: not every device executes floats.
std::vector<GoldenPair> FloatPairs(const Network& folded, std::span<const Tensor> golden_inputs) {
  return MakeToolchain("openvino")->Compile({.network = folded, .golden_inputs = golden_inputs}).golden;
}

void CompileOne(const Workspace& workspace, const TrainedNetwork& trained, const Network& folded, Precision precision,
                std::span<const Tensor> golden_inputs) {
  const bool integers = !SchemeOf(workspace, precision).empty();
  QuantizedNetwork quantized;
  quantized.network = folded;
  if (integers) quantized = ReadQuantized(QuantizedStem(workspace.folder(), trained.network.id, precision), folded);
  Artifact artifact = workspace.toolchain().Compile(
      {.network = quantized.network,
       .precision = precision,
       .quantization = integers ? &quantized.quantization : nullptr,
       .threads = static_cast<int>(workspace.study().target.threads),
       .int8_borders = false,
       .timing_only = false,
       .graph_key = GraphKey(GraphOf(workspace, trained.network.width, trained.network.choices), precision),
       .golden_inputs = golden_inputs});
  if (integers) {
    artifact.deviations =
        MeasureDeviation(artifact, quantized.network, quantized.quantization, FloatPairs(folded, golden_inputs));
  }
  const size_t fell_back = integers ? CountLayers(folded.graph) - QuantizedLayers(quantized).size() : 0;
  CheckExecuted(workspace, artifact, trained.network.id, precision, fell_back);
  artifact.preprocessing = TaskPreprocessing(workspace.task().options());
  artifact.task = workspace.task().name();
  artifact.classes = workspace.task().options().classes;
  artifact.keypoints = workspace.task().options().keypoints;
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
  const auto golden_inputs = GoldenInputs(workspace.TrialTemplate(), kGoldenPictures);
  const Context& context = workspace.context();
  context.progress.Begin("compile", static_cast<double>(networks.size() * precisions.size()));
  int done = 0;
  for (const TrainedNetwork& trained : networks) {
    const Network network = FoldedNetwork(workspace, trained);
    for (Precision precision : precisions) {
      context.ThrowIfCancelled();
      context.progress.Update(done++, trained.network.id + " " + PrecisionName(precision));
      CompileOne(workspace, trained, network, precision, golden_inputs);
    }
  }
  return std::to_string(done) + " artifacts";
}

}  // namespace hot
