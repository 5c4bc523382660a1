// Stage evaluate: accuracy and latency of the very artifacts that would ship, on the device. The winners are chosen on
// val; test is read once, for evaluation.json.
#include <nlohmann/json.hpp>

#include "graph/costs.h"
#include "pipeline/deployment.h"
#include "pipeline/latencies.h"
#include "pipeline/scoring.h"
#include "pipeline/stages.h"
#include "pipeline/verdict.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

struct Built {
  size_t network = 0;
  Precision precision = Precision::kFp32;
  fs::path folder;
  Artifact artifact;
  Measurement latency;
  std::vector<ScoredPicture> val, test;
};

std::vector<Built> LoadArtifacts(const Workspace& workspace, const std::vector<TrainedNetwork>& networks) {
  std::vector<Built> built;
  for (size_t i = 0; i < networks.size(); ++i) {
    for (Precision precision : BuiltPrecisions(workspace)) {
      const fs::path folder = ArtifactFolder(workspace, networks[i].network.id, precision);
      built.push_back({.network = i,
                       .precision = precision,
                       .folder = folder,
                       .artifact = ReadArtifact(folder),
                       .latency = {},
                       .val = {},
                       .test = {}});
    }
  }
  return built;
}

// An application that wants the scores runs the network so often.
Measurement OfAllPasses(Measurement m, int passes) {
  for (int64_t& sample : m.samples_ns) sample *= passes;
  for (double* value : {&m.median_ns, &m.low_ns, &m.high_ns, &m.raw_median_ns, &m.p90_ns}) *value *= passes;
  return m;
}

void MeasureAll(const Workspace& workspace, std::vector<Built>& built) {
  constexpr size_t kMost = kMostProfiled - kReferenceLoads;
  for (size_t begin = 0; begin < built.size(); begin += kMost) {
    std::vector<const Artifact*> batch;
    for (size_t i = begin; i < std::min(begin + kMost, built.size()); ++i) batch.push_back(&built[i].artifact);
    MeasureOptions options;
    options.min_samples = 64;  // enough for a p90
    const auto measured = ProfileWhole(workspace, batch, options, ReferenceCanaryNs(workspace), workspace.context());
    const int passes = workspace.task().options().passes();
    for (size_t i = 0; i < measured.size(); ++i) built[begin + i].latency = OfAllPasses(measured[i], passes);
  }
}

void DetectAll(const Workspace& workspace, std::vector<Built>& built, const Dataset& val, const Dataset& test) {
  const Context& context = workspace.context();
  context.progress.Begin("evaluate", static_cast<double>(built.size()));
  for (size_t i = 0; i < built.size(); ++i) {
    context.ThrowIfCancelled();
    context.progress.Update(static_cast<double>(i), "accuracy of " + built[i].folder.filename().string());
    const auto session = workspace.device().Load(built[i].artifact);
    built[i].val = DetectPictures(*session, workspace.task(), val, built[i].artifact.preprocessing);
    built[i].test = DetectPictures(*session, workspace.task(), test, built[i].artifact.preprocessing);
  }
}

Json LatencyJson(const Measurement& m, double predicted_ns) {
  return {{"median_ns", m.median_ns}, {"low_ns", m.low_ns},
          {"high_ns", m.high_ns},     {"raw_median_ns", m.raw_median_ns},
          {"p90_ns", m.p90_ns},       {"samples", m.samples_ns.size()},
          {"steady", m.steady},       {"predicted_ns", predicted_ns}};
}

Json KibByMemory(const std::map<std::string, int64_t>& bytes) {
  Json kib = Json::object();
  for (const auto& [memory, count] : bytes) kib[memory] = static_cast<double>(count) / 1024;
  return kib;
}

Json LayersJson(const Artifact& artifact) {
  std::map<std::string, int> counts;
  for (const auto& [layer, precision] : artifact.layer_precisions) ++counts[precision];
  return counts;
}

Json DeviationsJson(const Artifact& artifact) {
  Json list = Json::array();
  for (const OutputDeviation& d : artifact.deviations)
    list.push_back({{"output", d.output},
                    {"max_lsb", d.max_lsb},
                    {"rms_lsb", d.rms_lsb},
                    {"share", d.share},
                    {"noise_lsb", d.noise_lsb}});
  return list;
}

