// Real data sets, where this machine has them: counts as their owners state them, every picture decodes at its size.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/class_names.h"
#include "data/loader.h"
#include "data/test_data.h"

namespace hot {
namespace {

struct RealCase {
  const char *name, *folder, *split;
  DataFormat format;
  size_t pictures, objects, classes, warnings;
};

class RealDataTest : public testing::TestWithParam<RealCase> {};

TEST_P(RealDataTest, ReadsWithTheKnownCounts) {
  const RealCase& real = GetParam();
  const std::optional<fs::path> root = RealData(real.folder);
  if (!root) GTEST_SKIP() << "skipped: no data set " << real.folder << " on this machine (set HOT_TEST_DATA)";
  const Dataset data = ReadDataset({real.format, *root, real.split, {}});
  size_t objects = 0;
  for (const Sample& sample : data.samples) objects += sample.objects.size();
  EXPECT_EQ(data.samples.size(), real.pictures);
  EXPECT_EQ(objects, real.objects);
  EXPECT_EQ(data.classes.size(), real.classes);
  EXPECT_EQ(data.warnings.size(), real.warnings);
  for (size_t i = 0; i < data.samples.size(); i += 1 + data.samples.size() / 30) {
    const Image image = DecodeSample(data.samples[i]);
    EXPECT_EQ(image.width, data.samples[i].width) << data.samples[i].name;
    EXPECT_EQ(image.height, data.samples[i].height) << data.samples[i].name;
  }
}

constexpr DataFormat kVoc = DataFormat::kVoc, kCoco = DataFormat::kCoco;

INSTANTIATE_TEST_SUITE_P(
    Sets, RealDataTest,
    testing::Values(RealCase{"bccd_trainval", "bccd", "trainval", kVoc, 292, 3941, 3, 2},
                    RealCase{"bccd_test", "bccd", "test", kVoc, 72, 945, 3, 0},
                    RealCase{"cards_train", "cards", "images/train", kVoc, 296, 527, 6, 0},
                    RealCase{"cards_test", "cards", "test", kVoc, 67, 143, 6, 0},
                    RealCase{"tiny50_train", "coco-tiny50", "instances_train2017", kCoco, 50, 470, 80, 0},
                    RealCase{"tiny50_val", "coco-tiny50", "val2017", kCoco, 50, 382, 80, 0},
                    RealCase{"coco584_train", "coco584", "instances_train2017", kCoco, 337, 2828, 80, 0},
                    RealCase{"coco584_val", "coco584", "instances_val2017", kCoco, 247, 1820, 80, 0},
                    RealCase{"coco584_keypoints", "coco584", "person_keypoints_train2017", kCoco, 337, 654, 1, 0},
                    RealCase{"faces_train", "faces68_128", "keypoints_train", kCoco, 2457, 2457, 1, 0},
                    RealCase{"faces_val", "faces68_128", "keypoints_val", kCoco, 312, 312, 1, 0}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(RealDataTest, DegenerateBoxesOfBloodCellsAreNamed) {
  const std::optional<fs::path> root = RealData("bccd");
  if (!root) GTEST_SKIP() << "skipped: no data set bccd on this machine (set HOT_TEST_DATA)";
  EXPECT_THAT(ReadDataset({kVoc, *root, "trainval", {}}).warnings,
              testing::ElementsAre(testing::HasSubstr("BloodImage_00338.xml:163:3: box skipped: degenerate"),
                                   testing::HasSubstr("BloodImage_00343.xml:55:3: box skipped: degenerate")));
}

TEST(RealDataTest, CardsHaveNoTrainval) {
  const std::optional<fs::path> root = RealData("cards");
  if (!root) GTEST_SKIP() << "skipped: no data set cards on this machine (set HOT_TEST_DATA)";
  const Error error = ThrownBy([&] { ReadDataset({kVoc, *root, "trainval", {}}); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_THAT(error.hint(), testing::HasSubstr("images/test, images/train"));
}

TEST(RealDataTest, CaptionsAreNoDetectionData) {
  const std::optional<fs::path> root = RealData("coco-tiny50");
  if (!root) GTEST_SKIP() << "skipped: no data set coco-tiny50 on this machine (set HOT_TEST_DATA)";
  EXPECT_EQ(ThrownBy([&] { ReadDataset({kCoco, *root, "captions_val2017", {}}); }).code(), Code::kInvalidArgument);
}

// As the source paper scores its detector: trained on VOC's 20 classes, tested on COCO.
TEST(RealData, VocClassesAreFoundInCoco) {
  const std::optional<fs::path> root = RealData("coco-tiny50");
  if (!root) GTEST_SKIP() << "skipped: no data set coco-tiny50 on this machine (set HOT_TEST_DATA)";
  const std::vector<std::string> voc{
      "aeroplane",   "bicycle", "bird",  "boat",      "bottle", "bus",         "car",   "cat",  "chair", "cow",
      "diningtable", "dog",     "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"};
  DataSource source{.format = DataFormat::kCoco, .root = *root, .split = "instances_val2017"};
  const Dataset all = ReadDataset(source);
  source.classes = voc;
  source.shared = {{"aeroplane", "airplane"},   {"diningtable", "dining table"},
                   {"motorbike", "motorcycle"}, {"pottedplant", "potted plant"},
                   {"sofa", "couch"},           {"tvmonitor", "tv"}};
  const Dataset shared = ReadDataset(source);
  ASSERT_EQ(shared.samples.size(), all.samples.size());
  std::vector<size_t> of_class(voc.size());
  for (size_t i = 0; i < all.samples.size(); ++i) {
    auto found = shared.samples[i].objects.begin();
    for (const Object& object : all.samples[i].objects) {
      const int label = FindClass(all.classes[static_cast<size_t>(object.label)], voc, source);
      if (label < 0) continue;
      ASSERT_NE(found, shared.samples[i].objects.end());
      EXPECT_EQ(found->label, label);
      EXPECT_EQ(found->box.x0, object.box.x0);
      ++of_class[static_cast<size_t>(label)];
      ++found;
    }
    EXPECT_EQ(found, shared.samples[i].objects.end());
  }
  for (const char* name : {"person", "diningtable", "sofa", "tvmonitor", "pottedplant"}) {
    const auto label = static_cast<size_t>(std::find(voc.begin(), voc.end(), name) - voc.begin());
    EXPECT_GT(of_class[label], 0u) << name;
  }
}

}  // namespace
}  // namespace hot
