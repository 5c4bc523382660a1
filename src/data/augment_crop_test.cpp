#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/augment.h"
#include "data/crops.h"
#include "data/test_data.h"

namespace hot {
namespace {

using testing::SizeIs;

Box Whole(const Image& image) { return {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)}; }

// A crop of 60 x 80 in a picture of 200 x 160, with three keypoints: left, right, middle.
Sample MakeSample() {
  Sample sample;
  sample.width = 200;
  sample.height = 160;
  Object object;
  object.box = {80, 50, 130, 110};
  object.area = 1000;
  object.keypoints = {{90, 70, 2}, {120, 75, 1}, {105, 95, 2}};
  sample.objects = {object};
  sample.crop = Crop{.box = {75, 40, 135, 120}, .picture = 1};
  return sample;
}

AugmentOptions Geometry() {
  AugmentOptions options;
  options.brightness = options.contrast = options.saturation = options.hue_degrees = 0;
  options.mirror_pairs = {{0, 1}};
  return options;
}

double Distance(const Keypoint& a, const Keypoint& b) { return std::hypot(a.x - b.x, a.y - b.y); }

TEST(AugmentCrop, WithoutAugmentationIsTheViewOfEvaluation) {
  const Image picture = NoisePicture(200, 160);
  const Sample sample = MakeSample();
  AugmentOptions off;
  off.enabled = false;
  Rng rng(1);
  const TrainingExample example = AugmentCrop(picture, Whole(picture), sample, 48, 64, off, rng);
  EXPECT_EQ(example.image.rgb, RenderView(picture, sample, 48, 64, off.fill).rgb);
  ASSERT_THAT(example.objects, SizeIs(1));
  EXPECT_NEAR(example.objects[0].keypoints[0].x, (90 - 75) * 0.8, 1e-4);
  EXPECT_NEAR(example.objects[0].keypoints[0].y, (70 - 40) * 0.8, 1e-4);
  EXPECT_EQ(example.objects[0].keypoints[1].visibility, 1);
  EXPECT_NEAR(example.objects[0].area, 640, 1e-6);
  EXPECT_NEAR(example.objects[0].box.x1, (130 - 75) * 0.8, 1e-9);
}

// Rotations and flips keep the ratios of distances; areas grow with the square of lengths; no object is lost.
TEST(AugmentCrop, DistancesAndAreasScaleAlike) {
  const Image picture = NoisePicture(200, 160);
  const Sample sample = MakeSample();
  const auto& before = sample.objects[0].keypoints;
  int turned = 0, flipped = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const TrainingExample example = AugmentCrop(picture, Whole(picture), sample, 96, 128, Geometry(), rng);
    ASSERT_THAT(example.objects, SizeIs(1));
    const Object& object = example.objects[0];
    ASSERT_THAT(object.keypoints, SizeIs(3));
    EXPECT_GT(object.box.area(), 0);
    const double scale = std::sqrt(object.area / sample.objects[0].area);
    EXPECT_GE(scale, 1.6 / 1.35 - 1e-9);
    EXPECT_LE(scale, 1.6 / 0.7 + 1e-9);
    if (std::any_of(object.keypoints.begin(), object.keypoints.end(), [](auto& p) { return p.visibility == 0; }))
      continue;
    for (const auto& [a, b] : {std::pair{0u, 1u}, {0u, 2u}, {1u, 2u}}) {
      // A flip exchanges 0 and 1, so distances to 2 are compared crosswise.
      const bool is_flipped = object.keypoints[0].visibility == 1;
      const auto from = [&](unsigned k) { return is_flipped && k < 2 ? 1 - k : k; };
      EXPECT_NEAR(Distance(object.keypoints[a], object.keypoints[b]),
                  scale * Distance(before[from(a)], before[from(b)]), 1e-3);
    }
    flipped += object.keypoints[0].visibility == 1 ? 1 : 0;
    turned += std::abs(object.box.width() - scale * 50) > 1e-6 ? 1 : 0;
  }
  EXPECT_GT(flipped, 50);
  EXPECT_LT(flipped, 150);
  EXPECT_GT(turned, 60);
  EXPECT_LT(turned, 140);
}

// Black, with a dot of 4 x 4 pixels on each keypoint: red, green, blue.
Image DottedPicture(const Sample& sample) {
  Image picture = PlainPicture(sample.width, sample.height, 0, 0, 0);
  for (size_t k = 0; k < 3; ++k) {
    const Keypoint& point = sample.objects[0].keypoints[k];
    for (int y = -2; y < 2; ++y) {
      for (int x = -2; x < 2; ++x) {
        const int at = (static_cast<int>(point.y) + y) * sample.width + static_cast<int>(point.x) + x;
        picture.rgb[static_cast<size_t>(at) * 3 + k] = 255;
      }
    }
  }
  return picture;
}

