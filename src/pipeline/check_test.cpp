#include "pipeline/check.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace hot {
namespace {

Measurement Measured(double median_ns, uint64_t seed, double drift = 1) {
  Measurement m{.median_ns = median_ns};
  Rng rng(seed);
  for (int i = 0; i < 64; ++i) {
    const double speed = 1 + drift * 0.3 * rng.Uniform();  // of the machine: canary and subject alike
    m.samples_ns.push_back(static_cast<int64_t>(median_ns * speed * std::exp(0.01 * rng.Normal())));
    m.canary_ns.push_back(static_cast<int64_t>(300'000 * speed));
  }
  return m;
}

// Pictures with one box each, of which the first `right` are found.
std::vector<ScoredPicture> Found(int pictures, int right) {
  std::vector<ScoredPicture> found;
  for (int i = 0; i < pictures; ++i) {
    const Box truth{10, 10, 30, 30}, elsewhere{60, 60, 80, 80};
    ScoredPicture picture{.id = i, .truth = {}, .detections = {}};
    picture.truth.push_back({.box = truth, .label = 0});
    picture.detections.push_back({.box = i < right ? truth : elsewhere, .label = 0, .score = 0.9f});
    found.push_back(picture);
  }
  return found;
}

CheckResult Judge(double ns, double baseline_ns, int right, int baseline_right, const CheckOptions& options = {}) {
  return JudgeCheck(Measured(ns, 1), Measured(baseline_ns, 2), Found(60, right), Found(60, baseline_right),
                    {.metric = Metric::kAp50}, options);
}

TEST(JudgeCheck, TheSameIsNotWorse) {
  const CheckResult result = Judge(1e6, 1e6, 50, 50);
  EXPECT_FALSE(result.slower);
  EXPECT_FALSE(result.less_accurate);
  EXPECT_EQ(result.difference.difference, 0);
  EXPECT_EQ(result.pictures, 60u);
  EXPECT_EQ(result.score_name, "ap50");
}

TEST(JudgeCheck, SlowerAndLessAccurateAreFoundEachOnItsOwn) {
  const CheckResult slower = Judge(1.1e6, 1e6, 50, 50);
  EXPECT_TRUE(slower.slower);
  EXPECT_NEAR(slower.ratio.ratio, 1.1, 0.01);
  EXPECT_FALSE(slower.less_accurate);
  const CheckResult worse = Judge(1e6, 1e6, 30, 50);
  EXPECT_FALSE(worse.slower);
  EXPECT_TRUE(worse.less_accurate);
  EXPECT_LT(worse.difference.high, 0);
}

TEST(JudgeCheck, BetterIsNoRegression) {
  const CheckResult result = Judge(0.8e6, 1e6, 55, 30);
  EXPECT_FALSE(result.slower);
  EXPECT_FALSE(result.less_accurate);
}

TEST(JudgeCheck, MarginsAreRegarded) {
  EXPECT_FALSE(Judge(1.01e6, 1e6, 50, 50).slower) << "2 % are the default";
  EXPECT_TRUE(Judge(1.01e6, 1e6, 50, 50, {.latency_margin = 0}).slower);
  EXPECT_FALSE(Judge(1.1e6, 1e6, 50, 50, {.latency_margin = 0.2}).slower);
  EXPECT_FALSE(Judge(1e6, 1e6, 30, 50, {.accuracy_margin = 0.6}).less_accurate);
}

}  // namespace
}  // namespace hot
