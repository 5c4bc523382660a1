#include "pipeline/train_progress.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStates[] = {"running", "finished", "paused", "pruned", "failed"};

Json TrialJson(const TrialSearch& search, size_t index) {
  const SearchedTrial& trial = search.trials()[index];
  Json json{{"trial", trial.spec.id},
            {"network", search.networks()[trial.network].id},
            {"state", TrialState(search, index)},
            {"epochs", FinishedEpochs(search.FolderOf(trial))},
            {"of", trial.spec.epochs}};
  if (json["state"] == "finished") json["epochs"] = trial.result->epochs;  // or it stopped early
  json["val_score"] = trial.result ? Json(trial.result->val_score) : Json();
  return json;
}

// Of finished trainings, or while there are none, of those that were compared on the way.
Json BestOf(const Json& trials) {
  Json best;
  for (const bool finished : {true, false}) {
    for (const Json& trial : trials) {
      if (trial["val_score"].is_null() || (finished && trial["state"] != "finished")) continue;
      if (best.is_null() || trial["val_score"] > best["val_score"]) best = trial;
    }
    if (!best.is_null()) break;
  }
  if (best.is_null()) return best;
  return {{"trial", best["trial"]}, {"val_score", best["val_score"]}, {"epochs", best["epochs"]}};
}

// Seconds to the end, by epochs where every training is whole, else by what the scheduler expects; nothing as long as
// there is nothing to go by.
std::optional<double> SecondsLeft(const TrialSearch& search, double trained, double all) {
  if (search.done()) return 0.0;
  const double elapsed_s = search.elapsed_s();
  if (search.scheduler().options().rungs.size() > 1) return search.scheduler().SecondsLeft(elapsed_s);
  if (trained == 0) return std::nullopt;
  return elapsed_s * std::max(0.0, all - trained) / trained;
}

}  // namespace

std::string TrialState(const TrialSearch& search, size_t index) {
  const SearchedTrial& trial = search.trials()[index];
  if (trial.running) return "running";
  if (search.scheduler().trials()[index].failed || !trial.error.empty()) return "failed";
  if (trial.result && search.scheduler().IsFinished(index)) return "finished";
  return search.done() ? "pruned" : "paused";
}

void NoteFineTuning(const Workspace& workspace, const Json& trial) {
  if (!fs::exists(workspace.folder() / "train_progress.json")) return;  // of a run that was begun by an old version
  Json progress = ReadRunJson(workspace, "train_progress.json");
  Json& list = progress["fine_tunings"];
  const auto known =
      std::find_if(list.begin(), list.end(), [&](const Json& t) { return t["trial"] == trial["trial"]; });
  if (known == list.end()) {
    list.push_back(trial);
  } else {
    *known = trial;
  }
  WriteRunJson(workspace, "train_progress.json", progress);
}

int FinishedEpochs(const fs::path& folder) {
  std::ifstream lines(folder / "epochs.jsonl");
  return static_cast<int>(std::count(std::istreambuf_iterator<char>(lines), std::istreambuf_iterator<char>(), '\n'));
}

Json TrainProgressJson(const TrialSearch& search) {
  Json trials = Json::array(), counts = Json::object();
  for (const char* state : kStates) counts[state] = 0;
  double epochs = 0, of = 0;
  for (size_t i = 0; i < search.trials().size(); ++i) {
    trials.push_back(TrialJson(search, i));
    Json& count = counts[trials.back()["state"].get<std::string>()];
    count = count.get<int>() + 1;
    epochs += trials.back()["epochs"].get<double>();
    of += trials.back()["of"].get<double>();
  }
  const size_t expected = std::max(trials.size(), search.expected_trials());
  const double all = trials.empty() ? 0 : of * static_cast<double>(expected) / static_cast<double>(trials.size());
  const auto left_s = SecondsLeft(search, epochs, all);
  return {{"version", 1},
          {"elapsed_s", search.elapsed_s()},
          {"left_s", left_s ? Json(*left_s) : Json()},
          {"epochs", epochs},
          {"begun", trials.size()},
          {"of", expected},
          {"states", counts},
          {"best", BestOf(trials)},
          {"trials", trials},
          {"fine_tunings", Json::array()}};
}

std::string TrainProgressText(const Json& progress) {
  std::string text = std::to_string(progress.at("begun").get<int>()) + " of " +
                     std::to_string(progress.at("of").get<int>()) + " trainings begun";
  const char* separator = ": ";
  for (const auto& [state, count] : progress.at("states").items()) {
    if (count == 0) continue;
    text += separator + std::to_string(count.get<int>()) + " " + state;
    separator = ", ";
  }
  if (progress.at("best").is_null()) return text;
  char best[32];
  std::snprintf(best, sizeof best, "; best %.3f", progress.at("best").at("val_score").get<double>());
  return text + best;
}

double TrainProgressShare(const Json& progress) {
  const double elapsed_s = progress.at("elapsed_s");
  if (progress.at("left_s").is_null() || elapsed_s <= 0) return 0;
  return elapsed_s / (elapsed_s + progress.at("left_s").get<double>());
}

}  // namespace hot
