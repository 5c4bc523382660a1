// How well a search's score of a network, made before any candidate is trained, ranks networks that were really
// trained: search.quality macs v distill. Networks of the study's first width, drawn at random, one from each of N
// equal steps of log MACs between half and twice the baseline's, are trained with the study's recipe (its first
// hyper-parameters), from what the study's networks start from and with its seed. All of it lies in the study's run
// folder and is taken up again by the same command. Last line: JSON. Usage: hot_bench_quality [--networks=N] [--truth |
// --scores] STUDY [KEY=VALUE]...; --truth only trains the networks,
// --scores takes those that are trained and no more.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "core/correlation.h"
#include "deploy/toolchain.h"
#include "graph/costs.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "pipeline/distilled.h"
#include "pipeline/networks.h"
#include "pipeline/scoring.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"
#include "pipeline/train_progress.h"
#include "pipeline/trial_folder.h"
#include "pipeline/trial_search.h"
#include "pipeline/trial_space.h"
#include "tune/sampler.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  size_t networks = 12;
  bool truth = false, scores = false;
  std::string study;
  std::vector<std::string> overrides;
};

struct Trained {
  StudyNetwork network;
  double mega_macs = 0;
  TrialSpec spec;
  fs::path folder;
};

double MegaMacs(const Workspace& workspace, const StudyNetwork& network) {
  return static_cast<double>(ComputeCosts(GraphOf(workspace, network.width, network.choices), Precision::kFp32).macs) *
         1e-6;
}

StudyNetwork MakeNetwork(const Workspace& workspace, double width, std::vector<Choice> choices) {
  StudyNetwork network{.id = NetworkId(workspace, width, choices), .width = width};
  network.choices = std::move(choices);
  return network;
}

// A network with its MACs: sums of the table's rows.
struct Drawn {
  std::vector<Choice> choices;
  int64_t macs = 0;
};

Drawn Draw(const LookupTable& table, std::mt19937_64& random) {
  Drawn drawn;
  for (const TableRow& row : table.fixed) drawn.macs += row.macs;
  for (const auto& rows : table.slots) {
    const TableRow& row = rows[random() % rows.size()];  // the same on every machine, other than std's distributions
    drawn.choices.push_back(row.choice);
    drawn.macs += row.macs;
  }
  return drawn;
}

// One network a step of log MACs, in the order in which they were drawn; fewer where the space has none.
std::vector<StudyNetwork> DrawNetworks(const Workspace& workspace, size_t count, double baseline_mega_macs) {
  constexpr int kDraws = 2'000'000;
  const double width = workspace.study().model.width.front();
  const LookupTable table = PlanTable(workspace, width, Precision::kFp32).table;
  std::mt19937_64 random(1);
  std::vector<bool> taken(count, false);
  std::vector<StudyNetwork> networks;
  for (int draw = 0; draw < kDraws && networks.size() < count; ++draw) {
    Drawn drawn = Draw(table, random);
    const double doublings = std::log2(static_cast<double>(drawn.macs) * 1e-6 / baseline_mega_macs);
    const double place = (doublings + 1) / 2 * static_cast<double>(count);
    if (place < 0 || place >= static_cast<double>(count) || taken[static_cast<size_t>(place)]) continue;
    taken[static_cast<size_t>(place)] = true;
    networks.push_back(MakeNetwork(workspace, width, std::move(drawn.choices)));
  }
  return networks;
}

std::vector<Trained> PlanTruth(const Workspace& workspace, size_t count) {
  const double width = workspace.study().model.width.front();
  const HyperSpace space = StudySpace(workspace.study());
  const HyperPoint point = StudySampler(workspace.study())->Suggest({.space = space});
  StudyNetwork baseline = MakeNetwork(workspace, width, BaselineChoices(workspace.backbone(), width, Precision::kFp32));
  std::vector<StudyNetwork> networks = DrawNetworks(workspace, count, MegaMacs(workspace, baseline));
  networks.insert(networks.begin(), std::move(baseline));
  std::vector<Trained> plan;
  for (const StudyNetwork& network : networks) {
    Trained trained{.network = network, .mega_macs = MegaMacs(workspace, network)};
    trained.spec = MakeTrial(workspace, network, point);
    trained.folder = workspace.folder() / "truth" / trained.spec.id;
    plan.push_back(std::move(trained));
  }
  return plan;
}

