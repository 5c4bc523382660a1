// Post-training quantization of trained networks, ours v ONNX Runtime's quantize_static and NNCF: same network, same
// calibration pictures, accuracy by our metric from the quantized ONNX file through OpenVINO, and the time from
// pictures in memory to that file on one core, one after the other in each round, medians of rounds. Besides: bf16 as
// OpenVINO executes it, fp16 and int16x8, which it does not, through ONNX Runtime, which rounds what is stored and
// computes in fp32, and fp16 as TVM executes it, where TVM is installed. Last line: JSON. Usage: hot_bench_quantize
// [--rounds=N] [--quick | --times] TRIAL_FOLDER[:TEST_SPLIT]...; --quick leaves out the presets that neither a study
// nor a peer uses by default, --times all but the time that our fastest preset and the peers take; a trial folder is
// one of a run folder's trials/ (docs/formats/run.md); without a split its validation pictures are scored.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "config/study.h"
#include "core/hash.h"
#include "data/loader.h"
#include "deploy/onnx_writer.h"
#include "deploy/post_training.h"
#include "deploy/quantization_error.h"
#include "deploy/toolchain.h"
#include "graph/safetensors.h"
#include "measure/measure.h"
#include "peer.h"
#include "pipeline/calibration_inputs.h"
#include "pipeline/scoring.h"
#include "replay_session.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kPictures = 128;  // for calibration: the studies' default
constexpr int kBootstrapRounds = 1000;
constexpr const char* kDefault = "default";
constexpr const char* kFastest = "minmax";
constexpr const char* kTvmFp16 = "fp16 (tvm)";
constexpr const char* kPeers[] = {"onnxruntime", "nncf"};

struct Preset {
  std::string name;
  PostTrainingOptions options;
};

std::vector<Preset> Presets(bool quick) {
  const Study::Quantize study;
  std::vector<Preset> presets{
      {kDefault,
       {.scheme = study.scheme,
        .ranges = study.ranges,
        .equalize = study.equalize,
        .correct_bias = study.correct_bias,
        .rounding = study.rounding}},
      {kFastest, {.ranges = "minmax"}},
      {"percentile", {.ranges = "percentile"}},
      {"mse", {.ranges = "mse"}},
      {"kl", {.ranges = "kl"}},
      {"auto", {.ranges = "auto"}},
      {"+bias", {.correct_bias = true}},
      {"+adaptive", {.rounding = "adaptive"}},
      {"+bias +adaptive", {.correct_bias = true, .rounding = "adaptive"}},
      {"+equalize", {.equalize = true}},
      {"all", {.ranges = "auto", .equalize = true, .correct_bias = true, .rounding = "adaptive"}},
      {"u8s8", {.scheme = "u8s8"}}};
  if (quick) presets.resize(2);
  return presets;
}

struct Row {
  std::string name;
  bool ours = true;
  std::vector<double> seconds = {};
  double output_error = -1;  // relative, of ours
  std::vector<ScoredPicture> scored = {};
};

void WriteInputs(const fs::path& file, const std::vector<Tensor>& inputs) {
  std::string bytes;
  for (const Tensor& input : inputs)
    bytes.append(reinterpret_cast<const char*>(input.data.data()), input.data.size() * sizeof(float));
  WriteFileAtomic(file, bytes);
}

