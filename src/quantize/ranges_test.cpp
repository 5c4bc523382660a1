#include "quantize/ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/rng.h"

namespace hot {
namespace {

RangeObserver Observe(const std::vector<float>& values) {
  RangeObserver observer;
  observer.Observe(values.data(), std::ssize(values));
  return observer;
}

// A bell with heavy tails, as activations have them.
std::vector<float> HeavyTails(uint64_t seed, int count = 100'000) {
  Rng rng(seed);
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    const double normal = rng.Normal();
    values.push_back(static_cast<float>(rng.Chance(1e-4) ? 12 * normal : normal));
  }
  return values;
}

// Mean squared error of the values themselves after rounding: the oracle of what the histogram only approximates.
double TrueError(const std::vector<float>& values, std::pair<float, float> range, const Scheme& scheme) {
  const ActivationScale s = ScaleOf(range.first, range.second, scheme);
  double error = 0;
  for (const float value : values) {
    const double q = std::clamp<double>(std::nearbyint(value / s.scale) + s.zero_point, scheme.lowest, scheme.highest);
    error += std::pow((q - s.zero_point) * s.scale - value, 2);
  }
  return error / static_cast<double>(values.size());
}

TEST(EstimateRange, MseIsTheBestOfAllRangesByTheValuesThemselves) {
  for (const char* name : {"s8s8", "u8s8"}) {
    const Scheme& scheme = SchemeOf(name);
    const std::vector<float> values = HeavyTails(1);
    const RangeObserver observer = Observe(values);
    const double ours = TrueError(values, EstimateRange(observer, "mse", scheme), scheme);
    for (const std::string& other : RangeMethods())
      EXPECT_LE(ours, TrueError(values, EstimateRange(observer, other, scheme), scheme) * 1.001) << other;
    for (double high = 3; high < 40; high += 0.25) {
      const auto range = std::make_pair(static_cast<float>(-high), static_cast<float>(high));
      EXPECT_LE(ours, TrueError(values, range, scheme) * 1.02) << high;
    }
  }
}

TEST(EstimateRange, KlCutsTheTailsOffAndKeepsTheBody) {
  const std::vector<float> values = HeavyTails(2);
  const auto [low, high] = EstimateRange(Observe(values), "kl", SchemeOf("s8s8"));
  const auto [smallest, largest] = EstimateRange(Observe(values), "minmax", SchemeOf("s8s8"));
  EXPECT_GT(low, 0.8f * smallest);
  EXPECT_LT(high, 0.8f * largest);
  EXPECT_LT(low, -2.5f);
  EXPECT_GT(high, 2.5f);
}

TEST(EstimateRange, OneSidedTensorsKeepZeroAsTheirEnd) {
  std::vector<float> values = HeavyTails(3);
  for (float& value : values) value = std::max(value, 0.0f);  // half of the values are zero, as behind ReLU
  for (const std::string& method : RangeMethods()) {
    const auto [low, high] = EstimateRange(Observe(values), method, SchemeOf("s8s8"));
    EXPECT_EQ(low, 0.0f) << method;
    EXPECT_GT(high, 2.5f) << method;
  }
}

TEST(EstimateRange, UniformValuesNeedTheWholeRange) {
  Rng rng(4);
  std::vector<float> values;
  for (int i = 0; i < 100'000; ++i) values.push_back(static_cast<float>(rng.Uniform(-2, 6)));
  for (const std::string& method : RangeMethods()) {
    const auto [low, high] = EstimateRange(Observe(values), method, SchemeOf("s8s8"));
    EXPECT_NEAR(low, -2, 0.15) << method;
    EXPECT_NEAR(high, 6, 0.15) << method;
  }
}

TEST(EstimateRange, SixteenBitsKeepAllButTheRarest) {
  const std::vector<float> values = HeavyTails(5);
  const RangeObserver observer = Observe(values);
  const Scheme& scheme = SchemeOf("s16s8");
  EXPECT_EQ(EstimateRange(observer, "kl", scheme), EstimateRange(observer, "minmax", scheme));
  EXPECT_GT(EstimateRange(observer, "mse", scheme).second, 0.9f * observer.max());
}

TEST(EstimateRange, WithoutAHistogramEveryMethodGivesTheExtremes) {
  RangeObserver observer(/*histogram=*/false);
  const float values[] = {-1, 5};
  observer.Observe(values, 2);
  for (const std::string& method : RangeMethods())
    EXPECT_EQ(EstimateRange(observer, method, SchemeOf("s8s8")), std::make_pair(-1.0f, 5.0f)) << method;
}

TEST(EstimateRange, RefusesAnUnknownMethod) {
  try {
    EstimateRange(RangeObserver(), "guess", SchemeOf("s8s8"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("minmax, percentile, mse, kl"), std::string::npos);
  }
}

}  // namespace
}  // namespace hot
