#include "train/adam.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/rng.h"

namespace hot {
namespace {

// Algorithm 1 as written, in double.
struct Reference {
  double value, first = 0, second = 0;
  int t = 0;
  void Step(double gradient, double lr) {
    ++t;
    first = 0.9 * first + 0.1 * gradient;
    second = 0.999 * second + 0.001 * gradient * gradient;
    value -= lr * (first / (1 - std::pow(0.9, t))) / (std::sqrt(second / (1 - std::pow(0.999, t))) + 1e-8);
  }
};

TEST(Adam, FollowsThePublishedAlgorithm) {
  constexpr size_t kSize = 1000;
  std::vector<float> values(kSize), gradients(kSize);
  std::vector<Reference> reference;
  Rng rng(1);
  for (float& value : values) reference.push_back({.value = value = static_cast<float>(rng.Normal())});
  Adam adam(kSize, {});
  for (int step = 0; step < 50; ++step) {
    for (size_t i = 0; i < kSize; ++i) {
      gradients[i] = static_cast<float>(rng.Normal() + 0.1 * values[i]);
      reference[i].Step(gradients[i], 0.01);
    }
    adam.Step(values, gradients, 0.01, 0);
  }
  for (size_t i = 0; i < kSize; ++i) ASSERT_NEAR(values[i], reference[i].value, 2e-5) << i;
}

TEST(Adam, ClipsByTheNormOfAllGradients) {
  std::vector<float> values(2, 0.0f), clipped(2, 0.0f), scaled(2, 0.0f);
  Adam a(2, {}), b(2, {});
  const std::vector<float> large{30.0f, 40.0f}, small{3.0f, 4.0f};
  EXPECT_DOUBLE_EQ(a.Step(clipped, large, 0.1, 5.0), 50.0);
  EXPECT_DOUBLE_EQ(b.Step(scaled, small, 0.1, 5.0), 5.0);
  EXPECT_EQ(a.first_moment(), b.first_moment());
  EXPECT_EQ(clipped, scaled);
}

TEST(Adam, DecaysOnlyTheFirstValues) {
  std::vector<float> values{1.0f, 1.0f};
  const std::vector<float> gradients{0.0f, 0.0f};
  Adam adam(2, {.weight_decay = 0.1, .decayed = 1});
  adam.Step(values, gradients, 0.01, 0);
  EXPECT_LT(values[0], 1.0f);
  EXPECT_EQ(values[1], 1.0f);
}

TEST(Adam, LeavesEverythingAloneWhenAGradientIsNotFinite) {
  std::vector<float> values{1.0f, 2.0f};
  const std::vector<float> gradients{0.5f, std::numeric_limits<float>::quiet_NaN()};
  Adam adam(2, {});
  EXPECT_FALSE(std::isfinite(adam.Step(values, gradients, 0.01, 1.0)));
  EXPECT_EQ(values, (std::vector<float>{1.0f, 2.0f}));
  EXPECT_EQ(adam.steps(), 0);
}

}  // namespace
}  // namespace hot