double Seconds(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One trained network with its pictures.
class Case {
 public:
  explicit Case(const std::string& argument) {
    const size_t colon = argument.find(':');
    const fs::path folder = argument.substr(0, colon);
    spec_ = ReadTrial(folder / "trial.json");
    if (spec_.score.predicted == Predicted::kBoxes) spec_.score.metric = Metric::kCocoAp;  // as it is asked
    task_ = MakeTask(spec_.task);
    std::vector<Choice> choices;
    for (const std::string& slot : spec_.slots) choices.push_back(Choice::Parse(slot));
    const Graph graph = BuildNetwork(FindBackbone(spec_.backbone), spec_.width, choices, *task_);
    network_ = FoldBatchNorm(graph, ReadSafetensors(folder / "weights.safetensors"));
    inputs_ = CalibrationInputs(spec_, kPictures);
    DataSource source = spec_.train;
    if (colon != std::string::npos) source.split = argument.substr(colon + 1);
    pictures_ = colon == std::string::npos ? LoadTrialData(spec_).val_pictures : ReadDataset(source);
    name_ = spec_.id + (colon == std::string::npos ? " val" : " " + source.split);
    error_ = std::make_unique<OutputError>(
        network_,
        std::vector<Tensor>(inputs_.begin(), inputs_.begin() + std::min<std::ptrdiff_t>(16, std::ssize(inputs_))));
  }

  const std::string& name() const { return name_; }
  const ScoreOptions& scoring() const { return spec_.score; }
  const std::vector<Row>& rows() const { return rows_; }
  const Row& At(const std::string& name) const { return *std::ranges::find(rows_, name, &Row::name); }
  size_t pictures() const { return pictures_.samples.size(); }

  void Run(int rounds, const std::vector<Preset>& presets, bool score, const Context& context) {
    WriteFileAtomic(File("float.onnx"), WriteOnnx(network_, {}));
    WriteInputs(File("inputs.bin"), inputs_);
    if (score) ScoreFloats(context);
    for (int round = 0; round < rounds; ++round) {
      for (const Preset& preset : presets) RunPreset(preset, score && round == 0, context);
      for (const char* peer : kPeers) RunOtherLibrary(peer, score && round == 0);
    }
  }

  // How many times as fast as the fastest peer our fastest preset is.
  double SpeedUp() const {
    double peer = 1e300;
    for (const char* name : kPeers) peer = std::min(peer, Median(At(name).seconds));
    return peer / Median(At(kFastest).seconds);
  }

 private:
  std::string File(const std::string& name) const { return (folder_.path() / name).string(); }

  Row& RowOf(const std::string& name, bool ours) {
    const auto found = std::ranges::find(rows_, name, &Row::name);
    if (found != rows_.end()) return *found;
    rows_.push_back({.name = name, .ours = ours});
    return rows_.back();
  }

  std::vector<ScoredPicture> Detect(Session& session) const {
    return DetectPictures(session, *task_, pictures_, TaskPreprocessing(spec_.task));
  }

  std::vector<ScoredPicture> DetectThrough(const std::string& onnx, Precision precision) const {
    Artifact artifact;
    artifact.toolchain = "openvino";
    artifact.precision = PrecisionName(precision);
    artifact.blob = onnx;
    artifact.blob_sha256 = Sha256Hex(onnx);
    return Detect(*MakeDevice("host", 1)->Load(artifact));
  }

  // fp32 and bf16 through OpenVINO; fp16 and int16x8 through ONNX Runtime.
  void ScoreFloats(const Context& context) {
    const Artifact fp32 = MakeToolchain("openvino")->Compile({.network = network_, .timing_only = true});
    const auto session = MakeDevice("host", 1)->Load(fp32);
    RecordingSession recording(*session);
    RowOf("fp32", true).scored = Detect(recording);
    const auto known = MakeToolchain("openvino")->precisions();
    if (std::ranges::count(known, Precision::kBf16) > 0)
      RowOf("bf16", true).scored = DetectThrough(fp32.blob, Precision::kBf16);
    ScoreTvmFp16();
    WriteInputs(File("test.bin"), recording.recorded());
    PostTrainingOptions options = Presets(true).front().options;  // as a study has them
    options.scheme = "s16s8";
    const QuantizedNetwork wide = QuantizeAfterTraining(network_, inputs_, options, context);
    for (const auto& [name, onnx] : {std::pair<std::string, std::string>{"fp16", WriteOnnx(network_, {.fp16 = true})},
                                     {"int16x8", WriteOnnx(wide.network, {.quantization = &wide.quantization})}}) {
      WriteFileAtomic(File("model.onnx"), onnx);
      RunPeer("quantize", "quantize_peer.py", {"run", File("model.onnx"), File("test.bin"), File("outputs.bin")});
      ReplaySession replay(network_.graph, ReadFile(File("outputs.bin")));
      RowOf(name, true).scored = Detect(replay);
    }
  }

  void ScoreTvmFp16() {
    std::unique_ptr<Toolchain> tvm;
    try {
      tvm = MakeToolchain("tvm");
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      std::printf("%s: no row of TVM: %s\n", name_.c_str(), error.what());
      return;
    }
    const Artifact artifact = tvm->Compile({.network = network_, .precision = Precision::kFp16, .timing_only = true});
    RowOf(kTvmFp16, true).scored = Detect(*MakeDevice("host", 1)->Load(artifact));
  }

  void RunPreset(const Preset& preset, bool score, const Context& context) {
    const auto start = std::chrono::steady_clock::now();
    const QuantizedNetwork quantized = QuantizeAfterTraining(network_, inputs_, preset.options, context);
    const std::string onnx =
        WriteOnnx(quantized.network, {.quantization = &quantized.quantization, .unsigned_concatenations = true});
    Row& row = RowOf(preset.name, true);
    row.seconds.push_back(Seconds(start));
    if (!score) return;
    row.scored = DetectThrough(onnx, Precision::kInt8);
    row.output_error = error_->Of(quantized.network, quantized.quantization);
  }

  void RunOtherLibrary(const std::string& name, bool score) {
    const nlohmann::json result =
        RunPeer("quantize", "quantize_peer.py", {name, File("float.onnx"), File("inputs.bin"), File("integers.onnx")});
    Row& row = RowOf(name, false);
    row.seconds.push_back(result.at("seconds"));
    if (score) row.scored = DetectThrough(ReadFile(File("integers.onnx")), Precision::kInt8);
  }

  TempFolder folder_;
  std::string name_;
  TrialSpec spec_;
  std::unique_ptr<Task> task_;
  Network network_;
  std::vector<Tensor> inputs_;
  Dataset pictures_;
  std::unique_ptr<OutputError> error_;
  std::vector<Row> rows_;
};

// The largest drop against fp32 that is asked for, in points; negative: none is.
double AskedDrop(const std::string& row, Predicted predicted) {
  if (row == "fp32") return -1;
  if (row == "fp16" || row == kTvmFp16) return 0.1;
  if (row == "bf16" || row == "int16x8") return 0.3;
  return predicted == Predicted::kKeypoints ? 1.0 : 0.5;
}

Json RowJson(const Case& one, const Row& row) {
  const PairedDifference drop =
      PairedBootstrap(row.scored, one.At("fp32").scored, one.scoring(), kBootstrapRounds, /*seed=*/1);
  Json json{{"name", row.name},
            {"score", Score(row.scored, one.scoring())},
            {"drop_points", 100 * drop.difference},
            {"drop_low", 100 * drop.low},
            {"drop_high", 100 * drop.high}};
  const double asked = AskedDrop(row.name, one.scoring().predicted);
  if (asked >= 0 && row.ours) json["asked_drop"] = asked;
  if (!row.seconds.empty()) json["seconds"] = Median(row.seconds);
  if (row.output_error >= 0) json["output_error"] = row.output_error;
  return json;
}

// Ours minus the peer's, in points.
Json AgainstPeer(const Case& one, const std::string& ours, const std::string& peer) {
  const PairedDifference gain =
      PairedBootstrap(one.At(peer).scored, one.At(ours).scored, one.scoring(), kBootstrapRounds, /*seed=*/1);
  return {{"ours", ours},
          {"peer", peer},
          {"points", 100 * gain.difference},
          {"low", 100 * gain.low},
          {"high", 100 * gain.high},
          {"not_worse", gain.high >= 0}};
}

Json Report(const Case& one) {
  Json rows = Json::array(), pairs = Json::array();
  std::printf("\n%s, %zu pictures, %s\n%-18s %8s %8s %18s %9s %12s\n", one.name().c_str(), one.pictures(),
              ScoreName(one.scoring()).c_str(), "", "score", "drop", "95 % interval", "seconds", "output error");
  for (const Row& row : one.rows()) {
    const Json json = RowJson(one, row);
    std::printf("%-18s %8.2f %8.2f %8.2f .. %6.2f %9.2f %12.5f\n", row.name.c_str(),
                100 * json.at("score").get<double>(), json.at("drop_points").get<double>(),
                json.at("drop_low").get<double>(), json.at("drop_high").get<double>(), json.value("seconds", 0.0),
                json.value("output_error", 0.0));
    rows.push_back(json);
  }
  for (const char* peer : kPeers) {
    pairs.push_back(AgainstPeer(one, kDefault, peer));
    pairs.push_back(AgainstPeer(one, kFastest, peer));
  }
  return {{"network", one.name()},  {"score", ScoreName(one.scoring())}, {"pictures", one.pictures()}, {"rows", rows},
          {"against_peers", pairs}, {"minmax_speed_up", one.SpeedUp()}};
}

void RunTimes(int rounds, const std::vector<std::string>& trials, const Context& context) {
  Json cases = Json::array();
  double least = 1e300;
  for (const std::string& trial : trials) {
    Case one(trial);
    one.Run(rounds, {{kFastest, {.ranges = kFastest}}}, /*score=*/false, context);
    Json seconds;
    for (const Row& row : one.rows()) seconds[row.name] = Median(row.seconds);
    std::printf("%s: %s s, faster peer / %s %.2f\n", one.name().c_str(), seconds.dump().c_str(), kFastest,
                one.SpeedUp());
    std::fflush(stdout);
    least = std::min(least, one.SpeedUp());
    cases.push_back({{"network", one.name()}, {"seconds", seconds}, {"minmax_speed_up", one.SpeedUp()}});
  }
  const Json json{{"bench", "quantize --times"},
                  {"least_minmax_speed_up", least},
                  {"asked_minmax_speed_up", 2},
                  {"rounds", rounds},
                  {"cases", cases}};
  std::printf("%s\n", json.dump().c_str());
}

void Run(int rounds, bool quick, const std::vector<std::string>& trials, const Context& context) {
  Json cases = Json::array();
  double worst_drop = -1e300, worst_peer = -1e300, least_speed_up = 1e300;
  for (const std::string& trial : trials) {
    Case one(trial);
    context.progress.Begin(one.name(), 0);
    one.Run(rounds, Presets(quick), /*score=*/true, context);
    context.progress.End("done");
    cases.push_back(Report(one));
    std::fflush(stdout);
    for (const Json& row : cases.back().at("rows")) {
      const double drop = row.at("drop_points");
      if (row.at("name") == kDefault) worst_drop = std::max(worst_drop, drop);
      if (row.at("name") == "onnxruntime" || row.at("name") == "nncf") worst_peer = std::max(worst_peer, drop);
    }
    least_speed_up = std::min(least_speed_up, cases.back().at("minmax_speed_up").get<double>());
  }
  const Json json{{"bench", "quantize"},
                  {"ours", worst_drop},
                  {"peer", worst_peer},
                  {"ratio", worst_drop / worst_peer},
                  {"unit", "points lost"},
                  {"least_minmax_speed_up", least_speed_up},
                  {"asked_minmax_speed_up", 2},
                  {"rounds", rounds},
                  {"cases", cases}};
  std::printf("%s\n", json.dump().c_str());
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  int rounds = 3;
  bool quick = false, times = false;
  std::vector<std::string> trials;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--rounds=")) {
      rounds = std::clamp(std::atoi(argument.c_str() + 9), 1, 100);
    } else if (argument == "--quick") {
      quick = true;
    } else if (argument == "--times") {
      times = true;
    } else {
      trials.push_back(argument);
    }
  }
  if (trials.empty()) {
    std::fprintf(stderr,
                 "usage: scripts/bench quantize [--rounds=N] [--quick | --times] TRIAL_FOLDER[:TEST_SPLIT]...\n");
    return 2;
  }
  try {
    hot::PinThread(1);  // the peers inherit it: OpenVINO and ONNX Runtime would take as many cores as there are
    const auto progress = hot::MakeTerminalProgress(hot::SystemClock());
    const std::atomic<bool> cancelled = false;
    const hot::Context context{hot::SystemClock(), *progress, cancelled};
    if (times) {
      hot::RunTimes(rounds, trials, context);
    } else {
      hot::Run(rounds, quick, trials, context);
    }
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
