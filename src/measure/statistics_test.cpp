#include <gtest/gtest.h>

#include <numeric>

#include "core/rng.h"
#include "measure/measure.h"

namespace hot {
namespace {

TEST(Percentile, InterpolatesBetweenOrderStatistics) {
  struct Case {
    std::vector<double> values;
    double p, expected;
  };
  for (const Case& c : {Case{{}, 0.5, 0}, Case{{7}, 0.9, 7}, Case{{3, 1, 2}, 0.5, 2}, Case{{1, 2, 3, 4}, 0.5, 2.5},
                        Case{{1, 2}, 0, 1}, Case{{1, 2}, 1, 2}, Case{{0, 10}, 0.9, 9}}) {
    EXPECT_DOUBLE_EQ(Percentile(c.values, c.p), c.expected);
  }
}

TEST(MedianWithInterval, UsesTheRanksOfTheBinomialTable) {
  // Ranks (from 1) of the 95 % interval as printed in tables of the sign test: n -> lower rank.
  struct Case {
    int n, lower_rank;
  };
  for (const Case& c : {Case{6, 1}, Case{8, 1}, Case{9, 2}, Case{12, 3}, Case{20, 6}, Case{50, 18}, Case{100, 40}}) {
    std::vector<double> values(static_cast<size_t>(c.n));
    std::iota(values.begin(), values.end(), 1.0);
    std::reverse(values.begin(), values.end());
    const MedianInterval interval = MedianWithInterval(values);
    EXPECT_DOUBLE_EQ(interval.low, c.lower_rank) << c.n;
    EXPECT_DOUBLE_EQ(interval.high, c.n + 1 - c.lower_rank) << c.n;
    EXPECT_DOUBLE_EQ(interval.median, (c.n + 1) / 2.0) << c.n;
  }
}

TEST(MedianWithInterval, FewValuesGiveTheirExtremes) {
  const MedianInterval interval = MedianWithInterval({3, 1, 2});
  EXPECT_EQ(interval.low, 1);
  EXPECT_EQ(interval.high, 3);
  EXPECT_EQ(MedianWithInterval({}).median, 0);
}

TEST(MedianWithInterval, CoversTheTrueMedianOfASkewedDistribution) {
  Rng rng(1);
  int covered = 0;
  const int trials = 1000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> values;
    for (int i = 0; i < 25; ++i) values.push_back(std::exp(rng.Normal()));  // median 1
    const MedianInterval interval = MedianWithInterval(values);
    covered += interval.low <= 1 && 1 <= interval.high;
  }
  EXPECT_GE(covered, 940);  // 95.7 % expected, 2.3 standard deviations below
}

TEST(MedianRatio, CoversTheTrueRatioAndShowsOneThatIsThere) {
  Rng rng(2);
  int covered = 0, false_alarms = 0, shown = 0;
  const int trials = 200;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> a, b, same;
    for (int i = 0; i < 60; ++i) {
      a.push_back(1.1 * std::exp(0.05 * rng.Normal()));
      b.push_back(std::exp(0.05 * rng.Normal()));
      same.push_back(std::exp(0.05 * rng.Normal()));
    }
    const RatioInterval slower = MedianRatio(a, b, 300, 1), equal = MedianRatio(same, b, 300, 1);
    covered += slower.low <= 1.1 && 1.1 <= slower.high;
    shown += slower.low > 1;
    false_alarms += equal.low > 1;
  }
  EXPECT_GE(covered, 0.9 * trials);
  EXPECT_GE(shown, 0.99 * trials);
  EXPECT_LE(false_alarms, 0.06 * trials);  // 2.5 % expected
  EXPECT_EQ(MedianRatio({}, {1}, 10, 1).ratio, 1);
  EXPECT_DOUBLE_EQ(MedianRatio({2, 4, 9}, {2, 2}, 10, 1).ratio, 2);
}

}  // namespace
}  // namespace hot
