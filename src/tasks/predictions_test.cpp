#include "tasks/predictions.h"

#include <gtest/gtest.h>

#include "data/crops.h"
#include "tasks/cpn/cpn.h"

namespace hot {
namespace {

constexpr Shape kInput{3, 64, 32};

Dataset Pictures() {
  Dataset pictures;
  for (int64_t id : {40, 41}) {
    Sample sample;
    sample.id = id;
    sample.width = 320;
    sample.height = 128;
    for (int i = 0; i < 2; ++i) {
      Object object;
      object.box = {100.0 * i + 10, 20, 100.0 * i + 50, 100};
      object.label = i;
      object.keypoints = {{100.0f * static_cast<float>(i) + 30, 60, id == 41 && i == 1 ? 0 : 2}};
      sample.objects.push_back(object);
    }
    pictures.samples.push_back(sample);
  }
  return pictures;
}

TEST(PicturePredictions, OfWholePicturesAreScaled) {
  const Dataset pictures = Pictures();
  PicturePredictions predictions(pictures, kInput);
  Detection detection{.box = {8, 16, 16, 32}, .label = 1, .score = 0.5f};
  predictions.Add(pictures.samples[1], {detection, detection});
  const auto scored = std::move(predictions).Take();
  ASSERT_EQ(scored.size(), 2u);
  EXPECT_TRUE(scored[0].detections.empty());
  EXPECT_EQ(scored[0].truth.size(), 2u);
  ASSERT_EQ(scored[1].detections.size(), 2u);
  EXPECT_EQ(scored[1].id, 41);
  EXPECT_EQ(scored[1].detections[0].box.x0, 80);
  EXPECT_EQ(scored[1].detections[0].box.y1, 64);
  EXPECT_EQ(scored[1].detections[0].label, 1);
}

// A prediction at the keypoint's place in the crop lies on the keypoint of the picture: crop, map and metric agree.
TEST(PicturePredictions, OfCropsComeBackToTheirPicture) {
  TaskOptions options;
  options.task = "cpn";
  options.input = kInput;
  options.keypoints = {"centre"};
  const CpnTask task(options);
  const Dataset pictures = Pictures(), views = task.Views(pictures);
  ASSERT_EQ(views.samples.size(), 3u) << "an object without labelled keypoints is not looked at";
  PicturePredictions predictions(pictures, kInput);
  for (const Sample& view : views.samples) {
    Detection pose{.box = {0, 0, 32, 64}, .score = 0.5f, .keypoints = {{16, 32, 2}}};  // the centre of the crop
    predictions.Add(view, {pose});
  }
  const auto scored = std::move(predictions).Take();
  ASSERT_EQ(scored[0].detections.size(), 2u);
  ASSERT_EQ(scored[1].detections.size(), 1u);
  EXPECT_EQ(scored[1].truth.size(), 2u);
  const Detection& second = scored[0].detections[1];
  EXPECT_FLOAT_EQ(second.keypoints[0].x, 130);
  EXPECT_FLOAT_EQ(second.keypoints[0].y, 60);
  EXPECT_EQ(second.box.x0, 110) << "the labelled box, not the crop";
  EXPECT_EQ(second.label, 1);
  EXPECT_EQ(Score(scored, {.metric = Metric::kPck, .predicted = Predicted::kKeypoints}), 1);
}

}  // namespace
}  // namespace hot
