#include "data/shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/hash.h"
#include "data/shapes_draw.h"
#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class ShapesTest : public testing::Test {
 protected:
  void Write(const fs::path& root, const ShapesOptions& options) {
    WriteShapes(root, options, {SystemClock(), *progress_, cancelled_});
  }

  static std::map<std::string, std::string> Hashes(const fs::path& root) {
    std::map<std::string, std::string> hashes;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) hashes[entry.path().lexically_relative(root).string()] = Sha256File(entry.path());
    }
    return hashes;
  }

  TempFolder folder_, other_;
  std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_ = false;
  ShapesOptions small_{.train_pictures = 12, .test_pictures = 5};
};

TEST_F(ShapesTest, SameSeedSameBytes) {
  Write(folder_.path(), small_);
  Write(other_.path(), small_);
  EXPECT_EQ(Hashes(folder_.path()), Hashes(other_.path()));
  EXPECT_EQ(std::ranges::count_if(Hashes(folder_.path()),
                                  [](const auto& file) { return !file.first.starts_with("cutouts/"); }),
            2 * 17 + 4);
  small_.seed = 1;
  TempFolder third;
  Write(third.path(), small_);
  EXPECT_NE(Hashes(folder_.path()), Hashes(third.path()));
}

TEST_F(ShapesTest, VocAndCocoTellTheSame) {
  Write(folder_.path(), small_);
  for (const std::string split : {"trainval", "test"}) {
    const Dataset voc = ReadDataset({DataFormat::kVoc, folder_.path(), split, {}});
    const Dataset coco = ReadDataset({DataFormat::kCoco, folder_.path(), split, {}});
    EXPECT_THAT(voc.classes, ElementsAre("circle", "square", "triangle"));
    EXPECT_EQ(voc.classes, coco.classes);
    EXPECT_THAT(voc.warnings, SizeIs(0));
    EXPECT_THAT(coco.warnings, SizeIs(0));
    ASSERT_THAT(voc.samples, SizeIs(split == "test" ? 5 : 12));
    ASSERT_THAT(coco.samples, SizeIs(voc.samples.size()));
    for (size_t i = 0; i < voc.samples.size(); ++i) {
      EXPECT_EQ(voc.samples[i].image, coco.samples[i].image);
      const std::vector<Object>&a = voc.samples[i].objects, &b = coco.samples[i].objects;
      ASSERT_EQ(a.size(), b.size());
      for (size_t k = 0; k < a.size(); ++k) {
        EXPECT_EQ(a[k].label, b[k].label);
        EXPECT_EQ(a[k].box.x0, b[k].box.x0);
        EXPECT_EQ(a[k].box.y1, b[k].box.y1);
        EXPECT_THAT(b[k].keypoints, SizeIs(4));
        EXPECT_LE(b[k].area, b[k].box.area());
      }
    }
    EXPECT_EQ(DecodeImage(voc.samples[0].image).width, 192);
  }
}

TEST_F(ShapesTest, EveryObjectIsCutOutIntoTheFolderOfItsClass) {
  Write(folder_.path(), small_);
  const Dataset coco = ReadDataset({DataFormat::kCoco, folder_.path(), "trainval", {}});
  const Dataset folders =
      ReadDataset({DataFormat::kImageFolders, folder_.path() / "cutouts", "trainval", coco.classes});
  std::map<int, int> labels, cut_outs;
  for (const Sample& sample : coco.samples) {
    for (const Object& object : sample.objects) ++labels[object.label];
  }
  for (const Sample& sample : folders.samples) ++cut_outs[sample.objects.at(0).label];
  EXPECT_EQ(cut_outs, labels);
  const Object& first = coco.samples[0].objects[0];
  const std::string name = coco.classes[static_cast<size_t>(first.label)];
  const Image cut = DecodeImage(folder_.path() / "cutouts/trainval" / name / "trainval_00000_1.jpg");
  EXPECT_GE(cut.width, first.box.width());
  EXPECT_LE(cut.width, 1.2 * first.box.width() + 2);
}

TEST_F(ShapesTest, StopsWhenCancelledAndRefusesNonsense) {
  cancelled_ = true;
  EXPECT_EQ(ThrownBy([&] { Write(folder_.path(), small_); }).code(), Code::kCancelled);
  cancelled_ = false;
  EXPECT_EQ(ThrownBy([&] { Write(folder_.path(), {.train_pictures = 0}); }).code(), Code::kInvalidArgument);
  EXPECT_EQ(ThrownBy([&] { Write(folder_.path(), {.width = 8}); }).code(), Code::kInvalidArgument);
  WriteText(other_.path() / "file", "in the way");
  EXPECT_THROW(Write(other_.path() / "file", small_), Error);
}

TEST(DrawShapesTest, SizesNumbersAndKeypointsAreAsPromised) {
  std::array<int, 3> labels{};
  size_t objects = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const ShapesPicture picture = DrawShapes(192, 160, rng);
    ASSERT_GE(picture.objects.size(), 1u);
    ASSERT_LE(picture.objects.size(), 6u);
    objects += picture.objects.size();
    for (const Object& object : picture.objects) {
      ++labels[static_cast<size_t>(object.label)];
      const Box& box = object.box;
      EXPECT_GE(std::max(box.width(), box.height()), 0.15 * 160);
      EXPECT_LE(std::max(box.width(), box.height()), 0.6 * 160 + 2);
      EXPECT_TRUE(box.x0 >= 0 && box.y0 >= 0 && box.x1 <= 192 && box.y1 <= 160);
      EXPECT_EQ(box.x0, std::round(box.x0));
      const int labelled = static_cast<int>(std::count_if(object.keypoints.begin(), object.keypoints.end(),
                                                          [](const Keypoint& point) { return point.visibility > 0; }));
      EXPECT_EQ(labelled, object.label == 0 ? 1 : object.label == 1 ? 4 : 3);
    }
  }
  EXPECT_GT(objects, 500u);
  for (const int count : labels) EXPECT_GT(count, static_cast<int>(objects / 5));
}

}  // namespace
}  // namespace hot
