// Stage quantize: every trained network's integers, from training pictures; what they cost on val, and which layers
// fall back to float for it. quantize.json tells.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "deploy/post_training.h"
#include "deploy/quantization_error.h"
#include "pipeline/calibration_inputs.h"
#include "pipeline/deployment.h"
#include "pipeline/fallback.h"
#include "pipeline/scoring.h"
#include "pipeline/stages.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

PostTrainingOptions OptionsOf(const Workspace& workspace, Precision precision) {
  const auto& options = workspace.study().quantize;
  return {.scheme = SchemeOf(workspace, precision),
          .ranges = options.ranges,
          .equalize = options.equalize,
          .correct_bias = options.correct_bias,
          .rounding = options.rounding};
}

// Quantizes one network after the other, on the same pictures.
class Quantizer {
 public:
  explicit Quantizer(const Workspace& workspace)
      : workspace_(workspace),
        inputs_(CalibrationInputs(workspace.TrialTemplate(), static_cast<size_t>(workspace.study().quantize.pictures))),
        probes_(inputs_.begin(), inputs_.begin() + static_cast<std::ptrdiff_t>(std::min(inputs_.size(), kProbes))),
        val_(LoadTrialData(workspace.TrialTemplate()).val_pictures) {}

  size_t pictures() const { return inputs_.size(); }

  // Writes the network's files; returns its entry in quantize.json.
  Json Run(const TrainedNetwork& trained, Precision precision) const {
    const Context& context = workspace_.context();
    const Network folded = FoldedNetwork(workspace_, trained);
    const int64_t start_ns = context.clock.NowNs();
    QuantizedNetwork quantized = QuantizeAfterTraining(folded, inputs_, OptionsOf(workspace_, precision), context);
    const double seconds = static_cast<double>(context.clock.NowNs() - start_ns) * 1e-9;
    const double fp32 = ScoreOf(folded, nullptr, Precision::kFp32);
    const FallBack fall_back = KeepPromise(quantized, precision, fp32);
    quantized = WithFloatLayers(quantized, fall_back.layers);
    WriteQuantized(workspace_, trained.network.id, precision, quantized);
    return {{"id", trained.network.id},
            {"precision", PrecisionName(precision)},
            {"scheme", quantized.quantization.scheme},
            {"seconds", seconds},
            {"fp32", fp32},
            {"score", fall_back.score},
            {"holds", fall_back.holds},
            {"float_layers", fall_back.layers},
            {"layers", LayersJson(quantized)}};
  }

 private:
  static constexpr size_t kProbes = 8;  // pictures on which the errors of layers are measured

  bool HasFloats() const {
    const std::vector<Precision> offered = workspace_.toolchain().precisions();
    return std::ranges::count(offered, Precision::kFp32) > 0;
  }

  // On val, through toolchain and device; floats that these have not, on this machine.
  double ScoreOf(const Network& network, const Quantization* quantization, Precision precision) const {
    const CompileRequest request{.network = network,
                                 .precision = precision,
                                 .quantization = quantization,
                                 .threads = static_cast<int>(workspace_.study().target.threads),
                                 .int8_borders = false,
                                 .timing_only = true,
                                 .graph_key = ""};
    const bool here = precision == Precision::kFp32 && !HasFloats();
    const auto session = here ? MakeDevice("host", request.threads)->Load(MakeToolchain("openvino")->Compile(request))
                              : workspace_.device().Load(workspace_.toolchain().Compile(request));
    const Preprocessing preprocessing = TaskPreprocessing(workspace_.task().options());
    return Score(DetectPictures(*session, workspace_.task(), val_, preprocessing), workspace_.Scoring());
  }

  // Without a promise the score is only told. Layers are looked at one by one only where the promise is broken.
  FallBack KeepPromise(const QuantizedNetwork& quantized, Precision precision, double fp32) const {
    const auto& max_drop = workspace_.study().quantize.max_drop;
    const auto score = [&](const std::set<std::string>& float_layers) {
      workspace_.context().ThrowIfCancelled();
      const QuantizedNetwork mixed = WithFloatLayers(quantized, float_layers);
      return ScoreOf(mixed.network, &mixed.quantization, precision);
    };
    const auto rank = [&] {
      std::vector<std::string> worst_first;
      if (!HasFloats()) return worst_first;  // nothing can fall back
      for (const LayerError& error : MeasureSensitivity(quantized, probes_, workspace_.context()))
        worst_first.push_back(error.layer);
      return worst_first;
    };
    const double promised = max_drop ? fp32 - *max_drop / 100 : -std::numeric_limits<double>::infinity();
    return FindFallBack(rank, promised, score);
  }

  Json LayersJson(const QuantizedNetwork& quantized) const {
    const std::map<std::string, double> sqnr = LayerSqnr(quantized, probes_);
    Json layers = Json::array();
    for (const Node& node : quantized.network.graph.nodes()) {
      const auto found = sqnr.find(node.name);
      if (found == sqnr.end()) continue;
      layers.push_back({{"layer", node.name}, {"ranges", quantized.ranges.at(node.name)}, {"sqnr_db", found->second}});
    }
    return layers;
  }

  const Workspace& workspace_;
  const std::vector<Tensor> inputs_, probes_;
  const Dataset val_;
};

// ", not within quantize.max_drop: 1f2e3d4c 5b6a7988", or nothing.
std::string BrokenPromises(const Json& networks, const std::optional<double>& max_drop) {
  std::string ids;
  for (const Json& network : networks) {
    if (!network.at("holds").get<bool>()) ids += " " + network.at("id").get<std::string>();
  }
  if (ids.empty() || !max_drop) return "";
  return ", not within quantize.max_drop:" + ids;
}

}  // namespace

std::string QuantizeInputs(const Workspace& workspace) {
  return FileKey(workspace, "train.json") + StudySectionJson(workspace.study(), "quantize") +
         StudySectionJson(workspace.study(), "target");
}

std::string RunQuantize(Workspace& workspace) {
  EnsureFolder(workspace.folder() / "quantization");
  std::vector<Precision> precisions = BuiltPrecisions(workspace);
  std::erase_if(precisions, [&](Precision precision) { return SchemeOf(workspace, precision).empty(); });
  Json list = Json::array();
  std::string summary = "nothing to quantize";
  if (!precisions.empty()) {
    const auto networks = TrainedNetworks(workspace);
    const Quantizer quantizer(workspace);
    const Context& context = workspace.context();
    context.progress.Begin("quantize", static_cast<double>(networks.size() * precisions.size()));
    for (const TrainedNetwork& trained : networks) {
      for (const Precision precision : precisions) {
        context.ThrowIfCancelled();
        context.progress.Update(static_cast<double>(list.size()), trained.network.id + " " + PrecisionName(precision));
        list.push_back(quantizer.Run(trained, precision));
      }
    }
    summary = std::to_string(networks.size()) + " networks over " + std::to_string(quantizer.pictures()) + " pictures" +
              BrokenPromises(list, workspace.study().quantize.max_drop);
  }
  WriteRunJson(workspace, "quantize.json",
               {{"version", 1},
                {"score", ScoreName(workspace.Scoring())},
                {"options", Json::parse(StudySectionJson(workspace.study(), "quantize"))},
                {"networks", list}});
  return summary;
}

}  // namespace hot
