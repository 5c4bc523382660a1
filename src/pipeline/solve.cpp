#include "pipeline/solve.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "pipeline/tables.h"

namespace hot {
namespace {

CostCorrection CorrectionOf(const Corrections& corrections, double width) {
  const auto found = corrections.find(width);
  return found == corrections.end() ? CostCorrection{} : found->second;
}

std::string SmallestText(const SearchResult& result) {
  char text[200];
  std::snprintf(
      text, sizeof text,
      "the smallest that would do, each alone: latency_ms %.3f, flash_kib %.0f, ram_kib %.0f, memory_kib %.0f",
      result.smallest_latency_ms, result.smallest_flash_kib, result.smallest_ram_kib, result.smallest_memory_kib);
  return text;
}

std::vector<Objective> StudyObjectives(const Workspace& workspace) {
  std::vector<Objective> objectives;
  for (const std::string& name : workspace.study().search.objective) {
    objectives.push_back(name == "latency" ? Objective::kLatency : Objective::kAccuracy);
  }
  return objectives;
}

}  // namespace

Candidate PredictBaseline(const Workspace& workspace, const std::vector<LookupTable>& tables,
                          const Corrections& corrections) {
  const double width = workspace.baseline_width();
  return Predict(FindTable(tables, width, workspace.precision()),
                 BaselineChoices(workspace.backbone(), width, workspace.precision()), CorrectionOf(corrections, width));
}

Budgets StudyBudgets(const Workspace& workspace, double baseline_latency_ns) {
  const auto& search = workspace.study().search;
  Budgets budgets;
  budgets.latency_ms = search.latency_ms;
  if (search.latency_ratio) budgets.latency_ms = *search.latency_ratio * baseline_latency_ns * 1e-6;
  budgets.flash_kib = search.flash_kib;
  budgets.ram_kib = search.ram_kib;
  budgets.memory_kib = search.memory_kib;
  if (search.quality_min) budgets.min_macs = static_cast<int64_t>(*search.quality_min * 1e6);
  return budgets;
}

std::vector<Candidate> SolveStudy(const Workspace& workspace, const std::vector<LookupTable>& tables,
                                  const Budgets& budgets, const Corrections& corrections, int k) {
  const auto solver = MakeSolver(workspace.study().search.solver);
  std::vector<Candidate> candidates;
  std::string infeasible;
  for (double width : workspace.study().model.width) {
    const LookupTable& table = FindTable(tables, width, workspace.precision());
    for (Objective objective : StudyObjectives(workspace)) {
      const SearchResult found = AutoSearch(table, objective, budgets, k, *solver, CorrectionOf(corrections, width));
      candidates.insert(candidates.end(), found.candidates.begin(), found.candidates.end());
      if (!found.candidates.empty()) continue;
      char text[64];
      std::snprintf(text, sizeof text, "no network of width %g fits the budgets; ", width);
      infeasible = text + SmallestText(found);
    }
  }
  if (candidates.empty()) throw Error(Code::kOutOfRange, "search", infeasible);
  if (!infeasible.empty()) workspace.context().progress.Note("note: " + infeasible);
  return candidates;
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
