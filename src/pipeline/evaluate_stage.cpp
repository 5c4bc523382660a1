// Stage evaluate: accuracy and latency of the very artifacts that would ship, on the device. The winners are chosen on
// val; test is read once, for evaluation.json.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/part_progress.h"
#include "core/text.h"
#include "measure/latency_statistic.h"
#include "pipeline/application.h"
#include "pipeline/deployment.h"
#include "pipeline/formats.h"
#include "pipeline/latencies.h"
#include "pipeline/runtime_memory.h"
#include "pipeline/samples.h"
#include "pipeline/scoring.h"
#include "pipeline/solve.h"
#include "pipeline/stages.h"
#include "pipeline/verdict.h"
#include "pipeline/whole_networks.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

struct Built {
  size_t network = 0;
  Precision precision = Precision::kFp32;
  fs::path folder;
  Artifact artifact;
  Measurement latency;
  Measurement judged;  // the latency with the study's statistic in place of its median: what budgets are about
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
                       .judged = {},
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

// The networks, or all that `application` does with them, if there is one.
std::vector<Measurement> MeasureArtifacts(const Workspace& workspace, std::optional<Application>& application,
                                          const std::vector<const Artifact*>& artifacts, const MeasureOptions& options,
                                          const Context& context) {
  const double reference_ns = ReferenceCanaryNs(workspace);
  if (!application) {
    auto measured = ProfileWhole(workspace, artifacts, options, reference_ns, context);
    for (Measurement& one : measured) one = OfAllPasses(std::move(one), workspace.task().options().passes());
    return measured;
  }
  std::vector<Work> work;
  for (const Artifact* artifact : artifacts) {
    work.push_back({.artifact = artifact, .run = [&](Session* session) { application->Run(*session); }});
  }
  return workspace.device().ProfileWork(work, options, reference_ns, context);
}

// Precisions apart: networks of one crowd each other's weights out of the caches alike.
void MeasureAll(const Workspace& workspace, std::vector<Built>& built) {
  std::vector<Built*> order;
  for (Built& one : built) order.push_back(&one);
  std::ranges::stable_sort(order, {}, [](const Built* one) { return one->precision; });
  std::optional<Application> application;
  if (MeasuresEndToEnd(workspace)) application.emplace(workspace);
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    std::vector<const Artifact*> batch;
    for (; end < order.size() && batch.size() < kWholeAtOnce && order[end]->precision == order[begin]->precision; ++end)
      batch.push_back(&order[end]->artifact);
    MeasureOptions options = kWholeOptions;
    options.min_samples = 64;  // enough for a p90
    const Context& context = workspace.context();
    PartProgress progress(context.progress, static_cast<double>(begin), 1,
                          "latency of " + std::to_string(batch.size()) + " networks in " +
                              PrecisionName(order[begin]->precision) + " in turns");
    progress.Update(0, "");
    const auto measured =
        MeasureArtifacts(workspace, application, batch, options, {context.clock, progress, context.cancelled});
    for (size_t i = 0; i < measured.size(); ++i) {
      Built& one = *order[begin + i];
      one.latency = measured[i];
      one.judged = InStatistic(one.latency, StudyStatistic(workspace));
    }
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

Json LatencyJson(const Built& built, double predicted_ns) {
  const Measurement& m = built.latency;
  return {{"median_ns", m.median_ns},    {"low_ns", m.low_ns},
          {"high_ns", m.high_ns},        {"raw_median_ns", m.raw_median_ns},
          {"p90_ns", m.p90_ns},          {"statistic_ns", built.judged.median_ns},
          {"steady", m.steady},          {"samples", m.samples_ns.size()},
          {"predicted_ns", predicted_ns}};
}

Json KibByMemory(const std::map<std::string, int64_t>& bytes) {
  Json kib = Json::object();
  for (const auto& [memory, count] : bytes) kib[memory] = static_cast<double>(count) / 1024;
  return kib;
}

Json ResidentKib(const Measurement& measured) {
  return measured.resident_bytes > 0 ? Json(static_cast<double>(measured.resident_bytes) / 1024) : Json();
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
          {"latency", LatencyJson(built, predicted ? network.predicted_ns * task.passes() : 0)},
          {"val", ScoresJson(built.val, scoring, task)},
          {"test", ScoresJson(built.test, scoring, task)},
          {"ram", RamJson(built.artifact, CostsOf(workspace, network, built.precision).peak_activation_bytes,
                          workspace.study().search.ram_kib)},
          {"estimated_peak_kib", KibByMemory(built.artifact.estimate.value_or(Estimate()).peak_bytes)},
          {"planned_kib", KibByMemory(built.artifact.planned_bytes)},
          {"resident_kib", ResidentKib(built.latency)},
          {"layers", LayersJson(built.artifact)},
          {"deviations", DeviationsJson(built.artifact)}};
}

Json NetworkJson(const Workspace& workspace, const StudyNetwork& network) {
  const Costs costs = CostsOf(workspace, network, workspace.precision());
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
    contenders.push_back({.id = network.id,
                          .baseline = network.baseline,
                          .keeps_ram = KeepsRam(b.artifact, workspace.study().search.ram_kib),
                          .latency = &b.judged,
                          .val = &b.val,
                          .test = &b.test});
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

// The baseline first, then the winners, in the precision that is shipped.
std::vector<SampledNetwork> NetworksToSample(const std::vector<Contender>& contenders, const Judgement& judgement) {
  std::vector<SampledNetwork> sampled;
  for (const Contender& contender : contenders) {
    const bool won = judgement.accuracy_winner == contender.id || judgement.latency_winner == contender.id;
    if (!contender.baseline && !won) continue;
    sampled.insert(contender.baseline ? sampled.begin() : sampled.end(), {contender.id, contender.test});
  }
  return sampled;
}

// Who can't win for want of RAM, by the run-time's own account.
std::string WhoNeedsTooMuchRam(const std::vector<Contender>& contenders) {
  std::vector<std::string> names;
  for (const Contender& contender : contenders) {
    if (!contender.keeps_ram) names.push_back(contender.baseline ? "the baseline" : contender.id);
  }
  return names.empty() ? "" : " More RAM than search.ram_kib by the run-time's own account: " + JoinNames(names) + ".";
}

// What a reader of the verdict must know about its numbers.
std::string WhatNumbersAre(const Workspace& workspace, const DeviceInfo& device) {
  const int passes = workspace.task().options().passes();
  std::string text;
  if (MeasuresEndToEnd(workspace)) {
    text += " Times are end to end: a picture decoded and resized, the network, its outputs decoded.";
  }
  if (StudyStatistic(workspace) != LatencyStatistic::kMedian) {
    text += " Times are compared by their " + workspace.study().search.latency_statistic + ".";
  }
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
  judgement.verdict += WhoNeedsTooMuchRam(contenders) + WhatNumbersAre(workspace, device);
  const Json list = NetworksJson(workspace, networks, built, judgement);
  WriteSamples(workspace, test, NetworksToSample(contenders, judgement));
  WriteRunJson(workspace, "evaluation.json",
               {{"version", 1},
                {"metric", workspace.study().train.metric},
                {"score", ScoreName(workspace.Scoring())},
                {"predicted", PredictedName(workspace.task().predicted())},
                {"test_pictures", test.samples.size()},
                {"test_views", workspace.task().Views(test).samples.size()},
                {"passes", workspace.task().options().passes()},
                {"latency_scope", workspace.study().search.latency_scope},
                {"latency_statistic", workspace.study().search.latency_statistic},
                {"latency_is", device.latency_is()},
                {"accuracy_from", device.accuracy_from},
                {"networks", list},
                {"winners", WinnersJson(judgement)},
                {"verdict", judgement.verdict}});
  return judgement.verdict;
}

}  // namespace hot
