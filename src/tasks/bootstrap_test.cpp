// The bootstrap scores resamples from matches that were made once: that must equal scoring the resampled pictures anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "tasks/coco_ranking.h"

namespace hot {
namespace {

constexpr int kClasses = 3;

Box RandomBox(Rng& rng) {
  const double x = rng.Uniform(0, 80), y = rng.Uniform(0, 80);
  return {x, y, x + rng.Uniform(4, 60), y + rng.Uniform(4, 60)};
}

// `noise` pixels move the detections' corners. All scores differ.
ScoredPicture RandomPicture(int64_t id, double noise, Rng& rng) {
  ScoredPicture picture;
  picture.id = id;
  for (int64_t i = rng.Below(8); i > 0; --i) {
    Object object;
    object.box = RandomBox(rng);
    object.area = object.box.area();
    object.label = static_cast<int>(rng.Below(kClasses));
    object.crowd = rng.Chance(0.1);
    object.difficult = rng.Chance(0.1);
    const Box& b = object.box;
    const auto moved = [&](double value) { return value + noise * rng.Normal(); };
    for (int64_t d = rng.Below(3); d > 0; --d) {
      const Box box{moved(b.x0), moved(b.y0), moved(b.x1), moved(b.y1)};
      picture.detections.push_back({box, object.label, static_cast<float>(rng.Uniform())});
    }
    picture.truth.push_back(object);
  }
  for (int64_t i = rng.Below(10); i > 0; --i) {
    picture.detections.push_back(
        {RandomBox(rng), static_cast<int>(rng.Below(kClasses)), static_cast<float>(rng.Uniform())});
  }
  return picture;
}

std::vector<ScoredPicture> RandomPictures(int count, double noise, uint64_t seed) {
  Rng rng(seed);
  std::vector<ScoredPicture> pictures;
  for (int i = 0; i < count; ++i) pictures.push_back(RandomPicture(i, noise, rng));
  return pictures;
}

void ExpectWeightsEqualCopies(const std::vector<RankedClass>& matched_once, const std::vector<RankedClass>& anew,
                              const PictureWeights& weights, size_t copies, int thresholds, Recall kind) {
  const PictureWeights ones(copies, 1);
  for (const RankedClass& ranked : matched_once) {
    const auto same = [&](const RankedClass& other) { return other.label == ranked.label; };
    const auto found = std::find_if(anew.begin(), anew.end(), same);
    const WeightedClass weighted(ranked, weights);
    for (int t = 0; t < thresholds; ++t) {
      const CurveResult ours = weighted.AveragePrecision(t, kind);
      const CurveResult plain =
          found == anew.end() ? CurveResult{} : WeightedClass(*found, ones).AveragePrecision(t, kind);
      EXPECT_NEAR(ours.ap, plain.ap, 1e-12) << t;
      EXPECT_NEAR(ours.recall, plain.recall, 1e-12) << t;
      EXPECT_NEAR(weighted.RecallOf(t, 255), ours.recall, 1e-12) << t;
    }
  }
}

TEST(Bootstrap, WeightsEqualCopiesOfPictures) {
  const auto overlap = MakeBoxOverlap();
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    const std::vector<ScoredPicture> pictures = RandomPictures(15, 3, seed);
    Rng rng(seed);
    PictureWeights weights;
    std::vector<ScoredPicture> copies;
    for (const ScoredPicture& picture : pictures) {
      weights.push_back(static_cast<int>(rng.Below(4)));
      copies.insert(copies.end(), static_cast<size_t>(weights.back()), picture);
    }
    ExpectWeightsEqualCopies(RankCoco(pictures, *overlap), RankCoco(copies, *overlap), weights, copies.size(), 10,
                             Recall::kCoco101);
    for (Recall kind : {Recall::kVoc11, Recall::kArea}) {
      ExpectWeightsEqualCopies(RankVoc(pictures, {}), RankVoc(copies, {}), weights, copies.size(), 1, kind);
    }
  }
}

TEST(Bootstrap, SameSeedSameInterval) {
  const std::vector<ScoredPicture> a = RandomPictures(30, 6, 1);
  std::vector<ScoredPicture> b = a;
  for (ScoredPicture& picture : b) {
    for (Detection& detection : picture.detections) detection.score = 1 - detection.score;
  }
  for (Metric metric : {Metric::kCocoAp, Metric::kAp50, Metric::kVoc07}) {
    const ScoreOptions options{.metric = metric};
    EXPECT_EQ(BootstrapInterval(a, options, 200, 3), BootstrapInterval(a, options, 200, 3));
    EXPECT_NE(BootstrapInterval(a, options, 200, 3), BootstrapInterval(a, options, 200, 4));
    const PairedDifference there = PairedBootstrap(a, b, options, 200, 3);
    const PairedDifference back = PairedBootstrap(b, a, options, 200, 3);
    EXPECT_DOUBLE_EQ(there.difference, Score(b, options) - Score(a, options));
    EXPECT_LE(there.low, there.high);
    EXPECT_NEAR(there.low, -back.high, 1e-12);
  }
}

TEST(Bootstrap, BoxesThatAreNotNumbersMatchNothing) {
  std::vector<ScoredPicture> pictures = RandomPictures(5, 0, 2);
  const double nan = std::nan("");
  for (ScoredPicture& picture : pictures) {
    for (Detection& detection : picture.detections) detection.box = {nan, nan, nan, nan};
  }
  for (Metric metric : {Metric::kCocoAp, Metric::kAp50, Metric::kVoc07})
    EXPECT_EQ(Score(pictures, {.metric = metric}), 0);
}

TEST(Score, MetricsAreRefusedForWhatTheyCannotScore) {
  for (const ScoreOptions& options : {ScoreOptions{.metric = Metric::kPck},
                                      {.metric = Metric::kVoc07, .predicted = Predicted::kKeypoints},
                                      {.metric = Metric::kTop1},
                                      {.metric = Metric::kAp50, .predicted = Predicted::kClasses}}) {
    try {
      Score({}, options);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace hot
