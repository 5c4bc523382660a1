// What AutoSearch is asked in a study: baseline, budgets and objectives. Called by the search and verify stages.
#pragma once

#include <vector>

#include "measure/latency_statistic.h"
#include "pipeline/correction.h"
#include "pipeline/networks.h"
#include "search/auto_search.h"

namespace hot {

// Of search.latency_statistic.
LatencyStatistic StudyStatistic(const Workspace& workspace);

// What makes sums of rows, which are medians, predictions of the study's statistic before a network was measured whole:
// the ratio that the table's rows have. One a table of the searched precision.
Corrections StatisticCorrections(const Workspace& workspace, const std::vector<LookupTable>& tables);

// The baseline with its prediction.
Candidate PredictBaseline(const Workspace& workspace, const std::vector<LookupTable>& tables,
                          const Corrections& corrections);

// latency_ratio becomes a latency with the baseline's, measured or predicted. Both are of one pass, as predictions and
// measurements of networks are: latency_ms is divided by TaskOptions::passes().
Budgets StudyBudgets(const Workspace& workspace, double baseline_latency_ns);

std::vector<Objective> StudyObjectives(const Workspace& workspace);

// The plain sum of rows may be 30 % off, so a latency budget that it can't keep does not end a study: the verify stage
// measures. Who asks for the table's answer alone (`hot search`) is told here: throws Error(kOutOfRange), exit code 3,
// with the smallest budgets that would do when search.json has no candidate.
void ThrowIfNothingFound(const Workspace& workspace);

nlohmann::ordered_json BudgetsJson(const Budgets& budgets);

}  // namespace hot
