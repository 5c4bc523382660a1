#include "pipeline/whole_networks.h"

#include <gtest/gtest.h>

namespace hot {
namespace {

// One network that takes `latency_us` beside a canary of 1 us, and the reference network.
WholeCall Call(int64_t latency_us, double drift) {
  Measurement row;
  row.samples_ns.assign(6, latency_us * 1000);
  row.canary_ns.assign(6, 1000);
  row.median_ns = static_cast<double>(latency_us) * 1000;
  row.canary_median_ns = 1000;
  return {.rows = {row}, .drift = drift};
}

TEST(MeasureNearReference, OneCallIsEnoughWhenTheReferenceIsNear) {
  int calls = 0;
  const auto rows = MeasureNearReference([&] { return ++calls, Call(102, 1.02); });
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_DOUBLE_EQ(rows[0].median_ns, 100'000);
}

// In bursts of a neighbour the network loses 30 %, the reference 10 %: no factor would make up for it.
TEST(MeasureNearReference, ReplacesACallInWhichTheReferenceNetworkIsSlow) {
  int calls = 0;
  const auto rows = MeasureNearReference([&] { return ++calls == 1 ? Call(130, 1.1) : Call(100, 1); });
  EXPECT_EQ(calls, 2);
  EXPECT_DOUBLE_EQ(rows[0].median_ns, 100'000);
}

TEST(MeasureNearReference, TakesTheNearestWhenItNeverGetsBetter) {
  int calls = 0;
  const auto rows = MeasureNearReference([&] { return ++calls == 2 ? Call(110, 1.1) : Call(240, 1.2); });
  EXPECT_EQ(calls, 3);
  EXPECT_DOUBLE_EQ(rows[0].median_ns, 100'000);
}

}  // namespace
}  // namespace hot
