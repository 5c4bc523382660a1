// Stage search: the k best networks a width and objective from the plain table.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "pipeline/networks.h"
#include "pipeline/solve.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

struct Found {
  std::vector<Candidate> candidates;  // by width, objective and rank
  std::string infeasible;             // of the last width without any
};

Found SolveStudy(const Workspace& workspace, const std::vector<LookupTable>& tables, const Budgets& budgets) {
  const auto solver = MakeSolver(workspace.study().search.solver);
  const int k = static_cast<int>(workspace.study().search.candidates);
  Found found;
  for (double width : workspace.study().model.width) {
    const LookupTable& table = FindTable(tables, width, workspace.precision());
    for (Objective objective : StudyObjectives(workspace)) {
      SearchResult result = AutoSearch(table, objective, budgets, k, *solver, {});
      found.candidates.insert(found.candidates.end(), result.candidates.begin(), result.candidates.end());
      if (!result.candidates.empty()) continue;
      result.smallest_latency_ms *= workspace.task().options().passes();  // in terms of search.latency_ms
      char text[64];
      std::snprintf(text, sizeof text, "no network of width %g fits the budgets; ", width);
      found.infeasible = text + SmallestText(result);
    }
  }
  return found;
}

}  // namespace

std::string SearchInputs(const Workspace& workspace) {
  return FileKey(workspace, "table.json") + StudySectionJson(workspace.study(), "search") +
         StudySectionJson(workspace.study(), "model");
}

std::string RunSearch(Workspace& workspace) {
  const auto tables = ReadTables(workspace);
  const Candidate baseline = PredictBaseline(workspace, tables, {});
  const Budgets budgets = StudyBudgets(workspace, baseline.latency_ns);
  const Found found = SolveStudy(workspace, tables, budgets);
  Budgets exact = budgets;  // sizes and MACs are exact, latencies are a prediction
  exact.latency_ms.reset();
  if (found.candidates.empty() && SolveStudy(workspace, tables, exact).candidates.empty()) {
    throw Error(Code::kOutOfRange, "search", found.infeasible);
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Candidate& candidate : found.candidates) list.push_back(ToJson(workspace, candidate));
  WriteRunJson(workspace, "search.json",
               {{"version", 1},
                {"baseline", ToJson(workspace, baseline)},
                {"budgets", BudgetsJson(budgets)},
                {"candidates", list},
                {"infeasible", found.infeasible}});
  if (!found.infeasible.empty()) workspace.context().progress.Note("note: by the table, " + found.infeasible);
  return std::to_string(found.candidates.size()) + " candidates";
}

}  // namespace hot
