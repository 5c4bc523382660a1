#include "pipeline/run_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/run_lock.h"
#include "pipeline/stage.h"
#include "pipeline/train_progress.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

// Of version 1, else an empty object.
Json ReadObject(const fs::path& path) try {
  const Json json = Json::parse(ReadFile(path), nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("version", Json()) == 1 ? json : Json::object();
} catch (const Error&) {
  return Json::object();
}

template <typename T>
T Field(const Json& object, const char* key, const T& fallback) {
  const auto found = object.find(key);
  const bool fits = found != object.end() && found->type() == Json(fallback).type();
  return fits ? found->template get<T>() : fallback;
}

struct Written {  // by the last process that worked here
  bool locked = false;
  Json progress;

  std::string stage() const { return Field<std::string>(progress, "stage", ""); }
  bool passed(const std::string& stage) const {
    const Json list = progress.value("passed", Json::array());
    return std::find(list.begin(), list.end(), stage) != list.end();
  }
};

// "running" and "interrupted" is the stage that the last process was in, "done" what has a manifest that is up to date
// as far as one can know without the data, "earlier" what has one that may not be, "waiting" the rest.
std::string StageState(const std::string& stage, const Json& manifest, const std::string& newest_before,
                       const Written& written) {
  if (written.stage() == stage) return written.locked ? kRunning : kInterrupted;
  if (manifest.empty()) return "waiting";
  if (written.passed(stage) || written.progress.empty()) return "done";
  if (written.locked || !written.stage().empty()) return "earlier";
  return Field<std::string>(manifest, "finished", "") < newest_before ? "earlier" : "done";
}

Json StageStatuses(const fs::path& run, const Written& written) {
  Json stages = Json::array();
  std::string newest;  // when the last of the stages so far was finished; such texts are ordered as their times
  for (const Stage& stage : Stages()) {
    const std::string name(stage.name);
    const fs::path path = run / "stages" / (name + ".json");
    // What not every study has is told of once it was begun: its folder has the stage's name.
    if (stage.needed != nullptr && !fs::exists(path) && !fs::exists(run / stage.name) && written.stage() != name) {
      continue;
    }
    const Json manifest = ReadObject(path);
    Json entry{
        {"stage", name}, {"state", StageState(name, manifest, newest, written)}, {"finished", !manifest.empty()}};
    if (!manifest.empty()) {
      entry["summary"] = Field<std::string>(manifest, "summary", "");
      entry["seconds"] = Field(manifest, "seconds", 0.0);
    }
    newest = std::max(newest, Field<std::string>(manifest, "finished", ""));
    stages.push_back(entry);
  }
  return stages;
}

std::string StateOf(const Json& stages, const Written& written) {
  if (written.locked) return kRunning;
  const auto is = [](const char* state) { return [state](const Json& stage) { return stage["state"] == state; }; };
  if (std::any_of(stages.begin(), stages.end(), is(kInterrupted))) return kInterrupted;
  if (std::all_of(stages.begin(), stages.end(), is("waiting"))) return kNotBegun;
  return stages.back()["state"] == "done" ? kFinished : kPartly;
}

// What the train stage wrote down, with the epochs that running trainings have come to since.
Json TrainStatus(const fs::path& run, bool locked) try {
  Json progress = ReadObject(run / "train_progress.json");
  if (progress.empty()) return nullptr;
  for (const char* list : {"trials", "fine_tunings"}) {
    for (Json& trial : progress[list]) {
      if (trial["state"] != "running") continue;
      trial["epochs"] = FinishedEpochs(run / "trials" / fs::path(trial["trial"].get<std::string>()).filename());
      if (!locked) trial["state"] = kInterrupted;
    }
  }
  return progress;
} catch (const Json::exception&) {
  return nullptr;
}

Json Doing(const Written& written, const Json& train) {
  if (written.stage().empty()) return nullptr;
  Json doing = written.progress;
  doing.erase("version");
  doing.erase("passed");
  // The search knows better than a straight line through what was done.
  if (written.stage() == "train" && train.is_object()) doing["left_s"] = train.value("left_s", Json());
  return doing;
}

}  // namespace

Json RunStatus(const fs::path& run_folder) {
  const Written written{.locked = IsRunLocked(run_folder), .progress = ReadObject(run_folder / "progress.json")};
  const Json stages = StageStatuses(run_folder, written);
  const Json train = TrainStatus(run_folder, written.locked);
  return {{"version", 1},
          {"state", StateOf(stages, written)},
          {"doing", Doing(written, train)},
          {"stages", stages},
          {"train", train}};
}

}  // namespace hot
