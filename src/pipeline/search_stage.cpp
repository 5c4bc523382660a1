// Stage search: the k best networks a width and objective from the plain table.
#include <nlohmann/json.hpp>

#include "pipeline/networks.h"
#include "pipeline/solve.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"

namespace hot {

std::string SearchInputs(const Workspace& workspace) {
  return FileKey(workspace, "table.json") + StudySectionJson(workspace.study(), "search") +
         StudySectionJson(workspace.study(), "model");
}

std::string RunSearch(Workspace& workspace) {
  const auto tables = ReadTables(workspace);
  const Candidate baseline = PredictBaseline(workspace, tables, {});
  const Budgets budgets = StudyBudgets(workspace, baseline.latency_ns);
  const int k = static_cast<int>(workspace.study().search.candidates);
  const auto candidates = SolveStudy(workspace, tables, budgets, {}, k);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Candidate& candidate : candidates) list.push_back(ToJson(workspace, candidate));
  WriteRunJson(workspace, "search.json",
               {{"version", 1},
                {"baseline", ToJson(workspace, baseline)},
                {"budgets", BudgetsJson(budgets)},
                {"candidates", list}});
  return std::to_string(candidates.size()) + " candidates";
}

}  // namespace hot
