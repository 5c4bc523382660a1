#include "pipeline/stage.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "pipeline/stages.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

fs::path ManifestPath(const Workspace& workspace, std::string_view stage) {
  return workspace.folder() / "stages" / (std::string(stage) + ".json");
}

std::string KeyOf(const Workspace& workspace, const Stage& stage) { return Sha256Hex(stage.inputs(workspace)); }

bool IsFinished(const Workspace& workspace, const Stage& stage, const std::string& key) {
  const fs::path path = ManifestPath(workspace, stage.name);
  if (!fs::exists(path) || !fs::exists(workspace.folder() / stage.output)) return false;
  const Json manifest = Json::parse(ReadFile(path), nullptr, /*allow_exceptions=*/false);
  return manifest.is_object() && manifest.value("version", Json()) == 1 && manifest.value("inputs", Json()) == key;
}

// Whether running it would train.
bool WillTrain(const Workspace& workspace, const Stage& stage) {
  const bool trains = stage.name == "train" || stage.name == "distill";
  return trains && IsNeeded(workspace, stage) && !IsFinished(workspace, stage);
}

void RunStage(Workspace& workspace, const Stage& stage) {
  const Context& context = workspace.context();
  const std::string key = KeyOf(workspace, stage);
  if (IsFinished(workspace, stage, key)) {
    context.progress.Begin(stage.name, 0);
    context.progress.End("up to date");
    return;
  }
  context.ThrowIfCancelled();
  context.progress.Begin(stage.name, 0);
  const int64_t start_ns = context.clock.NowNs();
  const std::string summary = stage.run(workspace);
  const double seconds = static_cast<double>(context.clock.NowNs() - start_ns) * 1e-9;
  const Json manifest{{"version", 1},       {"stage", stage.name},
                      {"inputs", key},      {"seconds", seconds},
                      {"summary", summary}, {"finished", FormatUtc(context.clock.WallSeconds())}};
  EnsureFolder(workspace.folder() / "stages");
  WriteFileAtomic(ManifestPath(workspace, stage.name), manifest.dump(1) + "\n");
  context.progress.End(summary + ", " + FormatDuration(seconds));
}

}  // namespace

bool IsNeeded(const Workspace& workspace, const Stage& stage) {
  return stage.needed == nullptr || stage.needed(workspace.study());
}

bool IsFinished(const Workspace& workspace, const Stage& stage) {
  return IsFinished(workspace, stage, KeyOf(workspace, stage));
}

std::span<const Stage> Stages() {
  static constexpr std::array<Stage, 8> kStages{
      {{"profile", "table.json", ProfileInputs, nullptr, RunProfile},
       {"distill", "distill.json", DistillInputs, NeedsDistill, RunDistill},
       {"search", "search.json", SearchInputs, nullptr, RunSearch},
       {"verify", "verify.json", VerifyInputs, nullptr, RunVerify},
       {"train", "train.json", TrainInputs, nullptr, RunTrain},
       {"quantize", "quantize.json", QuantizeInputs, nullptr, RunQuantize},
       {"compile", "artifacts", CompileInputs, nullptr, RunCompile},
       {"evaluate", "evaluation.json", EvaluateInputs, nullptr, RunEvaluate}}};
  return kStages;
}

void RunStages(Workspace& workspace, std::string_view last) {
  const auto stages = Stages();
  const auto end = std::find_if(stages.begin(), stages.end(), [&](const Stage& stage) { return stage.name == last; });
  if (end == stages.end()) throw Error(Code::kInvalidArgument, "stage", "unknown stage \"" + std::string(last) + "\"");
  if (!IsNeeded(workspace, *end)) {
    throw Error(Code::kInvalidArgument, std::string(last), "the study has no such stage",
                "--set search.quality=distill gives it one");
  }
  // Now, not after an hour of measuring.
  if (std::any_of(stages.begin(), end + 1, [&](const Stage& stage) { return WillTrain(workspace, stage); })) {
    CheckTraining(workspace.study());
  }
  for (auto stage = stages.begin(); stage <= end; ++stage) {
    if (IsNeeded(workspace, *stage)) RunStage(workspace, *stage);
  }
}

}  // namespace hot
