#include "pipeline/journal_export.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/bridge.h"
#include "pipeline/trial_journal.h"
#include "tune/space_json.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

struct Trial {
  std::string network, name;
  HyperPoint point;
  int last_asked = 0;  // epochs of its newest step
  std::map<int, JournalResult> results;
};

std::map<size_t, Trial> TrialsOf(const TrialJournal& journal, const std::string& key) {
  std::map<size_t, Trial> trials;
  std::map<std::string, size_t> numbers;
  for (const JournalStep& step : journal.Steps(key)) {
    Trial& trial = trials[step.step.trial];
    trial.network = step.network;
    trial.name = step.trial;
    trial.point = step.point;
    trial.last_asked = step.epochs;
    numbers[step.trial] = step.step.trial;
  }
  for (const JournalResult& result : journal.Results(key)) {
    if (numbers.contains(result.trial)) trials[numbers[result.trial]].results[result.epochs] = result;
  }
  return trials;
}

std::string StateOf(const Trial& trial, int whole) {
  const auto newest = trial.results.find(trial.last_asked);
  if (newest == trial.results.end()) return "RUNNING";
  if (newest->second.state == "diverged") return "FAIL";
  return trial.last_asked == whole ? "COMPLETE" : "PRUNED";
}

Json TrialJson(const Trial& trial, int whole) {
  Json point = ToJson(trial.point), scores = Json::object(), attributes{{"trial", trial.name}};
  point["network"] = trial.network;
  Json json{{"state", StateOf(trial, whole)}, {"value", nullptr}, {"seconds", 0.0}, {"begun", 0}};
  for (const auto& [epochs, result] : trial.results) {
    if (!result.error.empty()) attributes["error"] = result.error;
    json["seconds"] = result.result.seconds;
    json["begun"] = static_cast<double>(result.created) - result.result.seconds;
    if (result.state == "diverged") continue;
    scores[std::to_string(epochs)] = result.result.val_score;
    json["value"] = result.result.val_score;
  }
  json["point"] = point;
  json["scores"] = scores;
  json["attributes"] = attributes;
  return json;
}

Json StudyJson(const TrialJournal& journal, const JournalSearch& search, const std::string& name) {
  HyperSpace space = search.space;
  space.push_back({.name = "network", .choices = {search.networks.begin(), search.networks.end()}});
  Json trials = Json::array();
  for (const auto& [number, trial] : TrialsOf(journal, search.key)) {
    trials.push_back(TrialJson(trial, search.rungs.back()));
  }
  return {{"name", name},
          {"attributes", {{"baseline", search.networks.front()}, {"metric", search.metric}, {"method", search.method}}},
          {"space", ToJson(std::span<const HyperParameter>(space))},
          {"trials", trials}};
}

}  // namespace

JournalOf OpenJournalOf(const std::string& source) {
  if (!fs::is_directory(source)) return {.study = "", .place = source, .store = OpenStore(source, IfMissing::kThrow)};
  const fs::path file = fs::path(source) / "study.json";
  if (!fs::exists(file)) throw Error(Code::kNotFound, source, "is no run folder: it has no study.json");
  const Json study = Json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false);
  const auto text = [&](const char* pointer) {
    const Json value = study.is_object() ? study.value(Json::json_pointer(pointer), Json()) : Json();
    if (!value.is_string()) throw Error(Code::kDataLoss, file.string(), "is broken", "run hot optimize again");
    return value.get<std::string>();
  };
  JournalOf journal{.study = text("/name"), .place = text("/run/journal"), .store = nullptr};
  try {
    journal.store = OpenStore(journal.place, IfMissing::kThrow);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kNotFound, journal.place, "the run's journal is not here",
                "call hot from the folder where the study ran");
  }
  return journal;
}

ExportResult ExportOptuna(const fs::path& run, const fs::path& file, const std::string& format, bool overwrite,
                          const Context& context) {
  if (!fs::is_directory(run)) throw Error(Code::kNotFound, run.string(), "is no run folder");
  const auto [name, place, store] = OpenJournalOf(run.string());
  if (fs::exists(file) && !overwrite) {
    throw Error(Code::kFailedPrecondition, file.string(), "exists already", "--overwrite replaces it");
  }
  const TrialJournal journal(*store, name, context.clock);
  const std::vector<JournalSearch> searches = journal.Searches();
  if (searches.empty()) {
    throw Error(Code::kFailedPrecondition, run.string(), "nothing was trained yet", "hot train STUDY does it");
  }
  ExportResult result;
  Json studies = Json::array();
  for (const JournalSearch& search : searches) {
    const bool newest = &search == &searches.back();
    result.studies.push_back(newest ? name : name + " (before, " + search.key.substr(0, 8) + ")");
    studies.push_back(StudyJson(journal, search, result.studies.back()));
  }
  const Json request{{"file", fs::absolute(file).string()}, {"kind", format}, {"studies", studies}};
  result.trials = Json::parse(Bridge().Call("optuna.export", request.dump())).at("trials");
  return result;
}

}  // namespace hot
