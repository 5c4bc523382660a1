// The closed loop against made-up machines: no device, no journal.
#include "pipeline/closed_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ranges>
#include <set>

#include "core/hash.h"
#include "core/rng.h"
#include "search/apart.h"
#include "search/testing/seed_table.h"

namespace hot {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Latency of a network on the made-up machine, in nanoseconds; its latency_ns is the plain sum of rows.
using Machine = std::function<double(const Candidate&)>;

std::vector<Choice> BaselineOf(const LookupTable& table) {
  std::vector<Choice> choices(table.slots.size(), {"irb", 3, 6, Precision::kInt8});
  choices[0].expansion = 1;
  return choices;
}

// A number in [-1, 1) that depends on the network only.
double Noise(const Candidate& network) {
  std::string text = std::to_string(network.width);
  for (const Choice& choice : network.choices) text += choice.Name();
  Rng rng(MixSeed(7, text));
  return rng.Uniform(-1, 1);
}

class ClosedLoopTest : public testing::Test {
 protected:
  static LookupTable Table(double width) {
    LookupTable table = MakeSeedTable(3, 5);
    table.width = width;
    for (auto& rows : table.slots) {
      for (TableRow& row : rows) Scale(row, width);
    }
    return table;
  }
  static void Scale(TableRow& row, double width) {
    row.macs = static_cast<int64_t>(static_cast<double>(row.macs) * width);
    row.latency_ns *= width;
  }

  LookupTable& AddWidth(double width) {
    tables_.push_back(Table(width));
    widths_.push_back(width);
    return tables_.back();
  }

  double PlainBaselineNs() const { return Predict(tables_[0], BaselineOf(tables_[0]), {}).latency_ns; }

  LoopResult Run(const Machine& machine) {
    asked_.clear();
    const auto row = [&](const Candidate& network) {
      MeasurementRow measured;
      measured.median_ns = machine(network);
      return measured;
    };
    const MeasureNetworks measure = [&](const std::vector<Candidate>& networks) {
      asked_.push_back(networks);
      std::vector<MeasurementRow> rows;
      for (const Candidate& network : networks) rows.push_back(row(network));
      return rows;
    };
    VerifiedNetwork baseline{.network = Predict(tables_[0], BaselineOf(tables_[0]), {})};
    baseline.row = row(baseline.network);
    LoopResult result = CloseLoop({.tables = tables_,
                                   .widths = widths_,
                                   .objectives = objectives_,
                                   .budgets = budgets_,
                                   .k = k_,
                                   .solver = *solver_,
                                   .repeat_sigma = repeat_sigma_,
                                   .min_distance = min_distance_},
                                  std::move(baseline), measure);
    CheckPromise(result, machine);
    return result;
  }

  // What holds whatever the machine does.
  void CheckPromise(const LoopResult& result, const Machine& machine) {
    EXPECT_LE(std::ssize(result.networks), kMostNetworks);
    for (const auto& networks : asked_) EXPECT_LE(std::ssize(networks), kNetworksAtOnce);
    std::set<std::pair<double, std::vector<std::string>>> measured;
    for (const auto& [network, row, keeps] : result.networks) {
      std::vector<std::string> names;
      for (const Choice& choice : network.choices) names.push_back(choice.Name());
      EXPECT_TRUE(measured.emplace(network.width, names).second) << "measured twice";
    }
    std::map<std::pair<double, Objective>, std::pair<int, double>> last;
    for (const Candidate& c : result.candidates) {
      const auto verified = std::ranges::find_if(result.networks, [&](const VerifiedNetwork& v) {
        return v.network.width == c.width && v.network.choices == c.choices;
      });
      ASSERT_NE(verified, result.networks.end()) << "returned, but never measured";
      EXPECT_TRUE(KeepsBudgets(c, machine(verified->network), budgets_));
      auto& [rank, score] = last[{c.width, c.objective}];
      const double now = c.objective == Objective::kAccuracy ? -static_cast<double>(c.macs) : verified->row.median_ns;
      if (rank > 0) EXPECT_GE(now, score) << "not by the objective";
      EXPECT_EQ(c.rank, rank + 1);
      EXPECT_LE(c.rank, k_);
      rank = c.rank;
      score = now;
    }
  }

  static std::vector<Candidate> Of(const LoopResult& result, Objective objective, double width = 1.0) {
    std::vector<Candidate> some;
    std::ranges::copy_if(result.candidates, std::back_inserter(some),
                         [&](const Candidate& c) { return c.objective == objective && c.width == width; });
    return some;
  }

