// What fine-tuning with the roundings in the network (quantize.finetune_epochs) gives back of what int8 costs, on
// trained networks: accuracy in fp32, after post-training quantization, and after N epochs of hot-train, on the
// validation pictures, by which a study chooses, and on a test split; through OpenVINO. Last line: JSON.
// Usage: hot_bench_finetune [--epochs=N] [--ranges=METHOD] TRIAL_FOLDER:TEST_SPLIT...
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "deploy/post_training.h"
#include "deploy/toolchain.h"
#include "graph/safetensors.h"
#include "pipeline/calibration_inputs.h"
#include "pipeline/fine_tune.h"
#include "pipeline/scoring.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kPictures = 128;  // for calibration: the studies' default

struct Options {
  int epochs = 5;
  std::string ranges = "percentile";
};

// One trained network with its pictures.
class Case {
 public:
  explicit Case(const std::string& argument) : trained_(argument.substr(0, argument.find(':'))) {
    spec_ = ReadTrial(trained_ / "trial.json");
    if (spec_.score.predicted == Predicted::kBoxes) spec_.score.metric = Metric::kCocoAp;  // the strict one
    task_ = MakeTask(spec_.task);
    network_ =
        FoldBatchNorm(TrialGraph(spec_, *task_, Purpose::kShipping), ReadSafetensors(trained_ / "weights.safetensors"));
    val_ = LoadTrialData(spec_).val_pictures;
    DataSource source = spec_.train;
    source.split = argument.substr(argument.find(':') + 1);
    test_ = ReadDataset(source);
  }

  Json Run(const Options& options, const Context& context) {
    context.progress.Begin(spec_.id, options.epochs);
    const PostTrainingOptions post_training{.ranges = options.ranges};
    const QuantizedNetwork quantized =
        QuantizeAfterTraining(network_, CalibrationInputs(spec_, kPictures), post_training, context);
    const auto executor = MakeExecutor({.workers = 1});
    const TempFolder folder;
    const FineTuning tuning{.trained = trained_, .folder = folder.path() / "tuned", .epochs = options.epochs};
    const auto show = [&](int epochs) { context.progress.Update(epochs, "fine-tuning"); };
    const FineTuned tuned = FineTune(tuning, quantized, *executor, context, show);
    if (!tuned.network) throw Error(Code::kUnknown, spec_.id, tuned.error);
    context.progress.End("done");
    std::printf("\n%s, %s\n", spec_.id.c_str(), ScoreName(spec_.score).c_str());
    return {{"network", spec_.id},
            {"seconds", tuned.seconds},
            {"fp32", Row("fp32", network_, nullptr)},
            {"before", Row("int8", quantized.network, &quantized.quantization)},
            {"after", Row("fine-tuned", tuned.network->network, &tuned.network->quantization)}};
  }

 private:
  Json Row(const char* name, const Network& network, const Quantization* quantization) const {
    const Artifact artifact = MakeToolchain("openvino")
                                  ->Compile({.network = network,
                                             .precision = quantization == nullptr ? Precision::kFp32 : Precision::kInt8,
                                             .quantization = quantization,
                                             .timing_only = true});
    const auto session = MakeDevice("host", 1)->Load(artifact);
    const auto score = [&](const Dataset& pictures) {
      return 100 * Score(DetectPictures(*session, *task_, pictures, TaskPreprocessing(spec_.task)), spec_.score);
    };
    const double val = score(val_), test = score(test_);
    std::printf("%-12s val %6.2f  test %6.2f\n", name, val, test);
    std::fflush(stdout);
    return {{"val", val}, {"test", test}};
  }

  const fs::path trained_;
  TrialSpec spec_;
  std::unique_ptr<Task> task_;
  Network network_;
  Dataset val_, test_;
};

void Run(const Options& options, const std::vector<std::string>& trials) {
  const auto progress = MakeTerminalProgress(SystemClock());
  const std::atomic<bool> cancelled = false;
  const Context context{SystemClock(), *progress, cancelled};
  Json cases = Json::array();
  double before = 0, after = 0;
  for (const std::string& trial : trials) {
    cases.push_back(Case(trial).Run(options, context));
    const double fp32 = cases.back()["fp32"]["test"];
    before = std::max(before, fp32 - cases.back()["before"]["test"].get<double>());
    after = std::max(after, fp32 - cases.back()["after"]["test"].get<double>());
  }
  const Json json{{"bench", "finetune"},
                  {"ours", after},
                  {"peer", before},
                  {"ratio", after / before},
                  {"unit", "largest loss on test, points"},
                  {"epochs", options.epochs},
                  {"ranges", options.ranges},
                  {"cases", cases}};
  std::printf("%s\n", json.dump().c_str());
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  hot::Options options;
  std::vector<std::string> trials;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--epochs=")) {
      options.epochs = std::clamp(std::atoi(argument.c_str() + 9), 1, 1000);
    } else if (argument.starts_with("--ranges=")) {
      options.ranges = argument.substr(9);
    } else {
      trials.push_back(argument);
    }
  }
  const bool wrong =
      std::ranges::any_of(trials, [](const std::string& trial) { return trial.find(':') == std::string::npos; });
  if (trials.empty() || wrong) {
    std::fprintf(stderr, "usage: scripts/bench finetune [--epochs=N] [--ranges=METHOD] TRIAL_FOLDER:TEST_SPLIT...\n");
    return 2;
  }
  try {
    hot::Run(options, trials);
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
