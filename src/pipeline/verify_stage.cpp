// Stage verify: measures the most useful networks whole (untrained; time does not depend on weights), corrects the cost
// model, and returns only networks that were measured and keep the budgets. What is decided is in closed_loop.h.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline/application.h"
#include "pipeline/closed_loop.h"
#include "pipeline/formats.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/solve.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

std::vector<MeasurementRow> MeasureWhole(Workspace& workspace, const std::vector<Candidate>& networks) {
  std::vector<Graph> graphs;
  for (const Candidate& network : networks) graphs.push_back(GraphOf(workspace, network.width, network.choices));
  std::optional<Application> application;
  if (MeasuresEndToEnd(workspace)) application.emplace(workspace);
  std::vector<LatencyJob> jobs;
  for (size_t i = 0; i < graphs.size(); ++i) {
    jobs.push_back(WholeJob(workspace, graphs[i], networks[i].choices));
    if (application) jobs.back().work = &application->whole();
  }
  std::vector<MeasurementRow> rows = MeasureLatencies(workspace, jobs, "verify").rows;
  // From here on a latency is the study's statistic of it, and what corrects the sums of rows, which are medians,
  // learns how the two differ.
  for (MeasurementRow& row : rows) {
    const double ratio = StatisticOverMedian(StudyStatistic(workspace), row.samples_ns, row.canary_ns);
    const double passes = application ? workspace.task().options().passes() : 1;  // all in one, as an application does
    ScaleLatency(row, ratio / passes);
  }
  return rows;
}

// A number that would do, in the key the study uses: rounded up, so that it does.
std::string WhatWouldDo(const Workspace& workspace, double smallest_ns, double baseline_ns) {
  const bool ratio = workspace.study().search.latency_ratio.has_value();
  const double smallest_ms = smallest_ns * 1e-6 * workspace.task().options().passes();
  const double value = std::ceil(1000 * (ratio ? smallest_ns / baseline_ns : smallest_ms)) / 1000;
  char text[80];
  std::snprintf(text, sizeof text, "search.%s: %.3f or more would do", ratio ? "latency_ratio" : "latency_ms", value);
  return text;
}

[[noreturn]] void ThrowNoneKeeps(const Workspace& workspace, const LoopResult& result, const Budgets& budgets,
                                 double margin) {
  if (!result.smallest_latency_ns || !budgets.latency_ms) {
    throw Error(Code::kOutOfRange, "verify", result.notes.empty() ? "no network" : result.notes.front());
  }
  const int passes = workspace.task().options().passes();
  char text[160];
  std::snprintf(text, sizeof text,
                "no network keeps latency_ms %.3f: of %zu measured whole, the fastest that fits otherwise takes %.3f",
                *budgets.latency_ms * passes, result.networks.size(), *result.smallest_latency_ns * 1e-6 * passes);
  throw Error(Code::kOutOfRange, "verify", text,
              WhatWouldDo(workspace, *result.smallest_latency_ns * margin, result.networks.front().row.median_ns));
}

double MedianErrorPct(const std::vector<PredictedMeasured>& pairs) {
  std::vector<double> errors;
  for (const auto& pair : pairs) errors.push_back(100 * std::abs(pair.predicted_ns / pair.measured_ns - 1));
  return MedianWithInterval(std::move(errors)).median;
}

// The networks that were measured, and how far predictions were off.
struct Fidelity {
  Json networks = Json::array();
  double error_pct = 0, plain_error_pct = 0;
};

