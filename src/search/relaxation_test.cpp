// By hand; property_test compares with enumeration.
#include "search/relaxation.h"

#include "gtest/gtest.h"

namespace hot {
namespace {

TableRow Row(const std::string& part, const std::string& choice, int64_t macs, int64_t weights, double ns) {
  TableRow row{.part = part, .macs = macs, .weight_bytes = weights, .latency_ns = ns};
  if (!choice.empty()) row.choice = Choice::Parse(choice);
  return row;
}

// Either fast and large, or slow and small.
LookupTable TwoWays() {
  LookupTable table;
  table.slots = {{Row("slot1", "irb-k3-e3", 100, 8 * 1024, 2e6), Row("slot1", "irb-k5-e3", 200, 1024, 6e6)}};
  table.fixed = {Row("stem", "", 50, 1024, 1e6)};
  return table;
}

TEST(RelaxationTest, TogetherAndAlone) {
  const auto relaxation = SmallestRelaxation(TwoWays(), {.latency_ms = 2, .flash_kib = 1.5}, *MakeSolver("exact"), {});
  ASSERT_TRUE(relaxation);
  EXPECT_DOUBLE_EQ(relaxation->factor, 3.5);  // slow and small: 7 ms; the other needs 6 x the flash
  ASSERT_EQ(relaxation->budgets.size(), 2u);
  const BudgetRelaxation &latency = relaxation->budgets[0], &flash = relaxation->budgets[1];
  EXPECT_EQ(latency.budget, "latency_ms");
  EXPECT_EQ(latency.alone, std::nullopt) << "2 KiB is the least";
  EXPECT_DOUBLE_EQ(latency.used, 7);
  EXPECT_EQ(latency.largest.part, "slot1");
  EXPECT_EQ(latency.largest.choice, "irb-k5-e3@fp32");
  EXPECT_DOUBLE_EQ(latency.largest.share, 6.0 / 7);
  EXPECT_EQ(flash.alone, std::nullopt);
  EXPECT_EQ(RelaxationText(*relaxation, 2),
            "all budgets times 3.500 would do, none of them alone; slot1 (irb-k5-e3@fp32) takes the most of "
            "latency_ms, 86 %; slot1 (irb-k5-e3@fp32) takes the most of flash_kib, 50 %");
}

TEST(RelaxationTest, OneAloneAndQuality) {
  const auto relaxation =
      SmallestRelaxation(TwoWays(), {.latency_ms = 2.5, .flash_kib = 9, .min_macs = 150}, *MakeSolver("exact"), {});
  ASSERT_TRUE(relaxation);
  EXPECT_DOUBLE_EQ(relaxation->factor, 1.2);
  EXPECT_DOUBLE_EQ(*relaxation->budgets[0].alone, 3);
  EXPECT_EQ(relaxation->budgets[1].alone, std::nullopt);
  EXPECT_EQ(relaxation->most_macs, std::nullopt) << "not within 2.5 ms";
  EXPECT_EQ(RelaxationText(*relaxation, 2),
            "all budgets times 1.200 would do, or one alone: latency_ms 6.000; slot1 (irb-k3-e3@fp32) takes the "
            "most of latency_ms, 67 %");
}

TEST(RelaxationTest, QualityThatNoBudgetBuys) {
  EXPECT_EQ(SmallestRelaxation(TwoWays(), {.latency_ms = 100, .min_macs = 251}, *MakeSolver("exact"), {}),
            std::nullopt);
  const auto relaxation = SmallestRelaxation(TwoWays(), {.latency_ms = 3, .min_macs = 200}, *MakeSolver("exact"), {});
  EXPECT_EQ(relaxation->most_macs, 150);
  EXPECT_EQ(RelaxationText(*relaxation, 1),
            "latency_ms 7.000, quality_min 0.000: either would do; slot1 (irb-k5-e3@fp32) takes the most of "
            "latency_ms, 86 %");
}

}  // namespace
}  // namespace hot
