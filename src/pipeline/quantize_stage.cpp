// Stage quantize: every trained network's integers, from training pictures; what they cost on val, and which layers
// are trained on or fall back to float for it. quantize.json tells.
#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "deploy/quantization_error.h"
#include "pipeline/calibration_inputs.h"
#include "pipeline/deployment.h"
#include "pipeline/fallback.h"
#include "pipeline/fine_tune.h"
#include "pipeline/formats.h"
#include "pipeline/scoring.h"
#include "pipeline/stages.h"
#include "pipeline/train_progress.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

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
  Json Run(const TrainedNetwork& trained, Precision precision) {
    const Context& context = workspace_.context();
    const Network folded = FoldedNetwork(workspace_, trained);
    const int64_t start_ns = context.clock.NowNs();
    QuantizedNetwork quantized =
        WithFloatLayers(QuantizeAfterTraining(folded, inputs_, PostTraining(workspace_, precision), context),
                        FloatLayers(workspace_, trained.network, precision));
    const double seconds = static_cast<double>(context.clock.NowNs() - start_ns) * 1e-9;
    const double fp32 = ScoreOf(folded, nullptr, Precision::kFp32);
    double score = ScoreOf(quantized.network, &quantized.quantization, precision);
    const double promised = PromisedScore(fp32);
    Json fine_tuned;
    if (score < promised && workspace_.study().quantize.finetune_epochs > 0)
      fine_tuned = Improve(trained, precision, quantized, score);
    const FallBack fall_back = KeepPromise(quantized, precision, promised, score);
    quantized = WithFloatLayers(quantized, fall_back.layers);
    WriteQuantized(QuantizedStem(workspace_.folder(), trained.network.id, precision), quantized.network.weights,
                   quantized.quantization);
    ++done_;
    return {{"id", trained.network.id},
            {"precision", PrecisionName(precision)},
            {"scheme", quantized.quantization.scheme},
            {"seconds", seconds},
            {"fp32", fp32},
            {"score", fall_back.score},
            {"holds", fall_back.holds},
            {"fine_tuned", fine_tuned},
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

  // Without a promise the score is only told.
  double PromisedScore(double fp32) const {
    const auto& max_drop = workspace_.study().quantize.max_drop;
    return max_drop ? fp32 - *max_drop / 100 : -std::numeric_limits<double>::infinity();
  }

  // By hot-train, as `hot status` shows it.
  FineTuned TrainOn(const TrainedNetwork& trained, const std::string& name, const QuantizedNetwork& quantized) {
    const fs::path trials = workspace_.folder() / "trials";
    const int epochs = static_cast<int>(workspace_.study().quantize.finetune_epochs);
    const auto note = [&](const char* state) {
      NoteFineTuning(workspace_, {{"trial", name},
                                  {"network", trained.network.id},
                                  {"state", state},
                                  {"epochs", FinishedEpochs(trials / name)},
                                  {"of", epochs},
                                  {"val_score", nullptr}});
    };
    const auto show = [&](int finished) {
      const std::string of = std::to_string(finished) + " of " + std::to_string(epochs) + " epochs";
      workspace_.context().progress.Update(done_, name + ": fine-tuned " + of);
    };
    if (!executor_) executor_ = StudyExecutor(workspace_.study());
    note("running");
    FineTuned tuned = FineTune({.trained = trials / trained.trial, .folder = trials / name, .epochs = epochs},
                               quantized, *executor_, workspace_.context(), show);
    note(tuned.network ? "finished" : "failed");
    if (!tuned.network) workspace_.context().progress.Note("warning: " + name + ": " + tuned.error);
    return tuned;
  }

  // Puts the fine-tuned network and its score in the place of `quantized` and `score` when they are better. Returns its
  // part of quantize.json: null when the training failed.
  Json Improve(const TrainedNetwork& trained, Precision precision, QuantizedNetwork& quantized, double& score) {
    const bool mixed = !FloatLayers(workspace_, trained.network, precision).empty();
    const std::string name = trained.trial + "-" + PrecisionName(precision) + (mixed ? "-" + trained.network.id : "");
    FineTuned tuned = TrainOn(trained, name, quantized);
    if (!tuned.network) return nullptr;
    const double before = score, after = ScoreOf(tuned.network->network, &tuned.network->quantization, precision);
    if (after > before) {
      quantized = *std::move(tuned.network);
      score = after;
    }
    return {{"trial", name},
            {"epochs", workspace_.study().quantize.finetune_epochs},
            {"seconds", tuned.seconds},
            {"before", before},
            {"after", after},
            {"kept", after > before}};
  }

  // `whole` is the score with all layers in integers. Layers are looked at one by one only where the promise is broken.
  FallBack KeepPromise(const QuantizedNetwork& quantized, Precision precision, double promised, double whole) const {
    const auto score = [&](const std::set<std::string>& float_layers) {
      if (float_layers.empty()) return whole;
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
  double done_ = 0;                     // networks
  std::unique_ptr<Executor> executor_;  // made when the first network has to be trained on
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
    Quantizer quantizer(workspace);
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
