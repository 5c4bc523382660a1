// What is chosen for which data: format, splits, and what depends on how large objects are.
#include "pipeline/init_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/error.h"
#include "data/shapes.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A detector's data: pictures of 640 x 480, objects of these sides (relative) and ratios.
InitData Boxes(Spread side, Spread ratio = {.low = 1, .middle = 1.3, .high = 2.1}) {
  InitData data;
  data.train.pictures = 300;
  data.train.width = {.low = 640, .middle = 640, .high = 640};
  data.train.height = {.low = 480, .middle = 480, .high = 480};
  data.train.side = side;
  data.train.ratio = ratio;
  return data;
}

Study::Model Modelled(const InitData& data, const std::string& task) {
  Draft draft;
  draft.study.model.task = task;
  DraftModel(data, draft);
  EXPECT_FALSE(draft.lines.empty());
  return draft.study.model;
}

TEST(DraftModel, DetectorsSeeObjectsAsLargeAsTheyNeed) {
  struct Case {
    Spread side;
    int64_t input, stride;
  };
  const Case cases[] = {
      {{.low = 0.25, .middle = 0.35, .high = 0.5}, 160, 16},  // playing cards
      {{.low = 0.12, .middle = 0.2, .high = 0.3}, 160, 8},    // blood cells
      {{.low = 0.08, .middle = 0.15, .high = 0.3}, 224, 8},   // 0.15 * 224 is 33 pixels
      {{.low = 0.02, .middle = 0.05, .high = 0.4}, 320, 8},   // small whatever is done
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.side.low);
    const Study::Model model = Modelled(Boxes(c.side), "ssd");
    EXPECT_THAT(model.input, ElementsAre(c.input, c.input));
    EXPECT_EQ(model.finest_stride, c.stride);
    EXPECT_LT(model.anchor_min_scale, c.side.low + 0.02);
    EXPECT_GT(model.anchor_max_scale, c.side.high);
    EXPECT_LE(model.anchor_max_scale, 0.95);
    EXPECT_THAT(model.aspect_ratios, ElementsAre(1.3, 2.1));
  }
}

TEST(DraftModel, AnInputIsNeverLargerThanThePictures) {
  InitData data = Boxes({.low = 0.02, .middle = 0.05, .high = 0.4});
  data.train.width.middle = 100;
  data.train.height.middle = 70;
  EXPECT_THAT(Modelled(data, "ssd").input, ElementsAre(96, 96));
  EXPECT_THAT(Modelled(data, "classify").input, ElementsAre(64, 64));
  data.train.width.middle = data.train.height.middle = 4000;
  EXPECT_THAT(Modelled(data, "classify").input, ElementsAre(160, 160));
}

TEST(DraftModel, CropsHaveTheShapeOfTheBoxes) {
  InitData data = Boxes({.low = 0.3, .middle = 0.5, .high = 0.8});
  for (const auto& [shape, height, width] : {std::tuple{2.0, 128, 96}, {1.0, 128, 128}, {0.5, 96, 128}}) {
    data.train.shape.middle = shape;
    EXPECT_THAT(Modelled(data, "cpn").input, ElementsAre(height, width)) << shape;
  }
  data.train.side.middle = 0.1;  // 55 pixels
  EXPECT_THAT(Modelled(data, "cpn").input, ElementsAre(64, 96));
}

class LookAtDataTest : public testing::Test {
 protected:
  LookAtDataTest() {
    WriteShapes(folder_.path() / "shapes", {.train_pictures = 6, .test_pictures = 3, .width = 96, .height = 80},
                context_);
  }
  InitData Look(const std::string& task, const std::string& below = "") {
    return LookAtData({.data = folder_.path() / "shapes" / below, .task = task}, context_);
  }

  TempFolder folder_;
  std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};
  Context context_{SystemClock(), *progress_, cancelled_};
};

TEST_F(LookAtDataTest, EachTaskGetsTheFormatThatItReads) {
  const InitData boxes = Look("ssd"), pose = Look("cpn"), classes = Look("classify", "cutouts");
  EXPECT_EQ(boxes.format, DataFormat::kVoc);
  EXPECT_EQ(pose.format, DataFormat::kCoco);
  EXPECT_GT(pose.train.with_keypoints, 0U);
  EXPECT_EQ(classes.format, DataFormat::kImageFolders);
  for (const InitData* data : {&boxes, &pose, &classes}) {
    EXPECT_EQ(data->roles.train, "trainval");
    EXPECT_EQ(data->roles.test, "test");
    EXPECT_GT(data->test_pictures, 0U);
  }
}

TEST_F(LookAtDataTest, TaskIsGuessedFromTheLabels) {
  EXPECT_EQ(GuessTask(FindLayouts(folder_.path() / "shapes")), "ssd");
  EXPECT_EQ(GuessTask(FindLayouts(folder_.path() / "shapes" / "cutouts")), "classify");
  EXPECT_EQ(GuessTask({{DataFormat::kCoco, {"instances_train", "person_keypoints_train"}}}), "ssd");
  EXPECT_EQ(GuessTask({{DataFormat::kCoco, {"keypoints_train", "keypoints_val"}}}), "cpn");
}

TEST_F(LookAtDataTest, DataThatTheTaskCannotUse) {
  try {
    Look("classify");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--task ssd suits these data"));
  }
}

}  // namespace
}  // namespace hot
