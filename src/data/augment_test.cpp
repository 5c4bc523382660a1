#include "data/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::SizeIs;

Object MakeObject(const Box& box, std::vector<Keypoint> keypoints = {}) {
  Object object;
  object.box = box;
  object.area = box.area();
  object.keypoints = std::move(keypoints);
  return object;
}

void ExpectBox(const Box& box, const Box& expected, double tolerance = 1e-4) {
  EXPECT_NEAR(box.x0, expected.x0, tolerance);
  EXPECT_NEAR(box.y0, expected.y0, tolerance);
  EXPECT_NEAR(box.x1, expected.x1, tolerance);
  EXPECT_NEAR(box.y1, expected.y1, tolerance);
}

AugmentOptions Nothing() {
  AugmentOptions options;
  options.flip = options.zoom_out = options.crop = 0;
  options.brightness = options.contrast = options.saturation = options.hue_degrees = 0;
  return options;
}

// A random picture with random boxes, some of them one pixel or as large as the picture.
std::vector<Object> RandomObjects(int width, int height, Rng& rng) {
  std::vector<Object> objects;
  const int64_t count = rng.Below(6);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t w = 1 + rng.Below(rng.Chance(0.3) ? 1 : width), h = 1 + rng.Below(rng.Chance(0.3) ? 1 : height);
    const auto x = static_cast<float>(rng.Below(width - w + 1)), y = static_cast<float>(rng.Below(height - h + 1));
    const Box box{x, y, x + static_cast<double>(w), y + static_cast<double>(h)};
    objects.push_back(MakeObject(
        box, {{x, y, 2}, {0, 0, 0}, {x + 0.5f * static_cast<float>(w), y + 0.5f * static_cast<float>(h), 1}}));
  }
  return objects;
}

struct Mirroring {
  const char* name;
  void (*apply)(TrainingExample*);
  // Where pixel (x, y) of a picture of width x height goes.
  std::pair<int, int> (*to)(int x, int y, int width, int height);
};

const Mirroring kMirrorings[] = {
    {"horizontal", FlipHorizontally, [](int x, int y, int width, int) { return std::pair(width - 1 - x, y); }},
    {"vertical", FlipVertically, [](int x, int y, int, int height) { return std::pair(x, height - 1 - y); }},
    {"transpose", Transpose, [](int x, int y, int, int) { return std::pair(y, x); }}};

TEST(FlipTest, TwiceIsIdentity) {
  Rng rng(1);
  for (const Mirroring& mirroring : kMirrorings) {
    SCOPED_TRACE(mirroring.name);
    for (int i = 0; i < 50; ++i) {
      const TrainingExample before{NoisePicture(13 + i % 2, 7), RandomObjects(13, 7, rng)};
      TrainingExample example = before;
      mirroring.apply(&example);
      EXPECT_NE(example.image.rgb, before.image.rgb);
      mirroring.apply(&example);
      EXPECT_EQ(example.image.rgb, before.image.rgb);
      EXPECT_EQ(example.image.width, before.image.width);
      for (size_t k = 0; k < before.objects.size(); ++k) {
        ExpectBox(example.objects[k].box, before.objects[k].box);
        EXPECT_EQ(example.objects[k].keypoints[0].x, before.objects[k].keypoints[0].x);
        EXPECT_EQ(example.objects[k].keypoints[0].y, before.objects[k].keypoints[0].y);
      }
    }
  }
}

