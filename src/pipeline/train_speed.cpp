#include "pipeline/train_speed.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "measure/measure.h"
#include "pipeline/networks.h"
#include "pipeline/trial_folder.h"
#include "pipeline/trial_search.h"
#include "pipeline/trial_space.h"

namespace hot {
namespace {

using Json = nlohmann::json;

constexpr auto kPollInterval = std::chrono::milliseconds(20);
constexpr size_t kMostTrials = 200;    // of earlier runs that are looked at
constexpr double kProbePictures = 32;  // two batches, as a rule
constexpr int kProbeCopies = 4;        // trainings at the same time; more hardly slow each other down further

// The first epoch decodes pictures that later ones find in memory.
std::vector<double> LaterEpochs(const fs::path& folder) {
  std::vector<double> seconds;
  std::error_code error;
  if (!fs::exists(folder / "epochs.jsonl", error)) return seconds;
  std::istringstream lines(ReadFile(folder / "epochs.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Json epoch = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    const bool is_record = epoch.is_object() && epoch.value("epoch", Json()).is_number_integer() &&
                           epoch.value("seconds", Json()).is_number();
    if (is_record && epoch["epoch"] > 1) seconds.push_back(epoch["seconds"]);
  }
  return seconds;
}

// What an epoch's time depends on, as text.
std::string RecipeOf(const TrialSpec& spec) {
  const bool is_whole = spec.quantized_sha256.empty() && !spec.distill;
  Json json{{"train", SourceJson(spec.train)},
            {"val_fraction", spec.val_fraction},
            {"backbone", spec.backbone},
            {"width", spec.width},
            {"task", spec.task.task},
            {"input", {spec.task.input.h, spec.task.input.w}},
            {"finest_stride", spec.task.finest_stride},
            {"batch", spec.batch}};
  json["precision"] = is_whole ? spec.precision : "none";
  json["threads"] = spec.threads;
  return json.dump();
}

std::vector<fs::path> TrialFoldersBeside(const fs::path& run) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& beside : fs::directory_iterator(fs::absolute(run).lexically_normal().parent_path(), error)) {
    for (const auto& trial : fs::directory_iterator(beside.path() / "trials", error)) folders.push_back(trial.path());
    if (folders.size() >= kMostTrials) break;
  }
  std::ranges::sort(folders);
  return folders;
}

StudyNetwork Baseline(const Workspace& workspace) {
  StudyNetwork network{.baseline = true, .width = workspace.baseline_width()};
  network.choices = BaselineChoices(workspace.backbone(), network.width, workspace.precision());
  network.id = NetworkId(workspace, network.width, network.choices);
  return network;
}

// The baseline's trial; hyper-parameters have nothing to do with time but for the batch, which is the study's.
TrialSpec BaselineTrial(const Workspace& workspace) {
  const auto sampler = MakeSampler("random");
  return MakeTrial(workspace, Baseline(workspace), sampler->Suggest({.space = StudySpace(workspace.study())}));
}

TrialSpec ProbeTrial(const Workspace& workspace) {
  TrialSpec spec = BaselineTrial(workspace);
  const auto pictures = static_cast<double>(ReadDataset(workspace.TrainSource()).samples.size());
  if (pictures > kProbePictures) spec.train.share = {.fraction = kProbePictures / pictures, .seed = 1};
  spec.val.split.clear();
  spec.epochs = 2;
  spec.warmup_epochs = spec.patience = spec.freeze_epochs = 0;
  spec.validate_every = spec.epochs;
  return spec;
}

void TrainAll(const Workspace& workspace, Executor& executor, const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) executor.Start({.folder = folder});
  for (size_t open = folders.size(); open > 0;) {
    workspace.context().ThrowIfCancelled();
    workspace.context().progress.Update(0, "training for a moment, to see how long an epoch takes");
    for (const TrialOutcome& outcome : executor.Poll()) {
      if (!outcome.done) {
        throw Error(outcome.exit_code == 2 ? Code::kInvalidArgument : Code::kUnknown, "hot-train",
                    "the baseline could not be trained: " + outcome.error, "hot doctor looks at what it needs");
      }
      --open;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace

std::optional<EpochTime> KnownEpochTime(const Workspace& workspace) {
  const std::string wanted = RecipeOf(BaselineTrial(workspace));
  std::vector<double> seconds;
  for (const fs::path& folder : TrialFoldersBeside(workspace.folder())) {
    try {
      if (RecipeOf(ReadTrial(folder / "trial.json")) != wanted) continue;
    } catch (const Error&) {
      continue;  // no trial, or one of another version: it has nothing to tell
    }
    const std::vector<double> more = LaterEpochs(folder);
    seconds.insert(seconds.end(), more.begin(), more.end());
  }
  if (seconds.empty()) return std::nullopt;
  const std::string count = std::to_string(seconds.size());
  return EpochTime{.seconds = Percentile(std::move(seconds), 0.5), .basis = count + " epochs of earlier trainings"};
}

EpochTime ProbeEpochTime(const Workspace& workspace) {
  const TrialSpec spec = ProbeTrial(workspace);
  const auto executor = StudyExecutor(workspace.study());
  const TempFolder temporary;
  std::vector<fs::path> folders;
  for (int i = 0; i < std::min(kProbeCopies, executor->capacity()); ++i) {
    folders.push_back(temporary.path() / std::to_string(i));
    PrepareTrialFolder(folders.back(), spec);
  }
  workspace.context().progress.Begin("probe", 0);
  TrainAll(workspace, *executor, folders);
  std::vector<double> seconds;
  for (const fs::path& folder : folders) seconds.push_back(LaterEpochs(folder).at(0));
  const auto seen = static_cast<double>(LoadTrialData(spec).train.samples.size());
  const auto all = static_cast<double>(LoadTrialData(workspace.TrialTemplate()).train.samples.size());
  const double epoch_s = Percentile(std::move(seconds), 0.5) * all / seen;
  char text[64];
  std::snprintf(text, sizeof text, "an epoch of the baseline takes about %.2g s", epoch_s);
  workspace.context().progress.End(text);
  return {.seconds = epoch_s, .basis = "a training of two epochs, just now"};
}

}  // namespace hot
