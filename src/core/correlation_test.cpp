#include "core/correlation.h"

#include <gtest/gtest.h>

#include <vector>

namespace hot {
namespace {

struct Case {
  std::vector<double> a, b;
  double pearson, tau;
};

// By hand, and as scipy.stats has them (pearsonr, kendalltau).
TEST(Correlation, OfSmallSamples) {
  const Case cases[] = {
      {{1, 2, 3, 4}, {10, 20, 30, 40}, 1, 1},
      {{1, 2, 3, 4}, {4, 3, 2, 1}, -1, -1},
      {{1, 2, 3, 4}, {1, 3, 2, 4}, 0.8, 4.0 / 6},
      {{1, 2, 2, 3}, {1, 2, 3, 4}, 0.9486832980505138, 0.9128709291752769},
      {{1, 2, 3, 4}, {1, 2, 3, 100}, 0.7850264209630101, 1},
      {{1, 2, 3}, {5, 5, 5}, 0, 0},
  };
  for (const Case& one : cases) {
    EXPECT_NEAR(Pearson(one.a, one.b), one.pearson, 1e-9);
    EXPECT_NEAR(Pearson(one.b, one.a), one.pearson, 1e-9);
    EXPECT_NEAR(KendallTau(one.a, one.b), one.tau, 1e-12);
    EXPECT_NEAR(KendallTau(one.b, one.a), one.tau, 1e-12);
  }
}

// As scipy.stats.spearmanr has them.
TEST(Correlation, OfRanks) {
  const auto spearman = [](const std::vector<double>& a, const std::vector<double>& b) { return Spearman(a, b); };
  EXPECT_NEAR(spearman({1, 2, 3, 4}, {1, 3, 2, 4}), 0.8, 1e-12);
  EXPECT_NEAR(spearman({1, 2, 3, 4}, {1, 2, 3, 100}), 1, 1e-12);
  EXPECT_NEAR(spearman({1, 2, 2, 3}, {1, 2, 3, 4}), 0.9486832980505138, 1e-12);
  EXPECT_EQ(spearman({1, 2, 3}, {5, 5, 5}), 0);
}

}  // namespace
}  // namespace hot
