#include "pipeline/verdict.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "pipeline/networks.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kBootstrapRounds = 2000;

std::string Format(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

double RelativePct(const Comparison& c) {
  return c.baseline_score > 0 ? 100 * c.test.difference / c.baseline_score : 0;
}

// "+2.1 points (95 % interval +0.4 to +3.9, +4.3 % relative)" or "no difference shown (...)".
std::string AccuracyText(const Comparison& c, const std::string& score) {
  const std::string interval = Format("%+.1f", 100 * c.test.low) + " to " + Format("%+.1f", 100 * c.test.high);
  const std::string points = Format("%+.1f", 100 * c.test.difference) + " points of " + score;
  if (!c.test.shown()) return "no difference shown in accuracy (" + points + ", 95 % interval " + interval + ")";
  return points + " (95 % interval " + interval + "; " + Format("%+.1f", RelativePct(c)) + " % relative)";
}

std::string WinnerText(const std::string& what, const std::string& id, const Comparison& c, const std::string& score) {
  const double saved = 100 * (1 - c.latency_ratio);
  const std::string time = Format("%.1f", std::abs(saved)) + (saved >= 0 ? " % less time" : " % more time");
  return what + " " + id + " takes " + time + " than the baseline; " + AccuracyText(c, score) + ".";
}

std::string VerdictText(const Judgement& judgement, const std::string& score) {
  std::string text;
  if (judgement.latency_winner) {
    text = WinnerText("Fastest without loss on val:", *judgement.latency_winner,
                      judgement.comparisons.at(*judgement.latency_winner), score);
  }
  if (judgement.accuracy_winner && judgement.accuracy_winner != judgement.latency_winner) {
    text += (text.empty() ? "" : " ") + WinnerText("Most accurate within the budget:", *judgement.accuracy_winner,
                                                   judgement.comparisons.at(*judgement.accuracy_winner), score);
  }
  return text.empty() ? "No candidate beat the baseline on val within the budgets: keep the baseline." : text;
}

void ChooseWinners(Judgement& judgement, const std::vector<Contender>& contenders, const Contender& baseline,
                   const ScoreOptions& options, double limit_ns) {
  const double baseline_val = Score(*baseline.val, options);
  double best_score = baseline_val, best_latency_ns = baseline.latency->median_ns;
  for (const Contender& contender : contenders) {
    if (contender.baseline || !contender.keeps_ram) continue;
    const double score = Score(*contender.val, options);
    const double latency_ns = contender.latency->median_ns;
    if (latency_ns <= limit_ns && score > best_score) {
      best_score = score;
      judgement.accuracy_winner = contender.id;
    }
    if (score >= baseline_val && latency_ns < best_latency_ns) {
      best_latency_ns = latency_ns;
      judgement.latency_winner = contender.id;
    }
  }
}

}  // namespace

Judgement Judge(const std::vector<Contender>& contenders, const ScoreOptions& options,
                std::optional<double> latency_budget_ns, uint64_t seed) {
  const auto baseline =
      std::find_if(contenders.begin(), contenders.end(), [](const Contender& c) { return c.baseline; });
  HOT_ASSERT(baseline != contenders.end());
  Judgement judgement;
  const double baseline_score = Score(*baseline->test, options);
  for (const Contender& contender : contenders) {
    if (contender.baseline) continue;
    judgement.comparisons[contender.id] = {
        .test = PairedBootstrap(*baseline->test, *contender.test, options, kBootstrapRounds, seed),
        .latency_ratio = contender.latency->median_ns / baseline->latency->median_ns,
        .baseline_score = baseline_score};
  }
  ChooseWinners(judgement, contenders, *baseline, options, latency_budget_ns.value_or(baseline->latency->median_ns));
  judgement.verdict = VerdictText(judgement, ScoreName(options));
  return judgement;
}

std::optional<double> LatencyBudgetNs(const Study::Search& search, const std::vector<Contender>& contenders) {
  if (search.latency_ms) return *search.latency_ms * 1e6;
  if (!search.latency_ratio) return std::nullopt;
  const auto baseline = std::ranges::find_if(contenders, &Contender::baseline);
  HOT_ASSERT(baseline != contenders.end());
  return *search.latency_ratio * baseline->latency->median_ns;
}

Json ComparisonJson(const Comparison& comparison, const std::string& precision) {
  return {{"precision", precision},
          {"difference", comparison.test.difference},
          {"low", comparison.test.low},
          {"high", comparison.test.high},
          {"shown", comparison.test.shown()},
          {"latency_ratio", comparison.latency_ratio},
          {"relative_accuracy_pct", RelativePct(comparison)},
          {"relative_latency_pct", 100 * (comparison.latency_ratio - 1)}};
}

Json WinnersJson(const Judgement& judgement) {
  const auto name = [](const std::optional<std::string>& id) { return id ? Json(*id) : Json(); };
  return {{"accuracy", name(judgement.accuracy_winner)}, {"latency", name(judgement.latency_winner)}};
}

}  // namespace hot
