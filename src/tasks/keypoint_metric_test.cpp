// OKS average precision against pycocotools, and the percentage of correct keypoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/rng.h"
#include "core/subprocess.h"
#include "data/test_data.h"
#include "tasks/metric.h"
#include "tasks/testing/coco_files.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr ScoreOptions kOks{.metric = Metric::kCocoAp, .predicted = Predicted::kKeypoints};

OksOptions OptionsFor(const Json& detections) { return {.area_of_box = detections.at(0).contains("bbox")}; }

// In the order of COCOeval.stats.
std::vector<double> Stats(const OksResult& r) {
  return {r.ap, r.ap50, r.ap75, r.ap_medium, r.ap_large, r.ar, r.ar50, r.ar75, r.ar_medium, r.ar_large};
}
const std::vector<std::string> kStatNames{"AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl"};

class KeypointOracle : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(KeypointOracle, EqualsPycocotools) {
  const auto folder = RealData("oracle/" + GetParam().first);
  if (!folder) GTEST_SKIP() << "skipped: no oracle " << GetParam().first;
  const Json truth = Json::parse(ReadFile(*folder / GetParam().second));
  const Json expected = Json::parse(ReadFile(*folder / "expected_keypoints.json"));
  for (const auto& [file, numbers] : expected.at("results").items()) {
    SCOPED_TRACE(file);
    const Json detections = Json::parse(ReadFile(*folder / file));
    const auto pictures = ReadCoco(truth, detections);
    const OksResult result = CocoKeypointAp(pictures, OptionsFor(detections));
    const std::vector<double> stats = Stats(result);
    ASSERT_EQ(numbers.at("stats").size(), stats.size());
    for (size_t i = 0; i < stats.size(); ++i)
      EXPECT_NEAR(stats[i], numbers.at("stats").at(kStatNames[i]).get<double>(), 1e-6) << kStatNames[i];
    ASSERT_EQ(result.per_class.size(), numbers.at("per_category").size());
    for (const auto& [id, own] : numbers.at("per_category").items()) {
      EXPECT_NEAR(result.per_class.at(std::stoi(id)).first, own.at("AP").get<double>(), 1e-6);
      EXPECT_NEAR(result.per_class.at(std::stoi(id)).second, own.at("AP50").get<double>(), 1e-6);
    }
    ScoreOptions options = kOks;
    EXPECT_NEAR(Score(pictures, options), result.ap, 1e-12);
    options.metric = Metric::kAp50;
    EXPECT_NEAR(Score(pictures, options), result.ap50, 1e-12);
  }
}
INSTANTIATE_TEST_SUITE_P(Folders, KeypointOracle,
                         testing::Values(std::pair{"coco_keypoints", "person_keypoints_gt.json"},
                                         std::pair{"keypoints_single_image", "gt_dataset.json"}),
                         [](const auto& info) { return info.param.first; });

struct Made {
  Json truth, detections;
};

// Whole quarters of a pixel are the same number in float and double.
double Quarter(double value) { return std::round(value * 4) / 4; }

Json MakeAnnotation(int64_t id, int64_t image, size_t keypoints, Rng& rng) {
  const double x = Quarter(rng.Uniform(0, 100)), y = Quarter(rng.Uniform(0, 100));
  const double w = Quarter(rng.Uniform(5, 160)), h = Quarter(rng.Uniform(5, 160));
  Json points = Json::array();
  int labelled = 0;
  const bool bare = rng.Chance(0.15);  // no labelled keypoints
  for (size_t k = 0; k < keypoints; ++k) {
    const int visibility = bare ? 0 : static_cast<int>(rng.Below(3));
    labelled += visibility > 0 ? 1 : 0;
    points.push_back(visibility > 0 ? Quarter(rng.Uniform(x, x + w)) : 0);
    points.push_back(visibility > 0 ? Quarter(rng.Uniform(y, y + h)) : 0);
    points.push_back(visibility);
  }
  return {{"id", id},
          {"image_id", image},
          {"category_id", 1 + rng.Below(2)},
          {"bbox", {x, y, w, h}},
          {"area", Quarter(w * h * 0.7)},
          {"iscrowd", rng.Chance(0.1) ? 1 : 0},
          {"num_keypoints", labelled},
          {"keypoints", points}};
}