Fidelity Compare(const Workspace& workspace, const std::vector<LookupTable>& tables, const LoopResult& result) {
  Fidelity fidelity;
  std::vector<PredictedMeasured> corrected, plain;
  for (const auto& [network, row, keeps] : result.networks) {
    const LookupTable& table = FindTable(tables, network.width, workspace.precision());
    const CostCorrection correction = CorrectionOf(result.corrections, network.width);
    const double predicted_ns = Predict(table, network.choices, correction).latency_ns;
    corrected.push_back({predicted_ns, row.median_ns});
    plain.push_back({network.latency_ns, row.median_ns});
    fidelity.networks.push_back({{"id", NetworkId(workspace, network.width, network.choices)},
                                 {"width", network.width},
                                 {"predicted_ns", predicted_ns},
                                 {"plain_sum_ns", network.latency_ns},
                                 {"measured_ns", row.median_ns},
                                 {"low_ns", row.low_ns},
                                 {"high_ns", row.high_ns},
                                 {"steady", row.steady},
                                 {"keeps_budgets", keeps}});
  }
  fidelity.error_pct = MedianErrorPct(corrected);
  fidelity.plain_error_pct = MedianErrorPct(plain);
  return fidelity;
}

void WriteVerified(Workspace& workspace, const std::vector<LookupTable>& tables, const Budgets& budgets,
                   const LoopResult& result, const Fidelity& fidelity) {
  Json candidates = Json::array(), corrections = Json::array();
  for (const Candidate& candidate : result.candidates) candidates.push_back(ToJson(workspace, candidate));
  for (const auto& [width, fit] : result.corrections) {
    corrections.push_back(
        {{"width", width}, {"intercept_ns", fit.intercept_ns}, {"slope", fit.slope}, {"sigma", fit.sigma}});
  }
  WriteRunJson(workspace, "verify.json",
               {{"version", 1},
                {"baseline", ToJson(workspace, PredictBaseline(workspace, tables, result.corrections))},
                {"budgets", BudgetsJson(budgets)},
                {"latency_scope", workspace.study().search.latency_scope},
                {"latency_statistic", workspace.study().search.latency_statistic},
                {"candidates", candidates},
                {"corrections", corrections},
                {"networks", fidelity.networks},
                {"median_error_pct", fidelity.error_pct},
                {"plain_sum_median_error_pct", fidelity.plain_error_pct}});
}

}  // namespace

std::string VerifyInputs(const Workspace& workspace) {
  return FileKey(workspace, "search.json") + FileKey(workspace, "table.json") +
         StudySectionJson(workspace.study(), "search");
}

std::string RunVerify(Workspace& workspace) {
  std::vector<LookupTable> tables = ReadTables(workspace);
  std::erase_if(tables, [&](const LookupTable& table) { return table.precision != workspace.precision(); });
  const auto measure = [&](const std::vector<Candidate>& networks) { return MeasureWhole(workspace, networks); };
  VerifiedNetwork baseline{.network = PredictBaseline(workspace, tables, {})};
  baseline.row = measure({baseline.network}).front();
  const Budgets budgets = StudyBudgets(workspace, baseline.row.median_ns);
  const auto solver = MakeSolver(workspace.study().search.solver);
  const double repeat_sigma = workspace.device().Describe().estimates() ? 0 : kRepeatSigma;
  const LoopResult result = CloseLoop({.tables = tables,
                                       .widths = workspace.study().model.width,
                                       .objectives = StudyObjectives(workspace),
                                       .budgets = budgets,
                                       .k = static_cast<int>(workspace.study().search.candidates),
                                       .solver = *solver,
                                       .repeat_sigma = repeat_sigma,
                                       .min_distance = static_cast<int>(workspace.study().search.min_distance)},
                                      std::move(baseline), measure);
  if (result.candidates.empty()) ThrowNoneKeeps(workspace, result, budgets, BudgetMargin(repeat_sigma));
  for (const std::string& note : result.notes) workspace.context().progress.Note("note: " + note);
  const Fidelity fidelity = Compare(workspace, tables, result);
  WriteVerified(workspace, tables, budgets, result, fidelity);
  char text[120];
  std::snprintf(text, sizeof text, "%zu networks %s whole, predictions off by %.1f %% (plain sum: %.1f %%)",
                result.networks.size(), workspace.device().Describe().estimates() ? "estimated" : "measured",
                fidelity.error_pct, fidelity.plain_error_pct);
  return text;
}

}  // namespace hot