Json ArtifactJson(const Workspace& workspace, const Built& built, const StudyNetwork& network) {
  const ScoreOptions scoring = workspace.Scoring();
  const TaskOptions& task = workspace.task().options();
  const bool predicted = built.precision == workspace.precision();
  return {{"precision", PrecisionName(built.precision)},
          {"sha256", built.artifact.blob_sha256},
          {"bytes", built.artifact.blob.size()},
          {"folder", fs::relative(built.folder, workspace.folder()).string()},
          {"latency", LatencyJson(built.latency, predicted ? network.predicted_ns * task.passes() : 0)},
          {"val", ScoresJson(built.val, scoring, task)},
          {"test", ScoresJson(built.test, scoring, task)},
          {"estimated_peak_kib", KibByMemory(built.artifact.estimate.value_or(Estimate()).peak_bytes)},
          {"planned_kib", KibByMemory(built.artifact.planned_bytes)},
          {"layers", LayersJson(built.artifact)},
          {"deviations", DeviationsJson(built.artifact)}};
}

Json NetworkJson(const Workspace& workspace, const StudyNetwork& network) {
  const Costs costs = ComputeCosts(GraphOf(workspace, network.width, network.choices), workspace.precision());
  Json slots = Json::array();
  for (const Choice& choice : network.choices) slots.push_back(choice.Name());
  return {{"id", network.id},
          {"role", network.baseline ? "baseline" : "candidate"},
          {"objectives", network.objectives},
          {"width", network.width},
          {"slots", slots},
          {"macs", costs.macs},
          {"params", costs.params},
          {"flash_kib", static_cast<double>(costs.weight_bytes) / 1024},
          {"ram_kib", static_cast<double>(costs.peak_activation_bytes) / 1024},
          {"artifacts", Json::array()}};
}

std::vector<Contender> MakeContenders(const Workspace& workspace, const std::vector<TrainedNetwork>& networks,
                                      const std::vector<Built>& built) {
  std::vector<Contender> contenders;
  for (const Built& b : built) {
    if (b.precision != workspace.precision()) continue;
    const StudyNetwork& network = networks[b.network].network;
    contenders.push_back(
        {.id = network.id, .baseline = network.baseline, .latency = &b.latency, .val = &b.val, .test = &b.test});
  }
  return contenders;
}

Json NetworksJson(const Workspace& workspace, const std::vector<TrainedNetwork>& networks,
                  const std::vector<Built>& built, const Judgement& judgement) {
  Json list = Json::array();
  for (size_t i = 0; i < networks.size(); ++i) {
    Json network = NetworkJson(workspace, networks[i].network);
    for (const Built& b : built) {
      if (b.network == i) network["artifacts"].push_back(ArtifactJson(workspace, b, networks[i].network));
    }
    if (!networks[i].network.baseline) {
      network["against_baseline"] =
          ComparisonJson(judgement.comparisons.at(networks[i].network.id), PrecisionName(workspace.precision()));
    }
    list.push_back(network);
  }
  return list;
}

// What a reader of the verdict must know about its numbers.
std::string WhatNumbersAre(const DeviceInfo& device, int passes) {
  std::string text;
  if (device.estimates()) {
    text += " Latency is an " + device.latency_is() + ", nothing was measured on a device; accuracy is from " +
            device.accuracy_from + ".";
  }
  if (passes > 1) text += " Scores and times are of the flip test: two passes an object.";
  return text;
}

}  // namespace

std::string EvaluateInputs(const Workspace& workspace) {
  return CompileInputs(workspace) + StudySectionJson(workspace.study(), "data") +
         workspace.device().Describe().fingerprint;
}

std::string RunEvaluate(Workspace& workspace) {
  const auto networks = TrainedNetworks(workspace);
  std::vector<Built> built = LoadArtifacts(workspace, networks);
  const Dataset val = LoadTrialData(workspace.TrialTemplate()).val_pictures;
  const Dataset test = ReadDataset(workspace.TestSource());
  DetectAll(workspace, built, val, test);
  workspace.context().progress.Begin("evaluate", static_cast<double>(built.size()));
  MeasureAll(workspace, built);

  const auto contenders = MakeContenders(workspace, networks, built);
  Judgement judgement = Judge(contenders, workspace.Scoring(), LatencyBudgetNs(workspace.study().search, contenders),
                              static_cast<uint64_t>(workspace.study().run.seed));
  const DeviceInfo device = workspace.device().Describe();
  const int passes = workspace.task().options().passes();
  judgement.verdict += WhatNumbersAre(device, passes);
  const Json list = NetworksJson(workspace, networks, built, judgement);
  WriteRunJson(workspace, "evaluation.json",
               {{"version", 1},
                {"metric", workspace.study().train.metric},
                {"score", ScoreName(workspace.Scoring())},
                {"predicted", PredictedName(workspace.task().predicted())},
                {"test_pictures", test.samples.size()},
                {"test_views", workspace.task().Views(test).samples.size()},
                {"passes", passes},
                {"latency_is", device.latency_is()},
                {"accuracy_from", device.accuracy_from},
                {"networks", list},
                {"winners", WinnersJson(judgement)},
                {"verdict", judgement.verdict}});
  return judgement.verdict;
}

}  // namespace hot
