#include "quantize/range_observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/rng.h"

namespace hot {
namespace {

TEST(RangeObserver, TailZeroIsMinMax) {
  RangeObserver observer;
  EXPECT_TRUE(observer.empty());
  const float values[] = {0.5f, -2.0f, 3.25f};
  observer.Observe(values, 3);
  EXPECT_FALSE(observer.empty());
  EXPECT_EQ(observer.Percentile(0), std::make_pair(-2.0f, 3.25f));
}

TEST(RangeObserver, PercentileMatchesSortedValuesHoweverTheRangeGrew) {
  Rng rng(5);
  std::vector<float> all;
  RangeObserver observer;
  for (int batch = 0; batch < 40; ++batch) {
    std::vector<float> values;
    for (int i = 0; i < 1000; ++i)
      values.push_back(static_cast<float>(rng.Normal() * std::pow(1.15, batch) - 0.1 * batch));
    observer.Observe(values.data(), 1000);
    all.insert(all.end(), values.begin(), values.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(observer.min(), all.front());
  EXPECT_EQ(observer.max(), all.back());
  const float bin = (all.back() - all.front()) / 500;  // bins may be up to four times as wide as ideal
  for (const double tail : {1e-3, 1e-2, 0.1}) {
    const auto [low, high] = observer.Percentile(tail);
    const auto index = static_cast<size_t>(tail * static_cast<double>(all.size()));
    EXPECT_NEAR(low, all[index], bin) << tail;
    EXPECT_NEAR(high, all[all.size() - 1 - index], bin) << tail;
    EXPECT_LE(low, all[index]) << tail;
    EXPECT_GE(high, all[all.size() - 1 - index]) << tail;
  }
}

TEST(RangeObserver, OneOutlierIsCutOff) {
  RangeObserver observer;
  std::vector<float> values(200'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000) / 1000.0f;
  values[77] = 40.0f;
  observer.Observe(values.data(), static_cast<int64_t>(values.size()));
  EXPECT_LT(observer.Percentile(1e-5).second, 1.1f);
  EXPECT_EQ(observer.Percentile(0).second, 40.0f);
}

TEST(RangeObserver, GrowsFromAConstantToAnyRange) {
  RangeObserver observer;
  const float zero = 0, far[] = {-1e6f, 1e6f};
  observer.Observe(&zero, 1);
  observer.Observe(far, 2);
  EXPECT_EQ(observer.Percentile(1e-5), std::make_pair(-1e6f, 1e6f));
}

TEST(RangeObserver, WithoutAHistogramItKnowsTheExtremesOnly) {
  RangeObserver observer(/*histogram=*/false);
  Rng rng(3);
  float low = 0, high = 0;
  for (const int count : {1, 15, 16, 17, 40}) {
    std::vector<float> values;
    for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(rng.Normal()));
    observer.Observe(values.data(), count);
    low = std::min(low, *std::min_element(values.begin(), values.end()));
    high = std::max(high, *std::max_element(values.begin(), values.end()));
  }
  EXPECT_FALSE(observer.empty());
  EXPECT_EQ(observer.Percentile(1e-2), std::make_pair(low, high));
  EXPECT_TRUE(observer.histogram().counts.empty());
}

TEST(RangeObserver, ValuesThatAreNotFiniteBreakIt) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    RangeObserver observer;
    const float values[] = {1.0f, bad, 2.0f}, good = 1.0f;
    observer.Observe(values, 3);
    observer.Observe(&good, 1);
    EXPECT_FALSE(observer.empty());
    EXPECT_TRUE(std::isnan(observer.min()));
    EXPECT_TRUE(std::isnan(observer.Percentile(1e-5).first));
  }
}

}  // namespace
}  // namespace hot