Json MakeDetection(const Json& truth, bool boxes, Rng& rng) {
  const double noise = rng.Uniform(0, 0.08) * std::sqrt(truth.at("area").get<double>());
  const Json& box = truth.at("bbox");
  Json points = Json::array();
  for (size_t i = 0; i < truth.at("keypoints").size(); i += 3) {
    const bool labelled = truth.at("keypoints")[i + 2] > 0;
    for (size_t axis = 0; axis < 2; ++axis) {
      const double center = box[axis].get<double>() + rng.Uniform(-1.2, 2.2) * box[axis + 2].get<double>();
      const double base = labelled ? truth.at("keypoints")[i + axis].get<double>() : center;
      points.push_back(Quarter(base + noise * rng.Normal()));
    }
    points.push_back(1);
  }
  Json detection{{"image_id", truth.at("image_id")},
                 {"category_id", rng.Chance(0.9) ? truth.at("category_id") : Json(1 + rng.Below(2))},
                 {"score", static_cast<double>(rng.Below(16)) / 16},
                 {"keypoints", points}};
  if (boxes) detection["bbox"] = box;
  return detection;
}

// Crowds, objects without labelled keypoints, equal scores, more than 20 detections and none at all, wrong classes.
Made RandomCase(uint64_t seed, size_t keypoints, bool boxes) {
  Rng rng(seed);
  Made made{{{"images", Json::array()}, {"annotations", Json::array()}, {"categories", Json::array()}}, Json::array()};
  for (int c = 1; c <= 2; ++c) made.truth["categories"].push_back({{"id", c}, {"name", std::to_string(c)}});
  for (int64_t image = 1; image <= 12; ++image) {
    made.truth["images"].push_back({{"id", image}, {"width", 300}, {"height", 300}});
    const bool found = !rng.Chance(0.2);
    for (int64_t i = rng.Below(7); i > 0; --i) {
      const auto id = static_cast<int64_t>(made.truth["annotations"].size()) + 1;
      const Json annotation = MakeAnnotation(id, image, keypoints, rng);
      made.truth["annotations"].push_back(annotation);
      for (int64_t d = found ? rng.Below(14) : 0; d > 0; --d)
        made.detections.push_back(MakeDetection(annotation, boxes, rng));
    }
  }
  return made;
}

constexpr const char* kScript = R"(
import sys, json, contextlib, io
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
with contextlib.redirect_stdout(io.StringIO()):
    g = COCO(sys.argv[1]); e = COCOeval(g, g.loadRes(sys.argv[2]), 'keypoints')
    sigmas = json.loads(sys.argv[3])
    if sigmas: e.params.kpt_oks_sigmas = np.array(sigmas)
    e.evaluate(); e.accumulate(); e.summarize()
print(json.dumps([float(v) for v in e.stats]))
)";

TEST(CocoKeypointAp, EqualsPycocotoolsSideBySide) {
  const fs::path python = HOT_SOURCE_DIR "/.venv/bin/python";
  if (!fs::exists(python) || !RunProcess({python, "-c", "import pycocotools.cocoeval"}).status.ok())
    GTEST_SKIP() << "skipped: no pycocotools";
  TempFolder folder;
  WriteFileAtomic(folder.path() / "run.py", kScript);
  const std::vector<double> sigmas{0.05, 0.1, 0.025, 0.08, 0.06};
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    const bool own_sigmas = seed % 2 == 0, boxes = seed > 3;
    const Made made = RandomCase(seed, own_sigmas ? sigmas.size() : 17, boxes);
    WriteFileAtomic(folder.path() / "gt.json", made.truth.dump());
    WriteFileAtomic(folder.path() / "dt.json", made.detections.dump());
    const ProcessResult ran = RunProcess({python, folder.path() / "run.py", folder.path() / "gt.json",
                                          folder.path() / "dt.json", own_sigmas ? Json(sigmas).dump() : "[]"});
    ASSERT_TRUE(ran.status.ok()) << ran.output;
    const Json theirs = Json::parse(ran.output.substr(ran.output.find('[')));
    OksOptions options{.sigmas = {}, .area_of_box = boxes};
    if (own_sigmas) options.sigmas = sigmas;
    const std::vector<double> ours = Stats(CocoKeypointAp(ReadCoco(made.truth, made.detections), options));
    ASSERT_EQ(theirs.size(), ours.size());
    EXPECT_GT(ours[0], 0.05);
    EXPECT_LT(ours[0], 0.95);
    for (size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], theirs[i].get<double>(), 1e-9) << kStatNames[i];
  }
}