// A box around one pixel, with a keypoint in its middle, goes where the pixel goes; areas stay.
TEST(FlipTest, BoxesAndPointsGoWithTheirPixels) {
  Rng rng(2);
  for (const Mirroring& mirroring : kMirrorings) {
    SCOPED_TRACE(mirroring.name);
    for (int i = 0; i < 50; ++i) {
      const int width = 5 + i % 7, height = 4 + i % 5;
      const auto x = static_cast<int>(rng.Below(width)), y = static_cast<int>(rng.Below(height));
      const Object pixel = MakeObject({static_cast<double>(x), static_cast<double>(y), x + 1.0, y + 1.0},
                                      {{x + 0.5f, y + 0.5f, 2}, {0, 0, 0}});
      const TrainingExample before{NoisePicture(width, height), {pixel}};
      TrainingExample example = before;
      mirroring.apply(&example);
      const auto [to_x, to_y] = mirroring.to(x, y, width, height);
      ExpectBox(example.objects[0].box, {to_x + 0.0, to_y + 0.0, to_x + 1.0, to_y + 1.0});
      EXPECT_EQ(example.objects[0].area, pixel.area);
      EXPECT_EQ(example.objects[0].keypoints[0].x, static_cast<float>(to_x) + 0.5f);
      EXPECT_EQ(example.objects[0].keypoints[0].y, static_cast<float>(to_y) + 0.5f);
      EXPECT_EQ(example.objects[0].keypoints[1].x, 0) << "a point that is not labelled stays at zero";
      EXPECT_EQ(example.objects[0].keypoints[1].y, 0);
      for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(example.image.rgb[static_cast<size_t>((to_y * example.image.width + to_x) * 3 + c)],
                  before.image.rgb[static_cast<size_t>((y * width + x) * 3 + c)]);
      }
    }
  }
}

// With all three at 1/2 each of the eight ways to lay a picture down comes up, equally often. The box marks one corner
// and is longer than wide, so it tells them apart.
TEST(AugmentTest, AllTurnsAndMirroringsComeUpEquallyOften) {
  AugmentOptions options = Nothing();
  options.flip = options.vertical_flip = options.transpose = 0.5;
  const Image image = NoisePicture(16, 16);
  const std::vector<Object> objects{MakeObject({0, 0, 4, 2})};
  std::map<std::string, int> seen;
  Rng rng(3);
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const Box box = Augment(image, objects, 16, 16, options, rng).objects.at(0).box;
    ++seen[std::to_string(std::lround(box.x0)) + "," + std::to_string(std::lround(box.y0)) + "," +
           std::to_string(std::lround(box.width()))];
  }
  EXPECT_EQ(seen.size(), 8u);
  for (const auto& [where, count] : seen) EXPECT_NEAR(count, kDraws / 8, 100) << where;  // 4.8 standard deviations
}

TEST(AugmentTest, ATransposedPictureFillsTheInput) {
  AugmentOptions options = Nothing();
  options.transpose = 1;
  Rng rng(4);
  const std::vector<Object> objects{MakeObject({10, 5, 30, 15}, {{10, 5, 2}})};
  const TrainingExample example = Augment(NoisePicture(40, 20), objects, 32, 24, options, rng);
  EXPECT_EQ(example.image.width, 32);
  EXPECT_EQ(example.image.height, 24);
  // x of the picture became y: 10 of 40 lies at 6 of 24; y became x: 5 of 20 lies at 8 of 32.
  ExpectBox(example.objects.at(0).box, {8, 6, 24, 18});
  EXPECT_FLOAT_EQ(example.objects[0].keypoints[0].x, 8);
  EXPECT_FLOAT_EQ(example.objects[0].keypoints[0].y, 6);
}

TEST(ScaleTest, BoxesPointsAndAreasFollow) {
  std::vector<Object> objects{MakeObject({2, 4, 6, 8}, {{2, 4, 2}})};
  ScaleObjects(0.5, 3, &objects);
  ExpectBox(objects[0].box, {1, 12, 3, 24});
  EXPECT_DOUBLE_EQ(objects[0].area, 16 * 1.5);
  EXPECT_EQ(objects[0].keypoints[0].y, 12);
}

TEST(CropTest, KeepsWhatHasItsCentreInside) {
  struct Case {
    const char* name;
    Box box;
    bool is_kept;
    Box expected;
  };
  const Box window{10, 10, 30, 20};  // becomes 40 x 40: 2 times as wide, 4 times as high
  for (const Case& c :
       {Case{"inside", {12, 12, 14, 14}, true, {4, 8, 8, 16}}, Case{"clipped", {4, 12, 18, 14}, true, {0, 8, 16, 16}},
        Case{"centre on the left edge", {5, 12, 15, 14}, true, {0, 8, 10, 16}},
        Case{"centre on the right edge", {25, 12, 35, 14}, false, {}},
        Case{"centre outside", {2, 12, 16, 14}, false, {}}, Case{"around it", {0, 0, 40, 30}, true, {0, 0, 40, 40}},
        Case{"one pixel", {29, 19, 30, 20}, true, {38, 36, 40, 40}}, Case{"far", {50, 50, 60, 60}, false, {}}}) {
    SCOPED_TRACE(c.name);
    const std::vector<Object> kept = CropObjects({MakeObject(c.box)}, window, 40, 40);
    ASSERT_THAT(kept, SizeIs(c.is_kept ? 1 : 0));
    if (!c.is_kept) continue;
    ExpectBox(kept[0].box, c.expected);
    EXPECT_NEAR(kept[0].area, kept[0].box.area(), 1e-3) << "areas shrink and scale with their boxes";
  }
}

