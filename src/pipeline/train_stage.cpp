// Stage train: the baseline and the candidates, with the study's hyper-parameter search over all of them. What to train
// next is decided in TrialSearch (src/tune); an executor trains.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/hash.h"
#include "pipeline/distilled.h"
#include "pipeline/stages.h"
#include "pipeline/train_progress.h"
#include "tune/space_json.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr double kShowEvery_s = 1;

// Shows and writes down how far the search is, once a second.
class ProgressWriter {
 public:
  ProgressWriter(const Workspace& workspace, const TrialSearch& search) : workspace_(workspace), search_(search) {
    workspace.context().progress.Begin("train", 1);
  }
  void Tick() {
    if (last_s_ && search_.elapsed_s() - *last_s_ < kShowEvery_s) return;
    last_s_ = search_.elapsed_s();
    Write();
  }
  void Write() const {
    const Json progress = TrainProgressJson(search_);
    WriteRunJson(workspace_, "train_progress.json", progress);
    workspace_.context().progress.Update(TrainProgressShare(progress), TrainProgressText(progress));
  }

 private:
  const Workspace& workspace_;
  const TrialSearch& search_;
  std::optional<double> last_s_;
};

void RunSearch(const Workspace& workspace, TrialSearch& search, Executor& executor) {
  ProgressWriter progress(workspace, search);
  while (true) {
    workspace.context().ThrowIfCancelled();  // ~Executor ends the trainings; their checkpoints stay
    while (const auto job = search.Next()) executor.Start(*job);
    if (search.done()) break;
    progress.Tick();
    for (const TrialOutcome& outcome : executor.Poll()) search.Finish(outcome);
    std::this_thread::sleep_for(kPollInterval);
  }
  progress.Write();
}

Json TrialJson(const TrialSearch& search, size_t index) {
  const SearchedTrial& trial = search.trials()[index];
  Json json{{"trial", trial.spec.id},    {"point", ToJson(trial.point)},       {"lr", trial.spec.lr},
            {"gamma", trial.spec.gamma}, {"state", TrialState(search, index)}, {"error", trial.error}};
  if (json["state"] == "finished") json["state"] = "done";
  if (trial.result) {
    json["val_score"] = trial.result->val_score;
    json["train_loss"] = trial.result->train_loss;
    json["epochs"] = trial.result->epochs;
    json["seconds"] = trial.result->seconds;
    json["cpu_seconds"] = trial.result->cpu_seconds ? Json(*trial.result->cpu_seconds) : Json();
  }
  return json;
}

// The best trial that was trained to the end, by validation score; the first of equals. Empty when none was.
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

[[noreturn]] void BaselineFailed(const TrialSearch& search) {
  const auto& trials = search.trials();
  const auto failed = std::ranges::find_if(trials, [&](const SearchedTrial& trial) {
    return search.networks()[trial.network].baseline && !trial.error.empty();
  });
  HOT_ASSERT(failed != trials.end());
  throw Error(failed->exit_code == 2 ? Code::kInvalidArgument : Code::kUnknown, search.FolderOf(*failed).string(),
              "the baseline could not be trained: " + failed->error, "see log.txt there");
}

Json NetworkJson(const Workspace& workspace, const TrialSearch& search, const StudyNetwork& network) {
  const auto trained = std::ranges::find(search.networks(), TrainedId(workspace, network), &StudyNetwork::id);
  const auto index = static_cast<size_t>(trained - search.networks().begin());
  Json json{{"id", network.id}, {"role", network.baseline ? "baseline" : "candidate"}, {"trials", Json::array()}};
  for (size_t t = 0; t < search.trials().size(); ++t) {
    if (search.trials()[t].network == index) json["trials"].push_back(TrialJson(search, t));
  }
  json["best"] = BestTrial(json["trials"]);
  if (json["best"] == "" && network.baseline) BaselineFailed(search);
  return json;
}

std::string SearchKey(const Workspace& workspace) {
  return Sha256Hex(TrainInputs(workspace) + fs::absolute(workspace.folder()).lexically_normal().string());
}

}  // namespace

void CheckTraining(const Study& study) {
  StudySampler(study);
  StudyExecutor(study);
}

std::string TrainInputs(const Workspace& workspace) {
  const std::string start = Distills(workspace.study()) ? FileKey(workspace, "distill.json") : "";
  return FileKey(workspace, "verify.json") + start + StudySectionJson(workspace.study(), "train") +
         StudySectionJson(workspace.study(), "data") + StudySectionJson(workspace.study(), "model") +
         std::to_string(workspace.study().search.train_candidates) + " " + std::to_string(workspace.study().run.seed) +
         " " + std::to_string(workspace.study().run.threads) + " " + workspace.pretrained_key() +
         workspace.backbone_key();
}

std::string RunTrain(Workspace& workspace) {
  const auto executor = StudyExecutor(workspace.study());
  const std::vector<StudyNetwork> networks = StudyNetworks(workspace, /*trained_only=*/true);
  TrialSearch search(workspace, TrainedOnce(workspace, networks), executor->capacity(), SearchKey(workspace));
  RunSearch(workspace, search, *executor);
  Json list = Json::array();
  for (const StudyNetwork& network : networks) list.push_back(NetworkJson(workspace, search, network));
  for (const SearchedTrial& trial : search.trials()) {
    if (!trial.error.empty()) workspace.context().progress.Note("warning: " + trial.spec.id + ": " + trial.error);
  }
  WriteRunJson(workspace, "train.json",
               {{"version", 1},
                {"metric", workspace.study().train.metric},
                {"predicted", PredictedName(workspace.task().predicted())},
                {"networks", list}});
  return std::to_string(search.networks().size()) + " networks, " + TrainProgressText(TrainProgressJson(search));
}

}  // namespace hot