Object Person(Box box, std::vector<Keypoint> keypoints) {
  Object object;
  object.box = box;
  object.area = box.area();
  object.keypoints = std::move(keypoints);
  return object;
}

Detection Pose(Box box, std::vector<Keypoint> keypoints) {
  return {.box = box, .label = 0, .score = 0.5f, .keypoints = std::move(keypoints)};
}

TEST(CocoKeypointAp, NothingLabelledIsUndefined) {
  const OksOptions two{.sigmas = {0.1, 0.1}};
  EXPECT_EQ(CocoKeypointAp({}).ap, -1);
  const std::vector<ScoredPicture> bare{
      {.id = 1, .truth = {Person({0, 0, 9, 9}, {{}, {}})}, .detections = {Pose({0, 0, 9, 9}, {{1, 1, 2}, {2, 2, 2}})}}};
  EXPECT_EQ(CocoKeypointAp(bare, two).ap, -1);
  EXPECT_TRUE(CocoKeypointAp(bare, two).per_class.empty());
}

TEST(CocoKeypointAp, NotANumberMatchesNothing) {
  const OksOptions two{.sigmas = {0.1, 0.1}};
  const float nan = std::nanf("");
  std::vector<ScoredPicture> pictures{{.id = 1,
                                       .truth = {Person({0, 0, 9, 9}, {{1, 1, 2}, {2, 2, 2}})},
                                       .detections = {Pose({0, 0, 9, 9}, {{nan, 1, 2}, {2, 2, 2}})}}};
  EXPECT_EQ(CocoKeypointAp(pictures, two).ap, 0);
  pictures[0].detections[0].keypoints[0].x = 1;
  EXPECT_DOUBLE_EQ(CocoKeypointAp(pictures, two).ap, 1);
}

TEST(CocoKeypointAp, OneConstantForEachKeypoint) {
  const std::vector<Keypoint> two{{1, 1, 2}, {2, 2, 2}}, three{{1, 1, 2}, {2, 2, 2}, {3, 3, 2}};
  const ScoredPicture truth{.id = 7, .truth = {Person({0, 0, 9, 9}, two)}, .detections = {}};
  const ScoredPicture detection{.id = 8, .truth = {}, .detections = {Pose({0, 0, 9, 9}, three)}};
  EXPECT_THAT(ThrownBy([&] { CocoKeypointAp({truth}); }).what(), HasSubstr("picture 7 has 2 keypoints"));
  EXPECT_THAT(ThrownBy([&] { CocoKeypointAp({truth}); }).what(), HasSubstr("17 OKS constants"));
  const OksOptions options{.sigmas = {0.1, 0.1}};
  EXPECT_NO_THROW(CocoKeypointAp({truth}, options));
  const Error error = ThrownBy([&] { CocoKeypointAp({truth, detection}, options); });
  EXPECT_THAT(error.what(), HasSubstr("picture 8 has 3 keypoints"));
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
}

TEST(Pck, SharesByKeypointAndPooled) {
  // The longer side is 100: within 5 and within 10 pixels.
  const Box box{0, 0, 100, 40};
  const std::vector<Keypoint> truth{{10, 10, 2}, {20, 20, 1}, {0, 0, 0}, {40, 20, 2}};
  const std::vector<Keypoint> ours{{13, 14, 0}, {20, 30, 0}, {90, 9, 0}, {40, 30.25f, 0}};
  const std::vector<Keypoint> second{{10, 10, 2}, {}, {}, {}};
  const PckResult result = Pck({{.id = 1, .truth = {Person(box, truth)}, .detections = {Pose(box, ours)}},
                                {.id = 2, .truth = {Person(box, second)}, .detections = {}}});
  EXPECT_THAT(result.thresholds, ElementsAre(0.05, 0.1));
  EXPECT_THAT(result.labelled, ElementsAre(2, 1, 0, 1));
  EXPECT_THAT(result.per_keypoint,
              ElementsAre(ElementsAre(0.5, 0.5), ElementsAre(0, 1), ElementsAre(-1, -1), ElementsAre(0, 0)));
  EXPECT_THAT(result.mean, ElementsAre(0.25, 0.5));
}