TEST(CropTest, PointsOutsideAreNoLongerLabelled) {
  const std::vector<Object> kept =
      CropObjects({MakeObject({4, 12, 18, 14}, {{4, 12, 2}, {15, 12.5f, 1}, {0, 0, 0}})}, {10, 10, 30, 20}, 40, 40);
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].keypoints[0].visibility, 0);
  EXPECT_EQ(kept[0].keypoints[0].x, 0);
  EXPECT_EQ(kept[0].keypoints[1].visibility, 1);
  EXPECT_EQ(kept[0].keypoints[1].x, 10);
  EXPECT_EQ(kept[0].keypoints[1].y, 10);
  EXPECT_EQ(kept[0].keypoints[2].x, 0);
}

TEST(AugmentTest, DisabledOnlyResizes) {
  const Image image = NoisePicture(40, 20);
  AugmentOptions options;
  options.enabled = false;
  Rng rng(1);
  const TrainingExample example = Augment(image, {MakeObject({10, 5, 20, 10})}, 80, 10, options, rng);
  EXPECT_EQ(example.image.rgb, ResizeImage(image, 80, 10).rgb);
  ExpectBox(example.objects[0].box, {20, 2.5, 40, 5});
  EXPECT_DOUBLE_EQ(example.objects[0].area, 50);
}

TEST(AugmentTest, WithAllProbabilitiesZeroOnlyResizes) {
  const Image image = NoisePicture(40, 20);
  Rng rng(1);
  const TrainingExample example = Augment(image, {MakeObject({10, 5, 20, 10})}, 80, 10, Nothing(), rng);
  EXPECT_EQ(example.image.rgb, ResizeImage(image, 80, 10).rgb);
  ExpectBox(example.objects[0].box, {20, 2.5, 40, 5});
}

TEST(AugmentTest, SameSeedSameExampleOtherSeedAnother) {
  const Image image = NoisePicture(50, 40);
  const std::vector<Object> objects{MakeObject({10, 5, 30, 30})};
  const auto run = [&](uint64_t seed) {
    Rng rng(seed);
    return Augment(image, objects, 32, 32, {}, rng).image.rgb;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(AugmentTest, ObjectsStayInsideWithAreaAndOneIsAlwaysKept) {
  Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    const int width = static_cast<int>(1 + rng.Below(60)), height = static_cast<int>(1 + rng.Below(60));
    const std::vector<Object> objects = RandomObjects(width, height, rng);
    const TrainingExample example = Augment(NoisePicture(width, height), objects, 24, 16, {}, rng);
    ASSERT_EQ(example.image.width, 24);
    ASSERT_EQ(example.image.height, 16);
    ASSERT_EQ(example.objects.empty(), objects.empty()) << i;
    ASSERT_LE(example.objects.size(), objects.size());
    for (const Object& object : example.objects) {
      EXPECT_GT(object.box.area(), 0);
      EXPECT_GT(object.area, 0);
      EXPECT_GE(object.box.x0, -1e-3);
      EXPECT_GE(object.box.y0, -1e-3);
      EXPECT_LE(object.box.x1, 24 + 1e-3);
      EXPECT_LE(object.box.y1, 16 + 1e-3);
      for (const Keypoint& point : object.keypoints) {
        EXPECT_TRUE(point.visibility > 0 || (point.x == 0 && point.y == 0));
        EXPECT_TRUE(point.x >= -1e-3 && point.x <= 24 + 1e-3 && point.y >= -1e-3 && point.y <= 16 + 1e-3);
      }
    }
  }
}

// The picture is black with one white block: wherever crop, zoom-out and flip put it, the box must lie on it.
TEST(AugmentTest, BoxesFollowThePixels) {
  Image image = PlainPicture(120, 90, 0, 0, 0);
  const Box block{40, 30, 70, 60};
  for (int y = 30; y < 60; ++y) std::fill_n(image.rgb.begin() + (y * 120 + 40) * 3, 30 * 3, uint8_t{255});
  AugmentOptions options = Nothing();
  options.flip = options.zoom_out = 0.5;
  options.crop = 6.0 / 7;
  options.fill[0] = options.fill[1] = options.fill[2] = 0;
  Rng rng(3);
  for (int i = 0; i < 300; ++i) {
    const TrainingExample example = Augment(image, {MakeObject(block, {{55, 45, 2}})}, 64, 64, options, rng);
    ASSERT_THAT(example.objects, SizeIs(1));
    double x0 = 64, y0 = 64, x1 = 0, y1 = 0;
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        if (example.image.rgb[static_cast<size_t>(y * 64 + x) * 3] < 128) continue;
        x0 = std::min<double>(x0, x);
        y0 = std::min<double>(y0, y);
        x1 = std::max<double>(x1, x + 1);
        y1 = std::max<double>(y1, y + 1);
      }
    }
    ExpectBox(example.objects[0].box, {x0, y0, x1, y1}, 1.01f);
    const Keypoint& centre = example.objects[0].keypoints[0];
    if (centre.visibility == 0) continue;
    const auto at = [](float v) { return std::clamp(static_cast<int>(v), 0, 63); };
    EXPECT_GT(example.image.rgb[static_cast<size_t>(at(centre.y) * 64 + at(centre.x)) * 3], 128);
  }
}

