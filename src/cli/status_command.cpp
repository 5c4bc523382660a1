// hot status RUN: which stages are finished and how far the trainings are; reads only, works beside a running study.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/files.h"
#include "pipeline/stage.h"

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
    Json entry{{"stage", stage.name}, {"finished", fs::exists(manifest)}};
    if (fs::exists(manifest)) entry["summary"] = Field<std::string>(ReadObject(manifest), "summary", "");
    stages.push_back(entry);
  }
  return stages;
}

Json TrialsStatus(const fs::path& run) {
  Json trials = Json::array();
  if (!fs::exists(run / "trials")) return trials;
  for (const auto& folder : fs::directory_iterator(run / "trials")) {
    if (!fs::exists(folder.path() / "trial.json")) continue;
    std::ifstream lines(folder.path() / "epochs.jsonl");
    const auto epochs = std::count(std::istreambuf_iterator<char>(lines), std::istreambuf_iterator<char>(), '\n');
    const Json trial = ReadObject(folder.path() / "trial.json");
    trials.push_back({{"trial", folder.path().filename().string()},
                      {"epochs", epochs},
                      {"of", Field<uint64_t>(trial, "epochs", 0)},
                      {"finished", fs::exists(folder.path() / "result.json")}});
  }
  std::sort(trials.begin(), trials.end(), [](const Json& a, const Json& b) { return a["trial"] < b["trial"]; });
  return trials;
}

void PrintStatus(const Json& status) {
  for (const Json& stage : status["stages"]) {
    const std::string summary = stage.value("summary", stage["finished"].get<bool>() ? "done" : "-");
    std::printf("%-9s %s\n", stage["stage"].get<std::string>().c_str(), summary.c_str());
  }
  for (const Json& trial : status["trials"]) {
    std::printf("  %-40s %4d of %d epochs%s\n", trial["trial"].get<std::string>().c_str(), trial["epochs"].get<int>(),
                trial["of"].get<int>(), trial["finished"].get<bool>() ? ", finished" : "");
  }
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
      const Json status{{"version", 1}, {"stages", StagesStatus(*run)}, {"trials", TrialsStatus(*run)}};
      if (*json) {
        std::printf("%s\n", status.dump(1).c_str());
      } else {
        PrintStatus(status);
      }
    });
  });
}

}  // namespace hot