TEST(Pck, PairsByOverlapOneToOne) {
  const Box left{0, 0, 40, 40}, right{30, 0, 70, 40};
  const std::vector<Keypoint> a{{10, 10, 2}}, b{{60, 10, 2}};
  // Listed in the other order, beside a detection of another class and one that lies between.
  Detection other = Pose(left, b);
  other.label = 1;
  const ScoredPicture picture{.id = 1,
                              .truth = {Person(left, a), Person(right, b)},
                              .detections = {other, Pose({15, 0, 55, 40}, b), Pose(right, b), Pose(left, a)}};
  EXPECT_THAT(Pck({picture}).mean, ElementsAre(1, 1));
  // Equal boxes: in their order.
  const ScoredPicture twins{
      .id = 2, .truth = {Person(left, a), Person(left, b)}, .detections = {Pose(left, a), Pose(left, b)}};
  EXPECT_THAT(Pck({twins}).mean, ElementsAre(1, 1));
  // Nothing in common: no prediction for the object.
  const ScoredPicture apart{.id = 3, .truth = {Person(left, a)}, .detections = {Pose({50, 50, 60, 60}, a)}};
  EXPECT_THAT(Pck({apart}).mean, ElementsAre(0, 0));
}

TEST(Pck, CrowdsAndNothingLabelled) {
  Object crowd = Person({0, 0, 10, 10}, {{1, 1, 2}});
  crowd.crowd = true;
  EXPECT_THAT(Pck({{.id = 1, .truth = {crowd}, .detections = {}}}).mean, ElementsAre(-1, -1));
  EXPECT_TRUE(Pck({}).per_keypoint.empty());
  EXPECT_EQ(Score({}, {.metric = Metric::kPck, .predicted = Predicted::kKeypoints}), 0);
}

TEST(Pck, TooFewPredictedKeypointsAreAnError) {
  const Box box{0, 0, 10, 10};
  const ScoredPicture picture{
      .id = 4, .truth = {Person(box, {{1, 1, 2}, {2, 2, 2}})}, .detections = {Pose(box, {{1, 1, 2}})}};
  EXPECT_THAT(ThrownBy([&] { Pck({picture}); }).what(), HasSubstr("picture 4"));
}

std::vector<ScoredPicture> RandomPoses(double noise, uint64_t seed) {
  Rng rng(seed);
  std::vector<ScoredPicture> pictures;
  for (int64_t id = 0; id < 40; ++id) {
    ScoredPicture picture{.id = id, .truth = {}, .detections = {}};
    std::vector<Keypoint> truth, ours;
    for (int k = 0; k < 6; ++k) {
      const double x = rng.Uniform(0, 100), y = rng.Uniform(0, 80);
      truth.push_back({static_cast<float>(x), static_cast<float>(y), static_cast<int>(rng.Below(3))});
      ours.push_back({static_cast<float>(x + noise * rng.Normal()), static_cast<float>(y + noise * rng.Normal()), 2});
    }
    const Box box{0, 0, 100, 80};
    picture.truth = {Person(box, truth)};
    picture.detections = {Pose(box, ours)};
    picture.detections[0].score = static_cast<float>(rng.Uniform());
    pictures.push_back(picture);
  }
  return pictures;
}

TEST(Bootstrap, ServesPose) {
  const auto good = RandomPoses(5, 1), bad = RandomPoses(12, 1);
  for (const ScoreOptions& options :
       {ScoreOptions{.metric = Metric::kPck, .predicted = Predicted::kKeypoints},
        ScoreOptions{.metric = Metric::kPck, .predicted = Predicted::kKeypoints, .oks = {}, .pck_threshold = 0.1},
        ScoreOptions{
            .predicted = Predicted::kKeypoints, .oks = {.sigmas = std::vector<double>(6, 0.05)}, .pck_threshold = 0}}) {
    const PairedDifference difference = PairedBootstrap(bad, good, options, 300, 1);
    EXPECT_DOUBLE_EQ(difference.difference, Score(good, options) - Score(bad, options));
    EXPECT_TRUE(difference.shown());
    EXPECT_GT(difference.low, 0);
    EXPECT_FALSE(PairedBootstrap(good, good, options, 100, 1).shown());
    const auto [low, high] = BootstrapInterval(good, options, 300, 1);
    EXPECT_LT(low, Score(good, options));
    EXPECT_GT(high, Score(good, options));
  }
  const ScoreOptions at_10{.metric = Metric::kPck, .predicted = Predicted::kKeypoints, .oks = {}, .pck_threshold = 0.1};
  EXPECT_EQ(Score(bad, at_10), Pck(bad).mean[1]);
}

}  // namespace
}  // namespace hot
