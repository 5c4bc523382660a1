// Stage verify: measures the chosen networks whole (untrained; time does not depend on weights), corrects the cost
// model, and solves again until every network that is returned has been measured and keeps the latency budget.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "pipeline/correction.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/solve.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kRounds = 5;

struct Verified {
  Candidate plain;  // prediction by the plain sum
  MeasurementRow row;
};
using VerifiedById = std::map<std::string, Verified>;

void MeasureNew(Workspace& workspace, const std::vector<LookupTable>& tables, const std::vector<Candidate>& candidates,
                VerifiedById& known) {
  std::vector<Graph> graphs;
  std::vector<std::pair<std::string, Candidate>> fresh;
  for (const Candidate& candidate : candidates) {
    const std::string id = NetworkId(workspace, candidate.width, candidate.choices);
    const bool listed = std::any_of(fresh.begin(), fresh.end(), [&](const auto& entry) { return entry.first == id; });
    if (known.contains(id) || listed) continue;
    fresh.emplace_back(id, Predict(FindTable(tables, candidate.width, workspace.precision()), candidate.choices, {}));
    graphs.push_back(GraphOf(workspace, candidate.width, candidate.choices));
  }
  std::vector<LatencyJob> jobs;
  for (const Graph& graph : graphs)
    jobs.push_back({.graph = &graph, .precision = workspace.precision(), .part = false});
  if (jobs.empty()) return;
  const LatencyRows measured = MeasureLatencies(workspace, jobs, "verify");
  for (size_t i = 0; i < fresh.size(); ++i) known[fresh[i].first] = {fresh[i].second, measured.rows[i]};
}

Corrections Fit(const VerifiedById& known) {
  std::map<double, std::vector<PredictedMeasured>> by_width;
  for (const auto& [id, verified] : known) {
    by_width[verified.plain.width].push_back({verified.plain.latency_ns, verified.row.median_ns});
  }
  Corrections corrections;
  for (const auto& [width, pairs] : by_width) corrections[width] = FitCorrection(pairs);
  return corrections;
}

// The k best a width and objective that are not known to miss the budget, ranked anew.
std::vector<Candidate> KeepPromising(const Workspace& workspace, std::vector<Candidate> candidates,
                                     const Budgets& budgets, const VerifiedById& known, int k) {
  std::map<std::pair<double, Objective>, int> count;
  std::vector<Candidate> kept;
  for (Candidate& candidate : candidates) {
    const auto found = known.find(NetworkId(workspace, candidate.width, candidate.choices));
    const bool misses =
        found != known.end() && budgets.latency_ms && found->second.row.median_ns > *budgets.latency_ms * 1e6;
    int& rank = count[{candidate.width, candidate.objective}];
    if (misses || rank == k) continue;
    candidate.rank = ++rank;
    kept.push_back(std::move(candidate));
  }
  return kept;
}

bool AllKnown(const Workspace& workspace, const std::vector<Candidate>& candidates, const VerifiedById& known) {
  return std::all_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    return known.contains(NetworkId(workspace, candidate.width, candidate.choices));
  });
}

double MedianErrorPct(const std::vector<PredictedMeasured>& pairs) {
  std::vector<double> errors;
  for (const auto& pair : pairs) errors.push_back(100 * std::abs(pair.predicted_ns / pair.measured_ns - 1));
  return MedianWithInterval(std::move(errors)).median;
}

