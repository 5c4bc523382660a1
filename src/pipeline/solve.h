// AutoSearch over all widths and objectives of a study. Called by the search and verify stages.
#pragma once

#include <map>
#include <vector>

#include "pipeline/networks.h"
#include "search/auto_search.h"

namespace hot {

using Corrections = std::map<double, CostCorrection>;  // by width; missing: the plain sum

// The baseline with its prediction.
Candidate PredictBaseline(const Workspace& workspace, const std::vector<LookupTable>& tables,
                          const Corrections& corrections);

// latency_ratio becomes a latency with the baseline's, measured or predicted.
Budgets StudyBudgets(const Workspace& workspace, double baseline_latency_ns);

// Candidates by width, objective and rank. Throws Error(kOutOfRange), which the CLI turns into exit code 3, with the
// smallest latency and memory that would do when no width has a feasible network; a width without one alone is a note.
std::vector<Candidate> SolveStudy(const Workspace& workspace, const std::vector<LookupTable>& tables,
                                  const Budgets& budgets, const Corrections& corrections, int k);

nlohmann::ordered_json BudgetsJson(const Budgets& budgets);

}  // namespace hot