TEST(AugmentTest, ZoomOutFillsWithTheGivenColour) {
  AugmentOptions options = Nothing();
  options.zoom_out = 1;
  options.fill[0] = 1;
  options.fill[1] = 2;
  options.fill[2] = 3;
  const Image image = PlainPicture(32, 32, 250, 250, 250);
  bool has_fill = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    const Image zoomed = Augment(image, {}, 32, 32, options, rng).image;
    for (size_t i = 0; i < zoomed.rgb.size(); i += 3) {
      const bool is_fill = zoomed.rgb[i] == 1 && zoomed.rgb[i + 1] == 2 && zoomed.rgb[i + 2] == 3;
      ASSERT_TRUE(is_fill || zoomed.rgb[i] == 250);
      has_fill = has_fill || is_fill;
    }
  }
  EXPECT_TRUE(has_fill);
}

TEST(AugmentTest, ColoursStayWithinTheirRanges) {
  const Image grey = PlainPicture(8, 8, 100, 100, 100), red = PlainPicture(8, 8, 200, 60, 60);
  const auto spread = [](const AugmentOptions& options, const Image& image, size_t channel) {
    int low = 255, high = 0;
    for (uint64_t seed = 0; seed < 300; ++seed) {
      Rng rng(seed);
      const int value = Augment(image, {}, 8, 8, options, rng).image.rgb[channel];
      low = std::min(low, value);
      high = std::max(high, value);
    }
    return std::make_pair(low, high);
  };
  AugmentOptions options = Nothing();
  options.brightness = 0.1;
  EXPECT_NEAR(spread(options, grey, 0).first, 75, 2);
  EXPECT_NEAR(spread(options, grey, 0).second, 125, 2);
  options = Nothing();
  options.contrast = 0.5;
  EXPECT_NEAR(spread(options, grey, 0).first, 50, 2);
  EXPECT_NEAR(spread(options, grey, 0).second, 150, 2);
  options = Nothing();
  options.saturation = 0.5;
  options.hue_degrees = 30;
  EXPECT_GE(spread(options, grey, 0).first, 99) << "grey has neither";
  EXPECT_LE(spread(options, grey, 0).second, 101);
  options.hue_degrees = 0;
  EXPECT_LT(spread(options, red, 0).first, 180);
  EXPECT_GT(spread(options, red, 0).second, 220);
  options = Nothing();
  options.hue_degrees = 18;
  EXPECT_GT(spread(options, red, 1).second, 75) << "towards yellow";
  EXPECT_GT(spread(options, red, 2).second, 75) << "towards magenta";
}

}  // namespace
}  // namespace hot