Json NetworksJson(const std::vector<LookupTable>& tables, const Workspace& workspace, const VerifiedById& known,
                  const Corrections& corrections, double& error_pct, double& plain_error_pct) {
  Json list = Json::array();
  std::vector<PredictedMeasured> corrected, plain;
  for (const auto& [id, verified] : known) {
    const double width = verified.plain.width;
    const auto& table = FindTable(tables, width, workspace.precision());
    const double predicted = Predict(table, verified.plain.choices, corrections.at(width)).latency_ns;
    corrected.push_back({predicted, verified.row.median_ns});
    plain.push_back({verified.plain.latency_ns, verified.row.median_ns});
    list.push_back({{"id", id},
                    {"width", width},
                    {"predicted_ns", predicted},
                    {"plain_sum_ns", verified.plain.latency_ns},
                    {"measured_ns", verified.row.median_ns},
                    {"low_ns", verified.row.low_ns},
                    {"high_ns", verified.row.high_ns},
                    {"steady", verified.row.steady}});
  }
  error_pct = MedianErrorPct(corrected);
  plain_error_pct = MedianErrorPct(plain);
  return list;
}

struct Outcome {
  std::vector<Candidate> candidates;
  Candidate baseline;
  Budgets budgets;
  Corrections corrections;
  VerifiedById known;
};

// Solve, measure what is new, correct, until nothing is new and everything measured keeps the budget.
Outcome Loop(Workspace& workspace, const std::vector<LookupTable>& tables) {
  Outcome out;
  const int k = static_cast<int>(workspace.study().search.candidates);
  out.baseline = PredictBaseline(workspace, tables, {});
  MeasureNew(workspace, tables, {out.baseline}, out.known);
  const std::string baseline_id = NetworkId(workspace, out.baseline.width, out.baseline.choices);
  out.budgets = StudyBudgets(workspace, out.known.at(baseline_id).row.median_ns);
  for (int round = 0; round < kRounds; ++round) {
    out.corrections = Fit(out.known);
    const int ask = k + static_cast<int>(out.known.size());  // room for those known to miss
    out.candidates = KeepPromising(workspace, SolveStudy(workspace, tables, out.budgets, out.corrections, ask),
                                   out.budgets, out.known, k);
    if (AllKnown(workspace, out.candidates, out.known)) break;
    MeasureNew(workspace, tables, out.candidates, out.known);
  }
  std::erase_if(out.candidates, [&](const Candidate& c) { return !AllKnown(workspace, {c}, out.known); });
  out.candidates = KeepPromising(workspace, std::move(out.candidates), out.budgets, out.known, k);
  if (out.candidates.empty()) {
    throw Error(Code::kOutOfRange, "verify",
                "every network that the table promised is slower than the budget when measured whole",
                "raise search.latency_ms a little");
  }
  out.baseline = PredictBaseline(workspace, tables, out.corrections);
  return out;
}

}  // namespace

std::string VerifyInputs(const Workspace& workspace) {
  return FileKey(workspace, "search.json") + FileKey(workspace, "table.json") +
         StudySectionJson(workspace.study(), "search");
}

std::string RunVerify(Workspace& workspace) {
  const auto tables = ReadTables(workspace);
  const Outcome out = Loop(workspace, tables);
  Json candidates = Json::array();
  for (const Candidate& candidate : out.candidates) candidates.push_back(ToJson(workspace, candidate));
  double error_pct = 0, plain_error_pct = 0;
  const Json networks = NetworksJson(tables, workspace, out.known, out.corrections, error_pct, plain_error_pct);
  Json corrections = Json::array();
  for (const auto& [width, fit] : out.corrections) {
    corrections.push_back({{"width", width}, {"intercept_ns", fit.intercept_ns}, {"slope", fit.slope}});
  }
  WriteRunJson(workspace, "verify.json",
               {{"version", 1},
                {"baseline", ToJson(workspace, out.baseline)},
                {"budgets", BudgetsJson(out.budgets)},
                {"candidates", candidates},
                {"corrections", corrections},
                {"networks", networks},
                {"median_error_pct", error_pct},
                {"plain_sum_median_error_pct", plain_error_pct}});
  char text[120];
  std::snprintf(text, sizeof text, "%zu networks measured whole, predictions off by %.1f %% (plain sum: %.1f %%)",
                out.known.size(), error_pct, plain_error_pct);
  return text;
}

}  // namespace hot
