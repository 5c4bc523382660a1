#include "pipeline/correction.h"

#include <gtest/gtest.h>

namespace hot {
namespace {

TEST(FitCorrection, FindsInterceptAndSlope) {
  std::vector<PredictedMeasured> pairs;
  for (double p : {1e6, 2e6, 3e6, 5e6}) pairs.push_back({p, 2e5 + 1.25 * p});
  const CostCorrection fit = FitCorrection(pairs);
  EXPECT_NEAR(fit.intercept_ns, 2e5, 1);
  EXPECT_NEAR(fit.slope, 1.25, 1e-9);
  EXPECT_NEAR(fit.sigma, 0, 1e-9);
}

TEST(FitCorrection, FewOrEqualSumsGiveARatio) {
  EXPECT_EQ(FitCorrection({}).slope, 1);
  const CostCorrection few = FitCorrection({{1e6, 1.2e6}, {2e6, 2.4e6}, {9e6, 90e6}});
  EXPECT_DOUBLE_EQ(few.slope, 1.2);
  EXPECT_EQ(few.intercept_ns, 0);
  EXPECT_EQ(FitCorrection({{1e6, 1.1e6}, {1.01e6, 1.1e6}, {1.02e6, 1.1e6}, {1.03e6, 1.1e6}}).intercept_ns, 0);
}

TEST(FitCorrection, SigmaIsTheSpreadAroundTheLine) {
  std::vector<PredictedMeasured> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back({1e6 + 2e5 * i, (1e6 + 2e5 * i) * (i % 2 == 0 ? 1.03 : 0.97)});
  EXPECT_NEAR(FitCorrection(pairs).sigma, 0.03, 0.005);
  EXPECT_EQ(FitCorrection({{1e6, 1.2e6}}).sigma, 0) << "one network says nothing about the spread";
}

TEST(FitCorrection, RefusesANonsensicalLine) {
  const CostCorrection fit = FitCorrection({{1e6, 5e6}, {2e6, 4e6}, {3e6, 3e6}, {4e6, 2e6}});  // falling
  EXPECT_EQ(fit.intercept_ns, 0);
  EXPECT_GT(fit.slope, 0);
}

}  // namespace
}  // namespace hot
