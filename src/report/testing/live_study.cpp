#include "report/testing/live_study.h"

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/testing/fixture.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kEpochs = 150;  // of the made-up trainings

}  // namespace

LiveStudy::LiveStudy(const fs::path& run_folder) : folder_(run_folder) {
  WriteFixtureRun(finished_.path());
  const Json networks = Json::parse(ReadFile(finished_.path() / "train.json")).at("networks");
  for (const Json& network : networks) {
    networks_.push_back(network.at("id"));
    trials_.push_back(network.at("best"));
  }
  EnsureFolder(folder_ / "stages");
  Take("study.json");
}

void LiveStudy::Take(const fs::path& file) {
  EnsureFolder((folder_ / file).parent_path());
  fs::copy(finished_.path() / file, folder_ / file, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

void LiveStudy::Start() { worker_ = std::make_unique<Worker>(folder_, *silent_, clock_); }

void LiveStudy::Kill() { worker_.reset(); }

void LiveStudy::Begin(const std::string& stage, double total, double done, const std::string& note) {
  RunProgress& progress = worker_->progress;
  progress.Begin(stage, total);
  clock_.seconds += 3;
  progress.Update(0, note);
  clock_.seconds += 3;
  progress.Update(done, note);
}

void LiveStudy::Finish(const std::string& stage) {
  static const std::map<std::string, std::vector<const char*>> kFiles{
      {"profile", {"table.json"}},
      {"search", {"distill.json", "search.json"}},
      {"verify", {"verify.json"}},
      {"train", {"train.json", "trials"}},
      {"quantize", {"quantize.json"}},
      {"compile", {"artifacts"}},
      {"evaluate", {"evaluation.json", "samples", "samples.json"}}};
  for (const char* file : kFiles.at(stage)) Take(file);
  Take("stages/" + stage + ".json");
  worker_->progress.Begin(stage, 0);
  worker_->progress.End("");
}

void LiveStudy::Train(int epoch) {
  Json trials = Json::array();
  for (const size_t i : {size_t{0}, size_t{1}}) {
    trials.push_back({{"trial", trials_.at(i)},
                      {"network", networks_.at(i)},
                      {"state", i == 0 ? "finished" : "running"},
                      {"epochs", i == 0 ? kEpochs : 0},
                      {"of", kEpochs},
                      {"val_score", i == 0 ? Json(0.52) : Json()}});
    std::istringstream all(ReadFile(finished_.path() / "trials" / trials_.at(i) / "epochs.jsonl"));
    std::string lines, line;
    for (int k = 0; k < (i == 0 ? kEpochs : epoch) && std::getline(all, line); ++k) lines += line + "\n";
    EnsureFolder(folder_ / "trials" / trials_.at(i));
    WriteFileAtomic(folder_ / "trials" / trials_.at(i) / "epochs.jsonl", lines);
  }
  WriteFileAtomic(folder_ / "train_progress.json", Json{{"version", 1},
                                                        {"elapsed_s", 100.0},
                                                        {"left_s", 310.0},
                                                        {"epochs", kEpochs + epoch},
                                                        {"begun", 2},
                                                        {"of", 9},
                                                        {"best", trials.at(0)},
                                                        {"trials", trials},
                                                        {"fine_tunings", Json::array()}}
                                                       .dump());
}

}  // namespace hot
