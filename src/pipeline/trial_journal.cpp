#include "pipeline/trial_journal.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/read_json.h"
#include "tune/space_json.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char *kSearch = "search", *kStep = "step", *kTrial = "trial";

Json StepJson(const JournalStep& s) {
  return {{"version", 1},         {"step", s.step.number},     {"trial", s.trial},        {"number", s.step.trial},
          {"network", s.network}, {"point", ToJson(s.point)},  {"rung", s.step.rung},     {"epochs", s.epochs},
          {"seen", s.step.seen},  {"closing", s.step.closing}, {"elapsed_s", s.elapsed_s}};
}

JournalStep StepFrom(const Json& json) {
  JournalStep s;
  s.step = {.number = WholeNumber<size_t>(json.at("step")),
            .trial = WholeNumber<size_t>(json.at("number")),
            .rung = WholeNumber<size_t>(json.at("rung")),
            .seen = WholeNumber<size_t>(json.at("seen")),
            .closing = json.at("closing")};
  s.trial = json.at("trial");
  s.network = json.at("network");
  s.point = PointFromJson(json.at("point"));
  s.epochs = WholeNumber<int>(json.at("epochs"));
  s.elapsed_s = json.at("elapsed_s");
  return s;
}

JournalResult ResultFrom(const Json& json, int64_t created) {
  JournalResult r;
  r.trial = json.at("trial");
  r.epochs = WholeNumber<int>(json.at("epochs"));
  r.state = json.at("state");
  r.result = {.val_score = json.at("val_score"),
              .train_loss = json.at("train_loss"),
              .epochs = r.epochs,
              .seconds = json.at("seconds")};
  r.error = json.at("error");
  r.elapsed_s = json.at("elapsed_s");
  r.created = created;
  return r;
}

JournalSearch SearchFrom(const Json& json, const std::string& key) {
  JournalSearch search{.key = key, .method = json.at("method"), .metric = json.at("metric")};
  search.space = SpaceFromJson(json.at("space"));
  search.networks = json.at("networks").get<std::vector<std::string>>();
  for (const Json& rung : json.at("rungs")) search.rungs.push_back(WholeNumber<int>(rung));
  if (search.networks.empty() || search.rungs.empty()) {
    throw Error(Code::kDataLoss, "", "a search over no networks or rungs");
  }
  return search;
}

// Records come from other people's journals, too.
[[noreturn]] void Broken(const RecordRow& row, const std::string& why) {
  throw Error(Code::kDataLoss, "journal", "record " + std::to_string(row.id) + " (" + row.kind + ") is broken: " + why);
}

// What this version can't read is no row of ours: an older or newer one of the same kind, left alone.
Json Body(const RecordRow& row) {
  Json json = ParseShallow<Json>(
      row.body, kMaxRecordDepth, [&] { Broken(row, "nested too deep"); }, /*allow_exceptions=*/false);
  return json.is_object() && json.value("version", Json()) == 1 ? json : Json();
}

template <typename Read>
auto FromRecord(const RecordRow& row, Read&& read) {
  try {
    return read();
  } catch (const std::exception& error) {  // nlohmann's and ours
    Broken(row, error.what());
  }
}

}  // namespace

void TrialJournal::AddSearch(const JournalSearch& search) {
  if (store_.FindRecord(kSearch, search.key)) return;
  const Json json{{"version", 1},
                  {"method", search.method},
                  {"metric", search.metric},
                  {"space", ToJson(std::span<const HyperParameter>(search.space))},
                  {"networks", search.networks},
                  {"rungs", search.rungs}};
  store_.AddRecord(
      {.kind = kSearch, .key = search.key, .study = study_, .body = json.dump(), .created = clock_.WallSeconds()});
}

void TrialJournal::AddStep(const std::string& search_key, const JournalStep& step) {
  store_.AddRecord({.kind = kStep,
                    .key = search_key,
                    .study = study_,
                    .body = StepJson(step).dump(),
                    .created = clock_.WallSeconds()});
}

void TrialJournal::AddResult(const std::string& trial_key, const std::string& search_key, const JournalResult& r) {
  const Json json{{"version", 1},
                  {"search", search_key},
                  {"trial", r.trial},
                  {"epochs", r.epochs},
                  {"state", r.state},
                  {"val_score", r.result.val_score},
                  {"train_loss", r.result.train_loss},
                  {"seconds", r.result.seconds},
                  {"error", r.error},
                  {"elapsed_s", r.elapsed_s}};
  store_.AddRecord(
      {.kind = kTrial, .key = trial_key, .study = study_, .body = json.dump(), .created = clock_.WallSeconds()});
}

std::vector<JournalSearch> TrialJournal::Searches() const {
  std::vector<JournalSearch> searches;
  for (const RecordRow& row : store_.Records(study_)) {
    const Json json = row.kind == kSearch ? Body(row) : Json();
    if (!json.is_null()) searches.push_back(FromRecord(row, [&] { return SearchFrom(json, row.key); }));
  }
  return searches;
}

std::vector<JournalStep> TrialJournal::Steps(const std::string& search_key) const {
  std::map<size_t, JournalStep> by_number;
  for (const RecordRow& row : store_.Records(study_)) {
    const Json json = row.kind == kStep && row.key == search_key ? Body(row) : Json();
    if (json.is_null()) continue;
    const JournalStep step = FromRecord(row, [&] { return StepFrom(json); });
    by_number[step.step.number] = step;
  }
  std::vector<JournalStep> steps;
  for (auto& [number, step] : by_number) {
    if (number != steps.size()) break;
    steps.push_back(std::move(step));
  }
  return steps;
}

std::optional<JournalResult> TrialJournal::FindResult(const std::string& trial_key) const {
  const auto row = store_.FindRecord(kTrial, trial_key);
  const Json json = row ? Body(*row) : Json();
  if (json.is_null() || !json.contains("epochs")) return std::nullopt;
  return FromRecord(*row, [&] { return ResultFrom(json, row->created); });
}

std::vector<JournalResult> TrialJournal::Results(const std::string& search_key) const {
  std::map<std::pair<std::string, int>, JournalResult> newest;
  for (const RecordRow& row : store_.Records(study_)) {
    const Json json = row.kind == kTrial ? Body(row) : Json();
    if (json.is_null() || json.value("search", Json()) != search_key) continue;
    const JournalResult result = FromRecord(row, [&] { return ResultFrom(json, row.created); });
    newest[{result.trial, result.epochs}] = result;
  }
  std::vector<JournalResult> results;
  for (auto& [key, result] : newest) results.push_back(std::move(result));
  return results;
}

}  // namespace hot
