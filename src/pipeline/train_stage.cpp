// Stage train: the baseline and every candidate, each over the whole hyper-parameter grid, trials in parallel
// processes.
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "pipeline/executors/executor.h"
#include "pipeline/networks.h"
#include "pipeline/stages.h"
#include "tune/grid.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

struct Trial {
  std::string name;
  size_t network = 0;
  TrialSpec spec;
};

// A cosine schedule has no gamma.
std::vector<GridPoint> Points(const Study::Train& train) {
  if (train.schedule == "cosine") return Grid({{"lr", train.hpo.lr}});
  return Grid({{"lr", train.hpo.lr}, {"gamma", train.hpo.gamma}});
}

std::vector<Trial> MakeTrials(const Workspace& workspace, const std::vector<StudyNetwork>& networks) {
  std::vector<Trial> trials;
  for (const GridPoint& point : Points(workspace.study().train)) {  // every network once before a second round
    for (size_t i = 0; i < networks.size(); ++i) {
      Trial trial{.name = networks[i].id + "-" + point.Name(), .network = i, .spec = workspace.TrialTemplate()};
      trial.spec.id = trial.name;
      trial.spec.width = networks[i].width;
      for (const Choice& choice : networks[i].choices) trial.spec.slots.push_back(choice.Name());
      trial.spec.lr = point.values.at("lr");
      if (point.values.contains("gamma")) trial.spec.gamma = point.values.at("gamma");
      trials.push_back(std::move(trial));
    }
  }
  return trials;
}

fs::path TrialFolder(const Workspace& workspace, const std::string& name) {
  return workspace.folder() / "trials" / name;
}

// Compares what the file means, so that one of an older version, without the newest keys, stays good.
bool IsTrial(const fs::path& file, const std::string& text) {
  try {
    return fs::exists(file) && ToJson(ReadTrial(file)) + "\n" == text;
  } catch (const Error&) {
    return false;
  }
}

// A trial.json that says something else belongs to an older study file: its folder is made anew.
void PrepareFolder(const Workspace& workspace, const Trial& trial) {
  const fs::path folder = TrialFolder(workspace, trial.name);
  const std::string text = ToJson(trial.spec) + "\n";
  const fs::path file = folder / "trial.json";
  if (IsTrial(file, text)) return;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  EnsureFolder(folder);
  WriteFileAtomic(file, text);
}

// Epochs written so far; the file grows by one line an epoch.
int FinishedEpochs(const fs::path& folder) {
  std::ifstream lines(folder / "epochs.jsonl");
  return static_cast<int>(std::count(std::istreambuf_iterator<char>(lines), std::istreambuf_iterator<char>(), '\n'));
}

Json TrialJson(const Workspace& workspace, const Trial& trial, const TrialOutcome& outcome) {
  Json json{{"trial", trial.name}, {"lr", trial.spec.lr}, {"gamma", trial.spec.gamma}};
  if (!outcome.done) {
    json["state"] = "failed";
    json["error"] = outcome.error;
    return json;
  }
  const TrialResult result = ReadTrialResult(TrialFolder(workspace, trial.name) / "result.json");
  json["val_score"] = result.val_score;
  json["train_loss"] = result.train_loss;
  json["epochs"] = result.epochs;
  json["seconds"] = result.seconds;
  json["cpu_seconds"] = result.cpu_seconds ? Json(*result.cpu_seconds) : Json();
  json["state"] = "done";
  json["error"] = "";
  return json;
}

// The best finished trial by validation score; the first of equals. Empty when none finished.
std::string BestTrial(const Json& trials) {
  std::string best;
  double best_score = -1;
  for (const Json& trial : trials) {
    if (trial.at("state") == "done" && trial.at("val_score").get<double>() > best_score) {
      best_score = trial.at("val_score");
      best = trial.at("trial");
    }
  }
  return best;
}

std::vector<TrialOutcome> RunTrials(Workspace& workspace, const std::vector<Trial>& trials) {
  std::vector<TrialOutcome> outcomes(trials.size());
  std::vector<fs::path> folders, open;
  std::vector<size_t> open_index;
  for (size_t i = 0; i < trials.size(); ++i) {
    PrepareFolder(workspace, trials[i]);
    folders.push_back(TrialFolder(workspace, trials[i].name));
    outcomes[i] = {.folder = folders[i], .done = fs::exists(folders[i] / "result.json"), .error = ""};
    if (outcomes[i].done) continue;
    open.push_back(folders[i]);
    open_index.push_back(i);
  }
  const Context& context = workspace.context();
  const int epochs = trials[0].spec.epochs;
  context.progress.Begin("train", static_cast<double>(trials.size()) * epochs);
  const auto tick = [&] {
    double done = 0;
    size_t finished = 0;
    for (const fs::path& folder : folders) {
      const int so_far = fs::exists(folder / "result.json") ? epochs : FinishedEpochs(folder);  // or stopped early
      done += so_far;
      finished += so_far >= epochs ? 1 : 0;
    }
    context.progress.Update(done,
                            std::to_string(finished) + " of " + std::to_string(folders.size()) + " trainings finished");
  };
  auto executor = MakeExecutor(workspace.study().run.executor, static_cast<int>(workspace.study().run.workers));
  const auto ran = executor->Run(open, tick, context);
  for (size_t i = 0; i < ran.size(); ++i) outcomes[open_index[i]] = ran[i];
  return outcomes;
}

}  // namespace

std::string TrainInputs(const Workspace& workspace) {
  return FileKey(workspace, "verify.json") + StudySectionJson(workspace.study(), "train") +
         StudySectionJson(workspace.study(), "data") + StudySectionJson(workspace.study(), "model") +
         std::to_string(workspace.study().search.train_candidates) + " " + std::to_string(workspace.study().run.seed) +
         " " + workspace.pretrained_key();
}

std::string RunTrain(Workspace& workspace) {
  const std::vector<StudyNetwork> networks = StudyNetworks(workspace, /*trained_only=*/true);
  const std::vector<Trial> trials = MakeTrials(workspace, networks);
  const std::vector<TrialOutcome> outcomes = RunTrials(workspace, trials);
  Json list = Json::array();
  int failed = 0;
  for (size_t i = 0; i < networks.size(); ++i) {
    Json network{
        {"id", networks[i].id}, {"role", networks[i].baseline ? "baseline" : "candidate"}, {"trials", Json::array()}};
    for (size_t t = 0; t < trials.size(); ++t) {
      if (trials[t].network == i) network["trials"].push_back(TrialJson(workspace, trials[t], outcomes[t]));
    }
    network["best"] = BestTrial(network["trials"]);
    if (network["best"] == "" && networks[i].baseline) {
      throw Error(outcomes[0].exit_code == 2 ? Code::kInvalidArgument : Code::kUnknown,
                  TrialFolder(workspace, trials[0].name).string(),
                  "the baseline could not be trained: " + outcomes[0].error, "see log.txt there");
    }
    list.push_back(network);
  }
  for (const TrialOutcome& outcome : outcomes) {
    if (outcome.done) continue;
    ++failed;
    workspace.context().progress.Note("warning: " + outcome.folder.filename().string() + ": " + outcome.error);
  }
  WriteRunJson(workspace, "train.json",
               {{"version", 1}, {"metric", workspace.study().train.metric}, {"networks", list}});
  return std::to_string(networks.size()) + " networks, " + std::to_string(trials.size() - static_cast<size_t>(failed)) +
         " of " + std::to_string(trials.size()) + " trainings finished";
}

}  // namespace hot
