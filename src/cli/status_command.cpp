// hot status RUN: which stages are finished and how far the trainings are; reads only, works beside a running study.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/files.h"
#include "pipeline/run_status.h"
#include "pipeline/train_progress.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

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

std::string DoingText(const Json& status) {
  const Json& doing = status["doing"];
  std::string text = status["state"];
  if (doing.is_null()) return text;
  text += ": " + doing.value("stage", "");
  if (const double total = doing.value("total", 0.0); total > 0) {
    text += " " + std::to_string(std::lround(100 * std::clamp(doing.value("done", 0.0) / total, 0.0, 1.0))) + " %";
  }
  if (const Json left_s = doing.value("left_s", Json()); left_s.is_number()) {
    text += ", " + FormatDuration(left_s) + " left";
  }
  if (const std::string note = doing.value("note", ""); !note.empty()) text += ", " + note;
  return text;
}

void PrintStatus(const Json& status) {
  std::printf("%s\n\n", DoingText(status).c_str());
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
      const Json status = RunStatus(*run);
      if (*json) {
        std::printf("%s\n", status.dump(1).c_str());
      } else {
        PrintStatus(status);
      }
    });
  });
}

}  // namespace hot
