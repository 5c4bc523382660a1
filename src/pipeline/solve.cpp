#include "pipeline/solve.h"

#include <nlohmann/json.hpp>

#include "pipeline/tables.h"

namespace hot {

LatencyStatistic StudyStatistic(const Workspace& workspace) {
  return ParseLatencyStatistic(workspace.study().search.latency_statistic);
}

Corrections StatisticCorrections(const Workspace& workspace, const std::vector<LookupTable>& tables) {
  const LatencyStatistic statistic = StudyStatistic(workspace);
  Corrections corrections;
  if (statistic == LatencyStatistic::kMedian) return corrections;
  for (const LookupTable& table : tables) {
    if (table.precision != workspace.precision()) continue;
    corrections[table.width].slope =
        statistic == LatencyStatistic::kMean ? table.mean_over_median : table.p90_over_median;
  }
  return corrections;
}

Candidate PredictBaseline(const Workspace& workspace, const std::vector<LookupTable>& tables,
                          const Corrections& corrections) {
  const double width = workspace.baseline_width();
  return Predict(FindTable(tables, width, workspace.precision()),
                 BaselineChoices(workspace.backbone(), width, workspace.precision()), CorrectionOf(corrections, width));
}

Budgets StudyBudgets(const Workspace& workspace, double baseline_latency_ns) {
  const auto& search = workspace.study().search;
  Budgets budgets;
  if (search.latency_ms) budgets.latency_ms = *search.latency_ms / workspace.task().options().passes();
  if (search.latency_ratio) budgets.latency_ms = *search.latency_ratio * baseline_latency_ns * 1e-6;
  budgets.flash_kib = search.flash_kib;
  budgets.ram_kib = search.ram_kib;
  budgets.memory_kib = search.memory_kib;
  if (search.quality_min && search.quality == "distill") budgets.min_quality = *search.quality_min / 100;
  if (search.quality_min && search.quality == "macs") {
    budgets.min_macs = static_cast<int64_t>(*search.quality_min * 1e6);
  }
  return budgets;
}

std::vector<Objective> StudyObjectives(const Workspace& workspace) {
  std::vector<Objective> objectives;
  for (const std::string& name : workspace.study().search.objective) {
    objectives.push_back(name == "latency" ? Objective::kLatency : Objective::kAccuracy);
  }
  return objectives;
}

void ThrowIfNothingFound(const Workspace& workspace) {
  const auto found = ReadRunJson(workspace, "search.json");
  if (found.at("candidates").empty()) throw Error(Code::kOutOfRange, "search", found.at("infeasible"));
}

nlohmann::ordered_json BudgetsJson(const Budgets& budgets) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  const auto add = [&](const char* name, const std::optional<double>& value) {
    json[name] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  };
  add("latency_ms", budgets.latency_ms);
  add("flash_kib", budgets.flash_kib);
  add("ram_kib", budgets.ram_kib);
  add("memory_kib", budgets.memory_kib);
  return json;
}

}  // namespace hot