void TrainAll(const Workspace& workspace, const std::vector<Trained>& plan) {
  const auto executor = StudyExecutor(workspace.study());
  size_t open = 0;
  for (const Trained& trained : plan) {
    if (FinishedTrial(trained.folder, trained.spec)) continue;
    PrepareTrialFolder(trained.folder, trained.spec);
    executor->Start({.folder = trained.folder});
    ++open;
  }
  double total = 0;
  for (const Trained& trained : plan) total += trained.mega_macs * trained.spec.epochs;
  const Context& context = workspace.context();
  context.progress.Begin("truth", total);
  while (open > 0) {
    context.ThrowIfCancelled();
    double done = 0;
    for (const Trained& trained : plan) done += trained.mega_macs * FinishedEpochs(trained.folder);
    context.progress.Update(done, std::to_string(plan.size() - open) + " networks trained");
    for (const TrialOutcome& outcome : executor->Poll()) {
      if (!outcome.done) context.progress.Note(outcome.folder.string() + ": " + outcome.error);
      --open;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  context.progress.End(std::to_string(plan.size()) + " networks");
}

struct Rated {
  double macs = 0, distill = 0;  // scores before training
  double val = 0, both = 0;      // accuracy: on the validation pictures, and on those and the test pictures
};

// The trained network on the given pictures, in fp32 on this machine.
std::vector<ScoredPicture> Detect(const Workspace& workspace, const Trained& trained, const Dataset& pictures) {
  const Network network = FoldBatchNorm(TrialGraph(trained.spec, workspace.task(), Purpose::kShipping),
                                        ReadSafetensors(trained.folder / "weights.safetensors"));
  const Artifact artifact = MakeToolchain("openvino")->Compile({.network = network, .timing_only = true});
  const auto session = MakeDevice("host", 1)->Load(artifact);
  return DetectPictures(*session, workspace.task(), pictures, TaskPreprocessing(trained.spec.task));
}

// With both scores of every choice.
LookupTable ScoredTable(const Workspace& workspace) {
  std::vector<LookupTable> tables{PlanTable(workspace, workspace.study().model.width.front(), Precision::kFp32).table};
  AddQuality(workspace, tables);
  return tables.front();
}

std::vector<Rated> Rate(const Workspace& workspace, const std::vector<Trained>& plan) {
  const LookupTable table = ScoredTable(workspace);
  const Dataset test = ReadDataset(workspace.TestSource());
  const Dataset val = LoadTrialData(plan.front().spec).val_pictures;
  std::vector<Rated> all;
  std::printf("%-14s %8s %8s %8s %10s\n", "network", "M MACs", "distill", "val", "val + test");
  for (const Trained& trained : plan) {
    if (!FinishedTrial(trained.folder, trained.spec)) continue;
    const Candidate scored = Predict(table, trained.network.choices, {});
    if (!scored.quality) continue;  // a choice that did not learn
    std::vector<ScoredPicture> pictures = Detect(workspace, trained, val);
    Rated rated{.macs = trained.mega_macs, .distill = *scored.quality};
    rated.val = Score(pictures, trained.spec.score);
    for (ScoredPicture& picture : Detect(workspace, trained, test)) pictures.push_back(std::move(picture));
    rated.both = Score(pictures, trained.spec.score);
    std::printf("%-14s %8.1f %8.4f %8.4f %10.4f\n", trained.network.id.c_str(), rated.macs, rated.distill, rated.val,
                rated.both);
    std::fflush(stdout);
    all.push_back(rated);
  }
  return all;
}

Json Agreement(const std::vector<Rated>& all, double Rated::*score, double Rated::*accuracy) {
  std::vector<double> scores, accuracies;
  for (const Rated& one : all) {
    scores.push_back(one.*score);
    accuracies.push_back(one.*accuracy);
  }
  return {{"pearson", Pearson(scores, accuracies)}, {"kendall", KendallTau(scores, accuracies)}};
}

void Report(const std::vector<Rated>& all) {
  Json json{{"bench", "quality"}, {"networks", all.size()}};
  for (const auto& [name, accuracy] : {std::pair("val", &Rated::val), std::pair("val_and_test", &Rated::both)}) {
    json[name] = {{"macs", Agreement(all, &Rated::macs, accuracy)},
                  {"distill", Agreement(all, &Rated::distill, accuracy)}};
    for (const char* score : {"macs", "distill"}) {
      const Json& agreement = json[name][score];
      std::printf("%-14s %-8s Pearson %6.3f, Kendall tau %6.3f\n", name, score, agreement["pearson"].get<double>(),
                  agreement["kendall"].get<double>());
    }
  }
  json["ours"] = json["val"]["distill"]["kendall"];
  json["peer"] = json["val"]["macs"]["kendall"];
  json["ratio"] = json["ours"].get<double>() / json["peer"].get<double>();
  json["better"] = json["ours"] > json["peer"] ? "distill" : "macs";
  std::printf("%s\n", json.dump().c_str());
}

void Run(const Options& options) {
  const auto progress = MakeTerminalProgress(SystemClock());
  const std::atomic<bool> cancelled = false;
  const Context context{SystemClock(), *progress, cancelled};
  Study study = ReadStudy(options.study, options.overrides);
  study.search.quality = "distill";
  Workspace workspace(std::move(study), context);
  const std::vector<Trained> plan = PlanTruth(workspace, options.networks);
  if (!options.scores) TrainAll(workspace, plan);
  if (options.truth) return;
  context.progress.Begin("distill", 0);
  context.progress.End(RunDistill(workspace));
  Report(Rate(workspace, plan));
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  hot::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--networks=")) {
      options.networks = static_cast<size_t>(std::clamp(std::atoi(argument.c_str() + 11), 2, 1000));
    } else if (argument == "--truth") {
      options.truth = true;
    } else if (argument == "--scores") {
      options.scores = true;
    } else if (options.study.empty()) {
      options.study = argument;
    } else {
      options.overrides.push_back(argument);
    }
  }
  if (options.study.empty()) {
    std::fprintf(stderr, "usage: scripts/bench quality [--networks=N] [--truth | --scores] STUDY [KEY=VALUE]...\n");
    return 2;
  }
  try {
    hot::Run(options);
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
