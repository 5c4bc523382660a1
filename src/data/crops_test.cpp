#include "data/crops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "data/loader.h"
#include "data/test_data.h"
#include "data/warp.h"

namespace hot {
namespace {

using testing::SizeIs;

void ExpectBox(const Box& box, const Box& expected, double tolerance = 1e-9) {
  EXPECT_NEAR(box.x0, expected.x0, tolerance);
  EXPECT_NEAR(box.y0, expected.y0, tolerance);
  EXPECT_NEAR(box.x1, expected.x1, tolerance);
  EXPECT_NEAR(box.y1, expected.y1, tolerance);
}

TEST(CropBox, HasMarginsAndTheInputsShapeAroundTheSameCentre) {
  struct Case {
    const char* name;
    Box box;
    CropOptions options;
    Box expected;
  };
  for (const Case& c : {Case{"as wide as it should be", {10, 10, 40, 50}, {30, 40, 0, 0}, {10, 10, 40, 50}},
                        {"too wide", {0, 10, 80, 20}, {40, 40, 0, 0}, {0, -25, 80, 55}},
                        {"too high", {0, 0, 10, 80}, {40, 80, 0, 0}, {-15, 0, 25, 80}},
                        {"margins", {0, 0, 100, 100}, {130, 130, 0.15, 0.1}, {-15, -15, 115, 115}},
                        {"one pixel", {7, 8, 8, 9}, {48, 64, 0, 0}, {7, 7.5 + 1.0 / 3, 8, 9.5 - 1.0 / 3}}}) {
    SCOPED_TRACE(c.name);
    const Box crop = CropBox(c.box, c.options);
    if (std::string(c.name) != "one pixel") ExpectBox(crop, c.expected);
    EXPECT_NEAR(crop.width() / crop.height(), static_cast<double>(c.options.width) / c.options.height, 1e-9);
    EXPECT_NEAR(crop.x0 + crop.x1, c.box.x0 + c.box.x1, 1e-9);
    EXPECT_NEAR(crop.y0 + crop.y1, c.box.y0 + c.box.y1, 1e-9);
    EXPECT_LE(crop.x0, c.box.x0);
    EXPECT_GE(crop.y1, c.box.y1);
  }
}

Object Person(const Box& box, std::vector<Keypoint> points, bool crowd = false) {
  Object object;
  object.box = box;
  object.crowd = crowd;
  object.keypoints = std::move(points);
  return object;
}

TEST(ObjectCrops, AreOneALabelledObject) {
  Dataset pictures;
  pictures.classes = {"person"};
  pictures.keypoints = {"head", "hand"};
  pictures.skeleton = {{0, 1}};
  const std::vector<Keypoint> labelled{{3, 4, 2}, {0, 0, 0}}, none{{0, 0, 0}, {0, 0, 0}};
  for (int64_t id : {5, 6, 7}) {
    Sample sample;
    sample.id = id;
    sample.name = "p" + std::to_string(id);
    sample.width = 60;
    sample.height = 40;
    if (id != 6) {
      sample.objects = {Person({1, 2, 9, 12}, none), Person({2, 2, 9, 9}, labelled),
                        Person({0, 0, 30, 30}, labelled, true), Person({20, 5, 40, 35}, labelled),
                        Person({1, 1, 2, 2}, {})};
    }
    pictures.samples.push_back(sample);
  }
  const Dataset crops = ObjectCrops(pictures, {32, 64});
  EXPECT_EQ(crops.keypoints, pictures.keypoints);
  EXPECT_EQ(crops.skeleton, pictures.skeleton);
  ASSERT_THAT(crops.samples, SizeIs(4)) << "without keypoints, and crowds, are left out";
  std::set<int64_t> ids;
  for (const Sample& sample : crops.samples) {
    ids.insert(sample.id);
    ASSERT_THAT(sample.objects, SizeIs(1));
    ASSERT_TRUE(sample.crop.has_value());
    ExpectBox(sample.crop->box, CropBox(sample.objects[0].box, {32, 64}));
    ExpectBox(ViewOf(sample), sample.crop->box);
  }
  EXPECT_THAT(ids, SizeIs(4));
  EXPECT_EQ(crops.samples[0].name, "p5, object 2");
  EXPECT_EQ(crops.samples[1].crop->picture, 5);
  EXPECT_EQ(crops.samples[2].crop->picture, 7);
  ExpectBox(ViewOf(pictures.samples[0]), {0, 0, 60, 40});
  EXPECT_EQ(ObjectCrops(pictures, {32, 64}).samples[3].id, crops.samples[3].id) << "stable";
}

TEST(Affine, ComposesAndInverts) {
  const Affine map = Affine::Between({10, 20, 30, 60}, {0, 0, 40, 40})
                         .Then(Affine::TurnAndScale(20, 20, 30, 1.5))
                         .Then({-1, 0, 40, 0, 1, 0});
  const Affine back = map.Then(map.Inverse());
  for (const auto& [x, y] : {std::pair{0.0, 0.0}, {13.0, -4.0}, {50.0, 70.0}}) {
    EXPECT_NEAR(back(x, y)[0], x, 1e-9);
    EXPECT_NEAR(back(x, y)[1], y, 1e-9);
  }
  EXPECT_NEAR(map.AreaFactor(), 2 * 1 * 1.5 * 1.5, 1e-12);
  const auto turned = Affine::TurnAndScale(5, 5, 90, 1)(6, 5);
  EXPECT_NEAR(turned[0], 5, 1e-12);
  EXPECT_NEAR(turned[1], 6, 1e-12) << "clockwise on the screen";
  ExpectBox(MapBox({0, 0, 2, 1}, Affine::TurnAndScale(0, 0, 90, 1)), {-1, 0, 0, 2});
}

constexpr uint8_t kFill[3] = {9, 9, 9};

Sample CropOf(const Image& picture, const Box& crop) {
  Sample sample;
  sample.width = picture.width;
  sample.height = picture.height;
  sample.crop = Crop{.box = crop, .picture = 1};
  return sample;
}

TEST(RenderView, OfWholePixelsAtTheirSizeIsACopy) {
  const Image picture = NoisePicture(20, 16);
  const Image view = RenderView(picture, CropOf(picture, {4, 3, 12, 13}), 8, 10, kFill);
  for (int y = 0; y < 10; ++y) {
    for (int x = 0; x < 8; ++x) {
      const size_t at = static_cast<size_t>((y + 3) * 20 + x + 4) * 3;
      ASSERT_EQ(view.rgb[static_cast<size_t>(y * 8 + x) * 3], picture.rgb[at]) << x << " " << y;
    }
  }
}

TEST(RenderView, FillsWhatLiesOutside) {
  const Image picture = PlainPicture(10, 10, 200, 200, 200);
  const Image view = RenderView(picture, CropOf(picture, {-10, 0, 10, 20}), 20, 20, kFill);
  const auto at = [&](int x, int y) { return view.rgb[static_cast<size_t>(y * 20 + x) * 3]; };
  EXPECT_EQ(at(2, 2), 9);
  EXPECT_EQ(at(15, 5), 200);
  EXPECT_EQ(at(15, 15), 9);
  const Image none = RenderView(picture, CropOf(picture, {100, 100, 110, 110}), 4, 4, kFill);
  for (uint8_t value : none.rgb) EXPECT_EQ(value, 9);
}

// A chequered board whose squares are much smaller than an output pixel must come out grey, not as a random pattern.
TEST(RenderView, AveragesWhenItShrinks) {
  Image picture = PlainPicture(400, 400, 0, 0, 0);
  for (int i = 0; i < 400 * 400; ++i) {
    if ((i / 400 + i % 400) % 2 == 0) std::fill_n(picture.rgb.begin() + i * 3, 3, uint8_t{254});
  }
  const Image view = RenderView(picture, CropOf(picture, {3.7, 11.2, 393.7, 401.2}), 40, 40, kFill);
  for (int y = 1; y < 38; ++y) {
    for (int x = 1; x < 38; ++x) ASSERT_NEAR(view.rgb[static_cast<size_t>(y * 40 + x) * 3], 127, 8) << x << " " << y;
  }
}

TEST(RenderView, OfAOnePixelBoxIsThatPixelMagnified) {
  Image picture = PlainPicture(9, 9, 0, 0, 0);
  picture.rgb[(4 * 9 + 5) * 3] = 250;
  const Image view = RenderView(picture, CropOf(picture, CropBox({5, 4, 6, 5}, {32, 32, 0, 0})), 32, 32, kFill);
  EXPECT_GE(view.rgb[(16 * 32 + 16) * 3], 230);  // OpenCV interpolates at 32nds of a pixel: (31/32)^2 of 250 here
  EXPECT_LT(view.rgb[0], 100);
}

// The same view whatever the size at which the picture was stored, and turned by EXIF or not, is tested with files.
TEST(SampleToInput, SeesTheCropOfThePictureAsAnnotated) {
  const TempFolder folder;
  Image picture = PlainPicture(80, 60, 20, 20, 20);
  for (int y = 30; y < 60; ++y) std::fill_n(picture.rgb.begin() + (y * 80 + 40) * 3, 40 * 3, uint8_t{220});
  WritePng(folder.path() / "a.png", picture);
  Sample sample = CropOf(picture, {20, 15, 30, 25});
  sample.image = folder.path() / "a.png";
  sample.width = 40;  // labelled on a picture of half the size
  sample.height = 30;
  Preprocessing preprocessing;
  preprocessing.width = preprocessing.height = 10;
  std::vector<float> input(300);
  SampleToInput(sample, preprocessing, input.data());
  for (float value : input) EXPECT_NEAR(value, 220 / 127.5 - 1, 0.02);
  sample.image = folder.path() / "none.png";
  EXPECT_EQ(ThrownBy([&] { SampleToInput(sample, preprocessing, input.data()); }).code(), Code::kNotFound);
}

}  // namespace
}  // namespace hot
