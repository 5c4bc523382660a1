#include "pipeline/scoring.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

ScoredPicture Pictured(const Object& object, Detection detection) {
  detection.box = object.box;
  detection.score = 0.5f;
  return {.id = 1, .truth = {object}, .detections = {detection}};
}

TEST(ScoresJson, Boxes) {
  Object object;
  object.box = {10, 10, 50, 50};
  object.area = 1600;
  object.label = 1;
  const Json json = ScoresJson({Pictured(object, {.label = 1})}, {.metric = Metric::kVoc07}, {"a", "b"});
  for (const char* key : {"score", "low", "high", "coco_ap", "ap50", "ap75", "voc07"})
    EXPECT_EQ(json.at(key), 1) << key;
  EXPECT_EQ(json.at("per_class"), Json::parse(R"([{"name": "b", "ap": 1.0, "ap50": 1.0}])"));
}

// Two keypoints: one exactly right, one off by 3 of the 40 pixels of the box.
ScoredPicture TwoPoints() {
  Object object;
  object.box = {10, 10, 50, 50};
  object.area = 1600;
  object.keypoints = {{20, 20, 2}, {30, 30, 2}};
  Detection detection;
  detection.keypoints = {{20, 20, 2}, {33, 30, 2}};
  return Pictured(object, detection);
}

TEST(ScoresJson, KeypointsWithoutConstants) {
  const ScoreOptions options{
      .metric = Metric::kPck, .predicted = Predicted::kKeypoints, .oks = {}, .pck_threshold = 0.2};
  const Json json = ScoresJson({TwoPoints()}, options, {"nose"});
  for (const char* key : {"coco_ap", "ap50", "ap75"}) EXPECT_TRUE(json.at(key).is_null()) << key;
  for (const char* key : {"score", "low", "high", "pck", "pck10"}) EXPECT_EQ(json.at(key), 1) << key;
  EXPECT_EQ(json.at("pck05"), 0.5);
  EXPECT_EQ(json.at("per_keypoint"), Json::parse(R"([{"name": "nose", "pck05": 1.0, "pck10": 1.0},
                                                     {"name": "1", "pck05": 0.0, "pck10": 1.0}])"));
}

TEST(ScoresJson, KeypointsWithConstants) {
  const ScoreOptions options{.predicted = Predicted::kKeypoints, .oks = {.sigmas = {0.1, 0.1}}};
  const Json json = ScoresJson({TwoPoints()}, options, {"nose", "chin"});
  // exp(-3^2 / (2 * 1600 * 0.2^2)) = 0.932: OKS 0.966, above all thresholds.
  for (const char* key : {"score", "coco_ap", "ap50", "ap75"}) EXPECT_EQ(json.at(key), 1) << key;
}

}  // namespace
}  // namespace hot
