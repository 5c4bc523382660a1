// hot status RUN: which stages are finished and how far the trainings are; reads only, works beside a running study.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/files.h"
#include "pipeline/stage.h"
#include "pipeline/train_progress.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

// Another hot may be writing this folder: what is not (yet) a JSON object is shown as if it were not there.
Json ReadObject(const fs::path& path) {
  const Json json = Json::parse(ReadFile(path), nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json::object();
}

template <typename T>
T Field(const Json& object, const char* key, const T& fallback) {
  const auto found = object.find(key);
  const bool fits = found != object.end() && found->type() == Json(fallback).type();
  return fits ? found->template get<T>() : fallback;
}

Json StagesStatus(const fs::path& run) {
  Json stages = Json::array();
  for (const Stage& stage : Stages()) {
    const fs::path manifest = run / "stages" / (std::string(stage.name) + ".json");
    // What not every study has is told of once it was begun: its folder has the stage's name.
    if (stage.needed != nullptr && !fs::exists(manifest) && !fs::exists(run / stage.name)) continue;
    Json entry{{"stage", stage.name}, {"finished", fs::exists(manifest)}};
    if (fs::exists(manifest)) entry["summary"] = Field<std::string>(ReadObject(manifest), "summary", "");
    stages.push_back(entry);
  }
  return stages;
}

// What the train stage wrote down, with the epochs that running trainings have come to since.
Json TrainStatus(const fs::path& run) {
  const fs::path file = run / "train_progress.json";
  if (!fs::exists(file)) return nullptr;
  Json progress = ReadObject(file);
  if (Field<uint64_t>(progress, "version", 0) != 1) return nullptr;
  for (const char* list : {"trials", "fine_tunings"}) {
    for (Json& trial : progress[list]) {
      if (trial["state"] != "running") continue;
      trial["epochs"] = FinishedEpochs(run / "trials" / trial["trial"].get<std::string>());
    }
  }
  return progress;
}

std::string ScoreText(const Json& trial) {
  if (trial["val_score"].is_null()) return "";
  char text[32];
  std::snprintf(text, sizeof text, "  %.4f", trial["val_score"].get<double>());
  return text;
}

void PrintTrial(const Json& trial) {
  std::printf("  %-48s %-8s %4d of %d epochs%s\n", trial["trial"].get<std::string>().c_str(),
              trial["state"].get<std::string>().c_str(), trial["epochs"].get<int>(), trial["of"].get<int>(),
              ScoreText(trial).c_str());
}

void PrintTrain(const Json& train) {
  std::printf("\n%s\n", TrainProgressText(train).c_str());
  const std::string used = FormatDuration(train["elapsed_s"]) + " used";
  if (train["left_s"].is_null()) {
    std::printf("%s\n", used.c_str());
  } else {
    std::printf("%s, %s left\n", used.c_str(), FormatDuration(train["left_s"]).c_str());
  }
  for (const char* list : {"trials", "fine_tunings"}) {
    for (const Json& trial : train.value(list, Json::array())) PrintTrial(trial);
  }
}

void PrintStatus(const Json& status) {
  for (const Json& stage : status["stages"]) {
    const std::string summary = stage.value("summary", stage["finished"].get<bool>() ? "done" : "-");
    std::printf("%-9s %s\n", stage["stage"].get<std::string>().c_str(), summary.c_str());
  }
  if (!status["train"].is_null()) PrintTrain(status["train"]);
}

}  // namespace

void AddStatusCommand(CLI::App& app, int& exit_code) {
  auto run = std::make_shared<std::string>();  // shared: CLI11 copies the callback that owns it
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("status", "Show how far a study is");
  sub->add_option("run", *run, "run folder")->required();
  sub->add_flag("--json", *json, "as JSON");
  sub->footer("Example:\n  hot status runs/quickstart");
  sub->callback([run, json, &exit_code] {
    exit_code = RunCommand(/*quiet=*/true, [&](const Context&) {
      if (!fs::exists(fs::path(*run) / "study.json")) {
        throw Error(Code::kNotFound, *run, "is no run folder: it has no study.json");
      }
      const Json status{{"version", 1}, {"stages", StagesStatus(*run)}, {"train", TrainStatus(*run)}};
      if (*json) {
        std::printf("%s\n", status.dump(1).c_str());
      } else {
        PrintStatus(status);
      }
    });
  });
}

}  // namespace hot
