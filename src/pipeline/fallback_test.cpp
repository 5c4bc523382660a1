#include "pipeline/fallback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hot {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Layers(int count) {
  std::vector<std::string> layers;
  for (int i = 0; i < count; ++i) layers.push_back("layer" + std::to_string(100 + i));
  return layers;
}

// Each of the first `bad` layers costs 0.02 while it is not in float.
ScoreWith Machine(int bad, int& asked) {
  return [bad, &asked](const std::set<std::string>& float_layers) {
    ++asked;
    double score = 0.8;
    for (const std::string& layer : Layers(bad)) score -= float_layers.contains(layer) ? 0 : 0.02;
    return score;
  };
}

TEST(FindFallBack, TakesNoLayerMoreThanThePromiseNeeds) {
  for (int bad = 0; bad <= 60; ++bad) {
    int asked = 0;
    const FallBack found = FindFallBack([] { return Layers(60); }, 0.795, Machine(bad, asked));
    EXPECT_TRUE(found.holds);
    EXPECT_THAT(found.layers, SizeIs(bad));
    EXPECT_DOUBLE_EQ(found.score, 0.8);
    EXPECT_LE(asked, 14) << "doubling, then halving";
  }
}

TEST(FindFallBack, KeepsTheBestWhereNothingIsEnough) {
  int asked = 0;
  const FallBack found = FindFallBack([] { return Layers(5); }, 0.9, Machine(3, asked));
  EXPECT_FALSE(found.holds);
  EXPECT_DOUBLE_EQ(found.score, 0.8);
  EXPECT_THAT(found.layers, SizeIs(4)) << "1, 2 and 4 were tried; all 5 are no better";
}

TEST(FindFallBack, HasNothingToDoWithoutLayers) {
  int asked = 0;
  const FallBack found = FindFallBack([] { return Layers(0); }, 0.9, Machine(0, asked));
  EXPECT_FALSE(found.holds);
  EXPECT_THAT(found.layers, IsEmpty());
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace hot
