#include "train/weight_average.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hot {
namespace {

TEST(WeightAverage, DecayRisesToWhatWasAskedFor) {
  EXPECT_DOUBLE_EQ(AverageDecay(0.99, 1), 2.0 / 11);
  EXPECT_DOUBLE_EQ(AverageDecay(0.99, 100), 101.0 / 110);
  EXPECT_DOUBLE_EQ(AverageDecay(0.99, 891), 0.99);
  EXPECT_DOUBLE_EQ(AverageDecay(0.99, 1'000'000), 0.99);
  EXPECT_DOUBLE_EQ(AverageDecay(0.1, 1), 0.1);
}

TEST(WeightAverage, FollowsItsFormula) {
  WeightAverage average(0.9);
  std::vector<float> values{1.0f, -2.0f, 0.5f};
  average.Start(at::tensor(values));
  std::vector<double> expected(values.begin(), values.end());
  for (int64_t step = 1; step <= 200; ++step) {
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = std::sin(static_cast<float>(step) * static_cast<float>(i + 1));
      expected[i] = AverageDecay(0.9, step) * expected[i] + (1 - AverageDecay(0.9, step)) * values[i];
    }
    average.Update(at::tensor(values), step);
  }
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(average.values()[static_cast<int64_t>(i)].item<double>(), expected[i], 1e-5) << i;
}

// 30 steps with a decay whose memory is 10,000 steps long: without the rise the start would still weigh 99.7 %.
TEST(WeightAverage, ForgetsTheStartOfAShortTraining) {
  WeightAverage average(0.9999);
  average.Start(at::full({1}, 100.0));
  for (int64_t step = 1; step <= 30; ++step) average.Update(at::ones({1}), step);
  EXPECT_NEAR(average.values().item<double>(), 1, 1e-3);
}

TEST(WeightAverage, KeepsWeightsThatDoNotMove) {
  WeightAverage average(0.999);
  const at::Tensor frozen = at::tensor({0.1f, -3.7e-5f});
  average.Start(frozen);
  for (int64_t step = 1; step <= 100; ++step) average.Update(frozen, step);
  EXPECT_TRUE(average.values().equal(frozen));
}

TEST(WeightAverage, OffItHoldsNothing) {
  WeightAverage average(0);
  average.Start(at::ones({1}));
  average.Update(at::ones({1}), 1);
  EXPECT_FALSE(average.enabled());
  EXPECT_EQ(average.values().numel(), 0);
}

}  // namespace
}  // namespace hot
