// By hand; property_test compares with enumeration.
#include "search/front.h"

#include <cmath>

#include "core/error.h"
#include "gtest/gtest.h"
#include "search/testing/seed_table.h"

namespace hot {
namespace {

TEST(FrontTest, SeedSpace) {
  const LookupTable table = MakeSeedTable(1);
  const std::vector<Candidate> front = ParetoFront(table, {.flash_kib = 3000}, 12, *MakeSolver("exact"), {});
  ASSERT_GE(front.size(), 10u);
  EXPECT_LE(front.size(), 12u);
  for (size_t i = 0; i < front.size(); ++i) {
    EXPECT_TRUE(front[i].optimal);
    EXPECT_LE(front[i].flash_bytes, 3000 * 1024);
    // Nothing better within its latency.
    const Budgets as_fast{.latency_ms = front[i].latency_ns * 1e-6 * (1 + 1e-12), .flash_kib = 3000};
    const auto best = AutoSearch(table, Objective::kAccuracy, as_fast, 1, *MakeSolver("exact"), {});
    EXPECT_EQ(best.candidates.at(0).macs, front[i].macs);
    if (i == 0) continue;
    EXPECT_GT(front[i].latency_ns, front[i - 1].latency_ns);
    EXPECT_GT(front[i].macs, front[i - 1].macs);
  }
}

// The same over scores: what has more MACs may be worse.
TEST(FrontTest, QualityIsTheScoreWhereTheTableHasIt) {
  LookupTable table = MakeSeedTable(1);
  int at = 0;
  for (auto& rows : table.slots) {
    for (TableRow& row : rows) row.quality = (++at * 37 % 101) / 101.0 - 0.2;
  }
  const auto solver = MakeSolver("exact");
  const std::vector<Candidate> front = ParetoFront(table, {}, 12, *solver, {});
  ASSERT_GE(front.size(), 5u);
  for (size_t i = 0; i < front.size(); ++i) {
    const Budgets as_fast{.latency_ms = front[i].latency_ns * 1e-6 * (1 + 1e-12)};
    const auto best = AutoSearch(table, Objective::kAccuracy, as_fast, 1, *solver, {});
    EXPECT_NEAR(*best.candidates.at(0).quality, *front[i].quality, 1e-9);
    if (i > 0) EXPECT_GT(*front[i].quality, *front[i - 1].quality);
  }
  const auto price = PriceOfLatency(table, {.latency_ms = 49}, *solver, {});
  ASSERT_TRUE(price);
  EXPECT_TRUE(price->scored);
  EXPECT_LT(std::abs(price->quality), 1);  // a mean of scores, not MACs
  EXPECT_GE(price->more, 0);
}

TEST(FrontTest, NothingFits) {
  const auto solver = MakeSolver("exact");
  EXPECT_TRUE(ParetoFront(MakeSeedTable(1), {.flash_kib = 1}, 12, *solver, {}).empty());
  EXPECT_EQ(PriceOfLatency(MakeSeedTable(1), {.latency_ms = 0.001}, *solver, {}), std::nullopt);
  EXPECT_EQ(PriceOfLatency(MakeSeedTable(1), {}, *solver, {}), std::nullopt);
  EXPECT_THROW(ParetoFront(MakeSeedTable(1), {}, 1, *solver, {}), Error);
}

TEST(FrontTest, StepsOfThePrice) {
  const LookupTable table = MakeSeedTable(1);
  const double fastest_ms = ParetoFront(table, {}, 2, *MakeSolver("exact"), {}).front().latency_ns * 1e-6;
  ASSERT_LT(fastest_ms, 5);
  const std::pair<double, double> cases[] = {{4.9, 0.1}, {5, 1}, {49, 1}, {70, 1}};
  for (const auto& [latency_ms, step_ms] : cases) {
    const auto price = PriceOfLatency(table, {.latency_ms = latency_ms}, *MakeSolver("exact"), {});
    ASSERT_TRUE(price) << latency_ms;
    EXPECT_DOUBLE_EQ(price->step_ms, step_ms);
  }
  EXPECT_FALSE(PriceOfLatency(table, {.latency_ms = fastest_ms * (1 + 1e-9)}, *MakeSolver("exact"), {})->less);
}

}  // namespace
}  // namespace hot
