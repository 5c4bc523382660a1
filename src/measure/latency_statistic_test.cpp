#include "measure/latency_statistic.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace hot {
namespace {

// Ten samples of 100 to 190 beside a canary of 10: 14.5 canaries in the middle.
Measurement Ramp() {
  Measurement measured;
  for (int i = 0; i < 10; ++i) {
    measured.samples_ns.push_back(100 + 10 * i);
    measured.canary_ns.push_back(10);
  }
  measured.median_ns = 290, measured.low_ns = 280, measured.high_ns = 300;
  return measured;
}

TEST(LatencyStatisticTest, IsOfNormalisedSamples) {
  const Measurement ramp = Ramp();
  EXPECT_DOUBLE_EQ(InStatistic(ramp, LatencyStatistic::kMedian).median_ns, 290);
  EXPECT_DOUBLE_EQ(InStatistic(ramp, LatencyStatistic::kMean).median_ns, 290);
  const Measurement p90 = InStatistic(ramp, LatencyStatistic::kP90);
  EXPECT_DOUBLE_EQ(p90.median_ns, 290 * 18.1 / 14.5);
  EXPECT_DOUBLE_EQ(p90.low_ns, 280 * 18.1 / 14.5);
  // A machine that is half as fast for half of the time has the same numbers.
  Measurement slow = ramp;
  for (size_t i = 0; i < 10; i += 2) slow.samples_ns[i] *= 2, slow.canary_ns[i] *= 2;
  EXPECT_DOUBLE_EQ(InStatistic(slow, LatencyStatistic::kP90).median_ns, p90.median_ns);
}

TEST(LatencyStatisticTest, AMeanFeelsRareSlowSamples) {
  Measurement measured = Ramp();
  for (int64_t& sample : measured.samples_ns) sample = 100;
  measured.samples_ns[0] = 600;
  EXPECT_DOUBLE_EQ(StatisticOverMedian(LatencyStatistic::kMean, measured.samples_ns, measured.canary_ns), 1.5);
  EXPECT_NEAR(StatisticOverMedian(LatencyStatistic::kP90, measured.samples_ns, measured.canary_ns), 1.5, 1e-9);
  EXPECT_DOUBLE_EQ(StatisticOverMedian(LatencyStatistic::kMedian, measured.samples_ns, measured.canary_ns), 1);
}

TEST(LatencyStatisticTest, AnEstimateIsOneNumber) {
  for (const char* name : {"median", "mean", "p90"}) {
    const LatencyStatistic statistic = ParseLatencyStatistic(name);
    EXPECT_EQ(LatencyStatisticName(statistic), name);
    EXPECT_EQ(InStatistic(Estimated(5e6), statistic).median_ns, 5e6);
  }
  EXPECT_THROW(ParseLatencyStatistic("p99"), Error);
  EXPECT_GT(LeastSamples(LatencyStatistic::kP90), LeastSamples(LatencyStatistic::kMedian));
}

}  // namespace
}  // namespace hot