  std::vector<LookupTable> tables_;
  std::vector<double> widths_;
  std::vector<Objective> objectives_{Objective::kAccuracy, Objective::kLatency};
  Budgets budgets_;
  int k_ = 4;
  double repeat_sigma_ = 0;
  int min_distance_ = 1;
  std::unique_ptr<Solver> solver_ = MakeSolver("exact");
  std::vector<std::vector<Candidate>> asked_;  // by call
};

TEST_F(ClosedLoopTest, AnswersAreAsFarApartAsAsked) {
  AddWidth(1.0);
  min_distance_ = 3;
  budgets_.latency_ms = 1.1 * PlainBaselineNs() * 1e-6;
  const LoopResult result = Run([](const Candidate& c) { return 0.9 * c.latency_ns * (1 + 0.05 * Noise(c)); });
  for (const Objective objective : objectives_) {
    const auto got = Of(result, objective);
    EXPECT_GE(std::ssize(got), 2);
    for (size_t i = 0; i < got.size(); ++i) {
      for (size_t j = 0; j < i; ++j) EXPECT_GE(HammingDistance(got[i].choices, got[j].choices), 3);
    }
  }
}

TEST_F(ClosedLoopTest, FindsTheBestOfAMachineThatTheCorrectionDescribes) {
  AddWidth(1.0);
  const CostCorrection truth{.intercept_ns = 60'000, .slope = 0.8};
  budgets_.latency_ms = 1.1 * PlainBaselineNs() * 1e-6;
  const LoopResult result = Run([&](const Candidate& c) { return truth.intercept_ns + truth.slope * c.latency_ns; });
  for (const Objective objective : objectives_) {
    auto best = AutoSearch(tables_[0], objective, budgets_, k_, *solver_, truth).candidates;
    if (objective == Objective::kAccuracy) {  // of equal MACs the solver may name any first, the loop the faster
      std::ranges::sort(best, std::less<>(), [](const Candidate& c) { return std::pair(-c.macs, c.latency_ns); });
    }
    const auto got = Of(result, objective);
    ASSERT_THAT(got, SizeIs(k_));
    for (int i = 0; i < k_; ++i) {
      EXPECT_EQ(got[i].choices, best[i].choices) << ObjectiveName(objective) << ' ' << i;
      EXPECT_NEAR(got[i].latency_ns, best[i].latency_ns, 2);
      EXPECT_TRUE(got[i].optimal);
    }
  }
  EXPECT_NEAR(result.corrections.at(1.0).slope, 0.8, 1e-6);
  EXPECT_THAT(result.notes, IsEmpty());
}

TEST_F(ClosedLoopTest, WhatIsReturnedKeepsTheBudgetWithAMarginForTheNextMeasurement) {
  AddWidth(1.0);
  repeat_sigma_ = 0.02;
  budgets_.latency_ms = 0.9 * PlainBaselineNs() * 1e-6;
  const LoopResult result = Run([](const Candidate& c) { return c.latency_ns * (1 + 0.03 * Noise(c)); });
  ASSERT_FALSE(result.candidates.empty());
  for (const Candidate& candidate : result.candidates) {
    const auto verified = std::ranges::find(result.networks, candidate.choices,
                                            [](const VerifiedNetwork& v) { return v.network.choices; });
    ASSERT_NE(verified, result.networks.end());
    EXPECT_TRUE(verified->keeps);
    EXPECT_LE(verified->row.median_ns * BudgetMargin(repeat_sigma_), *budgets_.latency_ms * 1e6);
  }
}

TEST_F(ClosedLoopTest, ABudgetOfTheBaselinesOwnLatencyNeedsNoMarginForIt) {
  AddWidth(1.0);
  repeat_sigma_ = 0.02;
  budgets_.latency_ms = PlainBaselineNs() * 1e-6;
  EXPECT_TRUE(Run([](const Candidate& c) { return c.latency_ns; }).networks.front().keeps);
}

TEST_F(ClosedLoopTest, WithoutALatencyBudgetTheKBestAreMeasuredAndReturned) {
  AddWidth(1.0);
  const LoopResult result = Run([](const Candidate& c) { return 1.3 * c.latency_ns; });
  EXPECT_THAT(Of(result, Objective::kAccuracy), SizeIs(k_));
  EXPECT_THAT(Of(result, Objective::kLatency), SizeIs(k_));
  EXPECT_THAT(result.networks, SizeIs(1 + 2 * k_));
}

TEST_F(ClosedLoopTest, ABudgetThatAllJustMissIsAimedLower) {
  AddWidth(1.0);
  objectives_ = {Objective::kAccuracy};
  budgets_.latency_ms = PlainBaselineNs() * 1e-6;
  const double budget_ns = PlainBaselineNs();
  // Whatever is predicted to need more than 95 % of the budget needs a little more than all of it.
  const LoopResult result =
      Run([&](const Candidate& c) { return c.latency_ns > 0.95 * budget_ns ? 1.01 * budget_ns : c.latency_ns; });
  ASSERT_FALSE(result.candidates.empty());
  EXPECT_GT(result.candidates[0].macs, result.networks[0].network.macs / 2) << "not just the fastest ones";
}

TEST_F(ClosedLoopTest, ABudgetIsFilledThoughTheCorrectionThinksItsAnswersSlow) {
  AddWidth(1.0);
  objectives_ = {Objective::kAccuracy};
  k_ = 1;
  repeat_sigma_ = 0.01;
  const auto baseline = BaselineOf(tables_[0]);
  budgets_.latency_ms = 1.2 * PlainBaselineNs() * 1e-6;
  // A tenth faster than the baseline lets one think.
  const CostCorrection truth{.intercept_ns = 0, .slope = 0.9};
  const LoopResult result =
      Run([&](const Candidate& c) { return (c.choices == baseline ? 1 : truth.slope) * c.latency_ns; });
  Budgets with_margin = budgets_;
  *with_margin.latency_ms /= BudgetMargin(repeat_sigma_);
  const auto best = AutoSearch(tables_[0], Objective::kAccuracy, with_margin, 1, *solver_, truth).candidates;
  ASSERT_THAT(result.candidates, SizeIs(1));
  EXPECT_EQ(result.candidates[0].macs, best[0].macs);
}

TEST_F(ClosedLoopTest, AnUnluckyCorrectionThatAllowsNothingIsOvercome) {
  LookupTable& table = AddWidth(1.0);
  budgets_.latency_ms = 1.2 * PlainBaselineNs() * 1e-6;
  const auto baseline = BaselineOf(table);
  // The baseline came out four times too slow, so the first correction sees no network within the budget.
  const LoopResult result = Run([&](const Candidate& c) { return (c.choices == baseline ? 4 : 1) * c.latency_ns; });
  EXPECT_THAT(Of(result, Objective::kAccuracy), SizeIs(k_));
  EXPECT_THAT(Of(result, Objective::kLatency), SizeIs(k_));
  EXPECT_NEAR(result.corrections.at(1.0).slope, 1, 0.1);
}

TEST_F(ClosedLoopTest, WhenNothingKeepsTheBudgetTheSmallestMeasuredLatencyIsTold) {
  AddWidth(1.0);
  budgets_.latency_ms = 0.01 * PlainBaselineNs() * 1e-6;
  const LoopResult result = Run([](const Candidate& c) { return c.latency_ns * (1 + 0.02 * Noise(c)); });
  EXPECT_THAT(result.candidates, IsEmpty());
  ASSERT_TRUE(result.smallest_latency_ns);
  double smallest = 1e300;
  for (const auto& [network, row, keeps] : result.networks) smallest = std::min(smallest, row.median_ns);
  EXPECT_EQ(*result.smallest_latency_ns, smallest);
  EXPECT_THAT(result.networks, SizeIs(1 + k_)) << "the k fastest are tried, and no more";
  ASSERT_THAT(result.notes, SizeIs(2));
  EXPECT_THAT(result.notes[0], HasSubstr("the fastest that was measured takes"));
}

TEST_F(ClosedLoopTest, TheFastestStandInWhereNoAnswerOfTheObjectiveKeepsTheBudget) {
  AddWidth(1.0);
  objectives_ = {Objective::kAccuracy};
  budgets_.latency_ms = PlainBaselineNs() * 1e-6;
  const double budget_ns = PlainBaselineNs();
  const double fastest_ns = AutoSearch(tables_[0], Objective::kLatency, {}, 1, *solver_, {}).candidates[0].latency_ns;
  const LoopResult result =
      Run([&](const Candidate& c) { return c.latency_ns < 1.05 * fastest_ns ? c.latency_ns : 1.3 * budget_ns; });
  ASSERT_FALSE(result.candidates.empty());
  EXPECT_LT(result.candidates[0].latency_ns, budget_ns);
  EXPECT_FALSE(result.candidates[0].optimal) << "no proof that it has the most MACs";
}

TEST_F(ClosedLoopTest, TheBaselineIsTheLastToStandIn) {
  LookupTable& table = AddWidth(1.0);
  const auto baseline = BaselineOf(table);
  const double budget_ns = PlainBaselineNs();
  budgets_.latency_ms = budget_ns * 1e-6;
  const LoopResult result =
      Run([&](const Candidate& c) { return c.choices == baseline ? budget_ns : 1.2 * budget_ns; });
  ASSERT_THAT(result.candidates, SizeIs(2));  // one an objective
  for (const Candidate& c : result.candidates) EXPECT_EQ(c.choices, baseline);
}

TEST_F(ClosedLoopTest, ABaselineOverAnotherBudgetDoesNotStandIn) {
  LookupTable& table = AddWidth(1.0);
  const Candidate baseline = Predict(table, BaselineOf(table), {});
  budgets_.latency_ms = baseline.latency_ns * 1e-6;
  budgets_.flash_kib = static_cast<double>(baseline.flash_bytes - 1) / 1024;
  const LoopResult result =
      Run([&](const Candidate& c) { return c.choices == baseline.choices ? c.latency_ns : 1.2 * baseline.latency_ns; });
  EXPECT_THAT(result.candidates, IsEmpty());
  EXPECT_EQ(result.smallest_latency_ns, 1.2 * baseline.latency_ns);
}

TEST_F(ClosedLoopTest, TheCapHoldsOnAMachineThatNoCorrectionDescribes) {
  for (const double width : {0.7, 1.0, 1.3}) AddWidth(width);
  k_ = 8;
  budgets_.latency_ms = PlainBaselineNs() * 1e-6;
  const LoopResult result = Run([](const Candidate& c) { return c.latency_ns * (1.2 + 0.1 * Noise(c)); });
  EXPECT_THAT(result.networks, SizeIs(kMostNetworks));
  for (const double width : widths_) {
    for (const Objective objective : objectives_) EXPECT_FALSE(Of(result, objective, width).empty()) << width;
  }
}

TEST_F(ClosedLoopTest, EveryWidthAndObjectiveGetsItsBestMeasuredBeforeAnyGetsItsSecond) {
  for (const double width : {0.7, 1.0, 1.3}) AddWidth(width);
  Run([](const Candidate& c) { return 0.9 * c.latency_ns; });
  ASSERT_GE(asked_.size(), 2u);
  std::vector<Candidate> first = asked_[0];
  first.insert(first.end(), asked_[1].begin(), asked_[1].end());
  std::map<double, int> by_width;
  for (size_t i = 0; i < 6; ++i) ++by_width[first[i].width];
  for (const double width : widths_) EXPECT_EQ(by_width[width], 2) << width;
}

TEST_F(ClosedLoopTest, AWidthThatFitsNoOtherBudgetIsANoteAndOthersGoOn) {
  AddWidth(1.0);
  for (auto& rows : AddWidth(2.0).slots) {
    for (TableRow& row : rows) row.weight_bytes += 1 << 20;
  }
  budgets_.flash_kib = 4096;
  budgets_.latency_ms = 2 * PlainBaselineNs() * 1e-6;
  const LoopResult result = Run([](const Candidate& c) { return c.latency_ns; });
  EXPECT_FALSE(Of(result, Objective::kAccuracy, 1.0).empty());
  EXPECT_TRUE(Of(result, Objective::kAccuracy, 2.0).empty());
  ASSERT_THAT(result.notes, SizeIs(2));
  EXPECT_THAT(result.notes[0], HasSubstr("width 2"));
  EXPECT_THAT(result.notes[0], HasSubstr("flash_kib"));
}

TEST_F(ClosedLoopTest, ABaselineOfAWidthThatIsNotSearchedIsNeverReturned) {
  AddWidth(1.0);
  widths_ = {0.7};
  tables_.push_back(Table(0.7));
  budgets_.latency_ms = PlainBaselineNs() * 1e-6;
  const LoopResult result = Run([](const Candidate& c) { return 1.1 * c.latency_ns; });
  EXPECT_THAT(Of(result, Objective::kAccuracy, 0.7), SizeIs(k_));
  for (const Candidate& c : result.candidates) EXPECT_EQ(c.width, 0.7);
}

TEST_F(ClosedLoopTest, TiesAreBrokenTheSameWayEveryTime) {
  for (auto& rows : AddWidth(1.0).slots) {
    for (TableRow& row : rows) {
      row.macs = 1000;
      row.latency_ns = 100'000;
    }
  }
  budgets_.latency_ms = 1;
  const auto names = [](const LoopResult& result) {
    std::string text;
    for (const Candidate& c : result.candidates) {
      for (const Choice& choice : c.choices) text += choice.Name() + ' ';
    }
    return text;
  };
  const Machine machine = [](const Candidate& c) { return c.latency_ns * (1 + 0.01 * Noise(c)); };
  const std::string once = names(Run(machine));
  const auto asked_once = asked_;
  EXPECT_EQ(names(Run(machine)), once);
  ASSERT_EQ(asked_.size(), asked_once.size());
  for (size_t i = 0; i < asked_.size(); ++i) {
    ASSERT_EQ(asked_[i].size(), asked_once[i].size());
    for (size_t j = 0; j < asked_[i].size(); ++j) EXPECT_EQ(asked_[i][j].choices, asked_once[i][j].choices);
  }
}

}  // namespace
}  // namespace hot
