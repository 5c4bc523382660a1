// The study files that ship, as far as they go without their data: read, their task, their networks, their trials.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/task_rules.h"
#include "graph/costs.h"
#include "models/backbone.h"
#include "models/imported/imported_backbone.h"
#include "pipeline/pretrained_study.h"
#include "pipeline/task_options.h"
#include "pipeline/trial_search.h"
#include "pipeline/trial_space.h"

namespace hot {
namespace {

using testing::ElementsAre;

Study ReadExample(const fs::path& file) {
  Study study = ReadStudy(file, {"data.root=" HOT_SOURCE_DIR, "data.test_root=" HOT_SOURCE_DIR, "model.pretrained="});
  ResolveConvention(study, std::nullopt);
  return study;
}

Study ReadPaperStudy(const std::string& name) {
  return ReadExample(fs::path(HOT_SOURCE_DIR) / "examples/paper" / name);
}

// Those that the study names in its pairs, else COCO's.
std::vector<std::string> KeypointsOf(const Study& study) {
  std::vector<std::string> names;
  for (const std::string& pair : study.data.mirror_pairs) {
    names.push_back(pair.substr(0, pair.find('/')));
    names.push_back(pair.substr(pair.find('/') + 1));
  }
  if (!names.empty()) return names;
  names = {"nose"};
  for (const char* part : {"eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"}) {
    for (const char* side : {"left_", "right_"}) names.push_back(std::string(side) + part);
  }
  return names;
}

// What the stages before the training would do with it.
void Plan(const Study& study) {
  const auto task = MakeTask(StudyTaskOptions(study, {"a", "b", "c"}, KeypointsOf(study)));
  EXPECT_EQ(task->options().mirror_pairs.empty(), !RulesOf(study).keypoints);
  EXPECT_NO_THROW(StudySampler(study));
  EXPECT_FALSE(StudySpace(study).empty());
  if (IsImported(study.model.backbone)) return;  // its network is the reader's
  const Backbone& backbone = FindBackbone(study.model.backbone);
  const Precision precision = ParsePrecision(study.target.precision.front());
  for (const double width : study.model.width) {
    const Graph baseline = BuildNetwork(backbone, width, BaselineChoices(backbone, width, precision), *task);
    const int64_t macs = ComputeCosts(baseline, precision).macs;
    EXPECT_GT(macs, 0);
    // Or the baseline itself would be too small to be a candidate.
    if (study.search.quality_min) EXPECT_LE(*study.search.quality_min * 1e6, 1.05 * static_cast<double>(macs));
  }
}

TEST(Examples, AreReadAndPlanned) {
  for (const char* folder : {"examples", "examples/paper"}) {
    size_t examples = 0;
    for (const fs::path& file : ListFiles(fs::path(HOT_SOURCE_DIR) / folder)) {
      if (file.extension() != ".yaml") continue;
      SCOPED_TRACE(file);
      ++examples;
      EXPECT_NO_THROW(Plan(ReadExample(file)));
    }
    EXPECT_GE(examples, 2u) << folder;
  }
}

// Ozcinar et al., section 5.1.
TEST(Examples, ThePapersDetectorIsTrainedAsInThePaper) {
  const Study study = ReadPaperStudy("ssd.yaml");
  EXPECT_EQ(study.data.train, "VOC2007/trainval+VOC2012/trainval");
  EXPECT_EQ(study.data.test, "instances_val2017");
  EXPECT_EQ(study.data.test_format, "coco");
  EXPECT_TRUE(study.data.tests_elsewhere());
  EXPECT_THAT(study.model.width, ElementsAre(0.7, 1.0, 1.3));
  EXPECT_EQ(study.search.candidates, 8);
  EXPECT_EQ(study.search.latency_ms, 30);
  EXPECT_EQ(study.train.epochs, 400);
  EXPECT_EQ(study.train.batch, 32);
  EXPECT_EQ(study.train.optimizer, "adam");
  EXPECT_THAT(study.train.hpo.lr.values, ElementsAre(5e-4, 7e-4));
  EXPECT_THAT(study.train.hpo.gamma.values, ElementsAre(0.3, 0.5, 0.7));
}

TEST(Examples, ThePapersPoseNetworkIsTrainedAsInThePaper) {
  const Study study = ReadPaperStudy("cpn.yaml");
  EXPECT_EQ(study.data.train, "person_keypoints_train2017");
  EXPECT_EQ(study.data.test, "person_keypoints_val2017");
  EXPECT_THAT(study.model.width, ElementsAre(0.7, 1.0, 1.3));
  EXPECT_THAT(study.model.input, ElementsAre(256, 192));
  EXPECT_EQ(study.search.candidates, 8);
  EXPECT_EQ(study.search.latency_ms, 30);
  EXPECT_EQ(study.train.epochs, 90);
  EXPECT_EQ(study.train.metric, "coco_ap");
  EXPECT_THAT(study.train.hpo.lr.values, ElementsAre(5e-3, 7e-3));
  EXPECT_THAT(study.train.hpo.gamma.values, ElementsAre(0.3, 0.5, 0.7));
}

}  // namespace
}  // namespace hot