// Dots of known colours mark the keypoints: wherever zoom, rotation and flip put them, the keypoints must follow.
TEST(AugmentCrop, KeypointsFollowThePixels) {
  const Sample sample = MakeSample();
  const Image picture = DottedPicture(sample);
  AugmentOptions options = Geometry();
  std::fill_n(options.fill, 3, uint8_t{0});
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    const TrainingExample example = AugmentCrop(picture, Whole(picture), sample, 96, 128, options, rng);
    const bool is_flipped = example.objects[0].keypoints[0].visibility == 1;
    for (size_t k = 0; k < 3; ++k) {
      const Keypoint& point = example.objects[0].keypoints[k];
      if (point.x < 2 || point.y < 2 || point.x > 94 || point.y > 126) continue;
      const size_t colour = is_flipped && k < 2 ? 1 - k : k;
      const size_t at = static_cast<size_t>(point.y) * 96 + static_cast<size_t>(point.x);
      EXPECT_GT(example.image.rgb[at * 3 + colour], 100) << seed << " " << k;
    }
  }
}

TEST(AugmentCrop, AFlipIsItsOwnInverse) {
  const Image picture = NoisePicture(64, 64);
  Sample sample = MakeSample();
  sample.width = sample.height = 64;
  sample.objects[0].box = {10, 10, 50, 50};
  sample.objects[0].keypoints = {{20, 30, 2}, {40, 31, 1}, {30, 45, 2}};
  sample.crop = Crop{.box = {0, 0, 64, 64}, .picture = 1};
  AugmentOptions options = Geometry();
  options.min_zoom = options.max_zoom = 1;
  options.rotate_degrees = 0;
  options.flip = 1;
  Rng rng(1);
  const TrainingExample once = AugmentCrop(picture, Whole(picture), sample, 64, 64, options, rng);
  EXPECT_NE(once.image.rgb, picture.rgb);
  EXPECT_EQ(once.objects[0].keypoints[0].x, 64 - 40);
  EXPECT_EQ(once.objects[0].keypoints[0].visibility, 1) << "left and right have changed places";
  sample.objects = once.objects;
  const TrainingExample twice = AugmentCrop(once.image, Whole(picture), sample, 64, 64, options, rng);
  EXPECT_EQ(twice.image.rgb, picture.rgb);
  EXPECT_EQ(twice.objects[0].keypoints[0].x, 20);
  EXPECT_EQ(twice.objects[0].keypoints[0].y, 30);
  EXPECT_EQ(twice.objects[0].keypoints[1].x, 40);
  EXPECT_NEAR(twice.objects[0].box.x0, 10, 1e-9);
}

TEST(AugmentCrop, NobodyIsMirroredWithoutKnowingLeftFromRight) {
  AugmentOptions options = Geometry();
  options.mirror_pairs.clear();
  options.rotate_degrees = 0;
  options.flip = 1;
  const Image picture = NoisePicture(200, 160);
  const Sample sample = MakeSample();
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    const auto points = AugmentCrop(picture, Whole(picture), sample, 96, 128, options, rng).objects[0].keypoints;
    EXPECT_LT(points[0].x, points[1].x);
  }
}

TEST(AugmentCrop, PointsThatLeaveAreNoLongerLabelledAndUnlabelledStayAtZero) {
  Sample sample = MakeSample();
  sample.objects[0].keypoints = {{76, 41, 2}, {0, 0, 0}, {134, 119, 1}};
  AugmentOptions options = Geometry();
  options.min_zoom = options.max_zoom = 0.7;
  options.rotate_degrees = options.flip = 0;
  Rng rng(1);
  const Image picture = NoisePicture(200, 160);
  const TrainingExample example = AugmentCrop(picture, Whole(picture), sample, 48, 64, options, rng);
  for (const Keypoint& point : example.objects[0].keypoints) {
    EXPECT_EQ(point.visibility, 0);
    EXPECT_EQ(point.x, 0);
  }
}

TEST(AugmentCrop, APartOfThePictureDoesAsWellWhenItHoldsTheReach) {
  const Image picture = NoisePicture(200, 160);
  const Sample sample = MakeSample();
  const AugmentOptions options = Geometry();
  const Box reach = CropReach(sample.crop->box, options);
  const int x0 = static_cast<int>(reach.x0), y0 = std::max(0, static_cast<int>(reach.y0));
  const Box area{static_cast<double>(x0), static_cast<double>(y0), std::min(200.0, std::ceil(reach.x1)), 160};
  Image part{static_cast<int>(area.width()), static_cast<int>(area.height()), {}};
  for (int y = y0; y < 160; ++y) {
    const auto row = picture.rgb.begin() + (y * 200 + x0) * 3;
    part.rgb.insert(part.rgb.end(), row, row + part.width * 3);
  }
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng a(seed), b(seed);
    const Image from_all = AugmentCrop(picture, Whole(picture), sample, 48, 64, options, a).image;
    const Image from_part = AugmentCrop(part, area, sample, 48, 64, options, b).image;
    int largest = 0;
    for (size_t i = 0; i < from_all.rgb.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<int>(from_all.rgb[i]) - from_part.rgb[i]));
    }
    EXPECT_LE(largest, 40) << "noise, resampled at places that differ by 1/32 of a pixel";
  }
}

TEST(ExchangeKeypoints, RefusesPairsThatAreNotThere) {
  std::vector<Object> objects = MakeSample().objects;
  ExchangeKeypoints({{0, 2}}, &objects);
  EXPECT_EQ(objects[0].keypoints[0].x, 105);
  EXPECT_EQ(ThrownBy([&] { ExchangeKeypoints({{0, 3}}, &objects); }).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace hot
