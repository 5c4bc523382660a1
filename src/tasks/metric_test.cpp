#include "tasks/metric.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <sstream>

#include "core/rng.h"
#include "core/subprocess.h"
#include "tasks/testing/coco_files.h"

namespace hot {
namespace {

using Json = nlohmann::json;

fs::path Oracle(const std::string& below) {
  const char* root = std::getenv("HOT_TEST_DATA");
  return fs::path(root != nullptr ? root : HOT_SOURCE_DIR "/../shared/data") / "oracle" / below;
}

#define NEED(path) \
  if (!fs::exists(path)) GTEST_SKIP() << "skipped: no " << (path)

void ExpectStats(const CocoResult& result, const Json& stats, const Json& per_category, double tolerance) {
  const std::map<std::string, double> ours{
      {"AP", result.ap},         {"AP50", result.ap50},    {"AP75", result.ap75},     {"APs", result.ap_small},
      {"APm", result.ap_medium}, {"APl", result.ap_large}, {"AR1", result.ar1},       {"AR10", result.ar10},
      {"AR100", result.ar100},   {"ARs", result.ar_small}, {"ARm", result.ar_medium}, {"ARl", result.ar_large}};
  for (const auto& [name, value] : stats.items()) EXPECT_NEAR(ours.at(name), value.get<double>(), tolerance) << name;
  for (const auto& [id, expected] : per_category.items()) {
    const bool defined = !expected.at("AP").is_null();
    ASSERT_EQ(result.per_class.contains(std::stoi(id)), defined) << id;
    if (!defined) continue;
    EXPECT_NEAR(result.per_class.at(std::stoi(id)).first, expected.at("AP").get<double>(), tolerance) << id;
    EXPECT_NEAR(result.per_class.at(std::stoi(id)).second, expected.at("AP50").get<double>(), tolerance) << id;
  }
}

class CocoOracle : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(CocoOracle, EqualsPycocotools) {
  const fs::path folder = Oracle(GetParam().first);
  NEED(folder);
  const Json truth = Json::parse(ReadFile(folder / GetParam().second));
  const Json expected = Json::parse(ReadFile(folder / "expected_bbox.json"));
  for (const auto& [file, numbers] : expected.at("results").items()) {
    SCOPED_TRACE(file);
    const auto pictures = ReadCoco(truth, Json::parse(ReadFile(folder / file)));
    ExpectStats(CocoBoxAp(pictures), numbers.at("stats"), numbers.at("per_category"), 1e-6);
    EXPECT_NEAR(Score(pictures, {.metric = Metric::kCocoAp}), numbers.at("stats").at("AP").get<double>(), 1e-6);
    EXPECT_NEAR(Score(pictures, {.metric = Metric::kAp50}), numbers.at("stats").at("AP50").get<double>(), 1e-6);
  }
}
INSTANTIATE_TEST_SUITE_P(Folders, CocoOracle,
                         testing::Values(std::pair{"coco_bbox_mixed", "instances_gt.json"},
                                         std::pair{"coco_val2014_100", "instances_val2014_100.json"}),
                         [](const auto& info) { return info.param.first; });

// VOC's own pixel numbers, not our half-open boxes: the oracle was made with them.
std::vector<ScoredPicture> ReadVoc100(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<ScoredPicture> pictures;
  for (const fs::path& file : ListFiles(folder / "Annotations")) {
    ScoredPicture picture;
    picture.id = static_cast<int64_t>(pictures.size());
    pugi::xml_document xml;
    xml.load_file(file.c_str());
    for (const auto& node : xml.child("annotation").children("object")) {
      Object object;
      const auto box = node.child("bndbox");
      const auto side = [&](const char* name) { return box.child(name).text().as_double(); };
      object.box = {side("xmin"), side("ymin"), side("xmax"), side("ymax")};
      object.difficult = node.child("difficult").text().as_int() != 0;
      const auto found = std::find(names.begin(), names.end(), node.child("name").text().as_string());
      object.label = static_cast<int>(found - names.begin());
      picture.truth.push_back(object);
    }
    std::ifstream lines(folder / "detections" / (file.stem().string() + ".txt"));
    Detection d;
    while (lines >> d.label >> d.score >> d.box.x0 >> d.box.y0 >> d.box.x1 >> d.box.y1) picture.detections.push_back(d);
    pictures.push_back(picture);
  }
  return pictures;
}

TEST(VocOracle, Voc100EightVariants) {
  const fs::path folder = Oracle("voc100");
  NEED(folder);
  std::vector<std::string> names;
  std::ifstream lines(folder / "voc.names");
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  const auto pictures = ReadVoc100(folder, names);
  ASSERT_EQ(pictures.size(), 100u);
  const Json expected = Json::parse(ReadFile(folder / "expected.json"));
  ASSERT_EQ(expected.at("variants").size(), 8u);
  for (const Json& variant : expected.at("variants")) {
    VocOptions options{.iou = variant.at("iou"),
                       .eleven_point = true,
                       .pixel_plus_one = variant.at("pixel_plus_one"),
                       .ignore_difficult = variant.at("ignore_difficult")};
    const VocResult eleven = VocAp(pictures, options);
    options.eleven_point = false;
    const VocResult area = VocAp(pictures, options);
    EXPECT_NEAR(eleven.map, variant.at("mAP_11point").get<double>(), 1e-6);
    EXPECT_NEAR(area.map, variant.at("mAP_allpoint").get<double>(), 1e-6);
    for (const auto& [name, numbers] : variant.at("per_class").items()) {
      const int label = static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
      if (!eleven.per_class.contains(label)) continue;
      const VocClass& own = eleven.per_class.at(label);
      EXPECT_EQ(own.positives, numbers.at("npos").get<int64_t>()) << name;
      EXPECT_EQ(own.true_positives, numbers.at("tp").get<int64_t>()) << name;
      EXPECT_EQ(own.false_positives, numbers.at("fp").get<int64_t>()) << name;
      if (own.positives == 0) continue;
      EXPECT_NEAR(own.ap, numbers.at("ap11").get<double>(), 1e-6) << name;
      EXPECT_NEAR(area.per_class.at(label).ap, numbers.at("apall").get<double>(), 1e-6) << name;
    }
  }
}

TEST(VocOracle, PublishedCase) {
  const fs::path folder = Oracle("voc_case1");
  NEED(folder);
  std::vector<ScoredPicture> pictures;
  for (const fs::path& file : ListFiles(folder / "gts")) {
    ScoredPicture picture;
    std::ifstream truth(file), found(folder / "dets" / file.filename());
    std::string name;
    float score = 0;
    double x = 0, y = 0, w = 0, h = 0;
    while (truth >> name >> x >> y >> w >> h) {
      Object object;
      object.box = {x, y, x + w, y + h};
      picture.truth.push_back(object);
    }
    while (found >> name >> score >> x >> y >> w >> h) picture.detections.push_back({{x, y, x + w, y + h}, 0, score});
    pictures.push_back(picture);
  }
  const Json expected = Json::parse(ReadFile(folder / "expected.json"));
  for (bool eleven : {true, false}) {
    for (const auto& [iou, ap] : expected.at(eleven ? "AP_11point" : "AP_allpoint").items()) {
      const VocOptions options{
          .iou = std::stod(iou), .eleven_point = eleven, .pixel_plus_one = true, .ignore_difficult = true};
      EXPECT_NEAR(VocAp(pictures, options).map, ap.get<double>(), 1e-6) << iou << " " << eleven;
    }
  }
}

struct Made {
  Json truth, detections;
};

// Crowds, near misses, wrong classes, equal scores, more than 100 detections of a class in a picture.
Made RandomCase(uint64_t seed) {
  Rng rng(seed);
  Made made{{{"images", Json::array()}, {"annotations", Json::array()}, {"categories", Json::array()}}, Json::array()};
  for (int c = 1; c <= 3; ++c) made.truth["categories"].push_back({{"id", c}, {"name", std::to_string(c)}});
  int next = 1;
  for (int image = 1; image <= 12; ++image) {
    made.truth["images"].push_back({{"id", image}, {"width", 200}, {"height", 200}});
    for (int64_t i = rng.Below(12); i > 0; --i) {
      const double x = rng.Uniform(0, 100), y = rng.Uniform(0, 100), w = rng.Uniform(5, 120), h = rng.Uniform(5, 120);
      const int64_t category = 1 + rng.Below(3);
      made.truth["annotations"].push_back({{"id", next++},
                                           {"image_id", image},
                                           {"category_id", category},
                                           {"bbox", {x, y, w, h}},
                                           {"area", w * h * 0.7},
                                           {"iscrowd", rng.Chance(0.1) ? 1 : 0}});
      for (int64_t d = rng.Below(14); d > 0; --d) {
        made.detections.push_back(
            {{"image_id", image},
             {"category_id", rng.Chance(0.9) ? category : 1 + rng.Below(3)},
             {"bbox",
              {x + rng.Normal() * 8, y + rng.Normal() * 8, w * rng.Uniform(0.7, 1.3), h * rng.Uniform(0.7, 1.3)}},
             {"score", std::round(rng.Uniform() * 50) / 50}});
      }
    }
  }
  return made;
}

constexpr const char* kScript = R"(
import sys, json, contextlib, io
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
with contextlib.redirect_stdout(io.StringIO()):
    g = COCO(sys.argv[1]); e = COCOeval(g, g.loadRes(sys.argv[2]), 'bbox')
    e.evaluate(); e.accumulate(); e.summarize()
print(json.dumps([float(v) for v in e.stats]))
)";

TEST(CocoBoxAp, EqualsPycocotoolsSideBySide) {
  const fs::path python = HOT_SOURCE_DIR "/.venv/bin/python";
  NEED(python);
  if (!RunProcess({python, "-c", "import pycocotools.cocoeval"}).status.ok()) GTEST_SKIP() << "skipped: no pycocotools";
  TempFolder folder;
  WriteFileAtomic(folder.path() / "run.py", kScript);
  for (uint64_t seed : {1, 2, 3}) {
    const Made made = RandomCase(seed);
    WriteFileAtomic(folder.path() / "gt.json", made.truth.dump());
    WriteFileAtomic(folder.path() / "dt.json", made.detections.dump());
    const ProcessResult ran =
        RunProcess({python, folder.path() / "run.py", folder.path() / "gt.json", folder.path() / "dt.json"});
    ASSERT_TRUE(ran.status.ok()) << ran.output;
    const Json stats = Json::parse(ran.output.substr(ran.output.find('[')));
    const CocoResult ours = CocoBoxAp(ReadCoco(made.truth, made.detections));
    const double values[] = {ours.ap,  ours.ap50, ours.ap75,  ours.ap_small, ours.ap_medium, ours.ap_large,
                             ours.ar1, ours.ar10, ours.ar100, ours.ar_small, ours.ar_medium, ours.ar_large};
    for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(values[i], stats[i].get<double>(), 1e-6) << seed << " " << i;
  }
}

TEST(Bootstrap, SameSystemShowsNoDifference) {
  const Made made = RandomCase(4);
  const auto pictures = ReadCoco(made.truth, made.detections);
  const PairedDifference none = PairedBootstrap(pictures, pictures, {.metric = Metric::kCocoAp}, 200, 1);
  EXPECT_EQ(none.difference, 0);
  EXPECT_FALSE(none.shown());
  const auto [low, high] = BootstrapInterval(pictures, {.metric = Metric::kCocoAp}, 500, 1);
  const double score = Score(pictures, {.metric = Metric::kCocoAp});
  EXPECT_LT(low, score);
  EXPECT_GT(high, score);
}

TEST(Bootstrap, ShowsALargeDifference) {
  const Made made = RandomCase(5);
  const auto good = ReadCoco(made.truth, made.detections);
  auto bad = good;
  for (ScoredPicture& picture : bad) picture.detections.clear();
  const PairedDifference difference = PairedBootstrap(bad, good, {.metric = Metric::kAp50}, 300, 1);
  EXPECT_TRUE(difference.shown());
  EXPECT_GT(difference.low, 0);
}

TEST(Bootstrap, OfSeveralTrainingsIsTheMeanOfTheirDifferences) {
  const Made made = RandomCase(6);
  const auto good = ReadCoco(made.truth, made.detections);
  auto bad = good;
  for (ScoredPicture& picture : bad) picture.detections.clear();
  const ScoreOptions options{.metric = Metric::kAp50};
  const PairedDifference one = PairedBootstrap(bad, good, options, 300, 1);
  const PairedDifference half = PairedBootstrap({{.a = &bad, .b = &good}, {.a = &good, .b = &good}}, options, 300, 1);
  EXPECT_DOUBLE_EQ(half.difference, one.difference / 2);
  EXPECT_DOUBLE_EQ(half.low, one.low / 2);
  EXPECT_DOUBLE_EQ(half.high, one.high / 2);
}

TEST(Score, NothingToFindIsZero) {
  EXPECT_EQ(Score({}, {.metric = Metric::kCocoAp}), 0);
  EXPECT_EQ(CocoBoxAp({}).ap, -1);
  EXPECT_EQ(Score({ScoredPicture{}}, {.metric = Metric::kVoc07}), 0);
}

TEST(Metric, NamesRoundTrip) {
  for (const char* name : {"coco_ap", "ap50", "voc07", "pck", "top1"}) EXPECT_EQ(MetricName(ParseMetric(name)), name);
  EXPECT_ANY_THROW(ParseMetric("map"));
}

}  // namespace
}  // namespace hot
