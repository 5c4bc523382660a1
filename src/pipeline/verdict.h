// Who won, and what may be said about it: winners are chosen on val, differences are claimed only where a paired
// bootstrap interval over test pictures excludes zero. Called by the evaluate stage. Stateless.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/study.h"
#include "measure/measure.h"
#include "tasks/metric.h"

namespace hot {

struct Contender {
  std::string id;
  bool baseline = false;
  bool keeps_ram = true;  // search.ram_kib by the run-time's own account (runtime_memory.h); else it can't win
  const Measurement* latency = nullptr;  // its median is the study's statistic (latency_statistic.h)
  const std::vector<ScoredPicture>* val = nullptr;
  const std::vector<ScoredPicture>* test = nullptr;
};

struct Comparison {
  PairedDifference test;  // candidate - baseline
  double latency_ratio = 1;
  double baseline_score = 0;  // on test
};

struct Judgement {
  std::optional<std::string> accuracy_winner;  // best val score within the latency budget (or the baseline's latency)
  std::optional<std::string> latency_winner;   // lowest latency among those whose val score is not below the baseline's
  std::map<std::string, Comparison> comparisons;  // by candidate
  std::string verdict;
};

// `contenders` holds exactly one baseline.
Judgement Judge(const std::vector<Contender>& contenders, const ScoreOptions& options,
                std::optional<double> latency_budget_ns, uint64_t seed);

// The budget of the study for all passes in nanoseconds, if it has one. A ratio is to the baseline as it was measured
// beside the others, not as it was predicted: what the machine has changed since the search cancels out.
std::optional<double> LatencyBudgetNs(const Study::Search& search, const std::vector<Contender>& contenders);

nlohmann::ordered_json ComparisonJson(const Comparison& comparison, const std::string& precision);
nlohmann::ordered_json WinnersJson(const Judgement& judgement);

}  // namespace hot
