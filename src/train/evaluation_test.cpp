#include "train/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/files.h"
#include "data/test_data.h"
#include "graph/fold.h"
#include "models/backbone.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

constexpr int kSide = 64;

// A picture of noise and its mirror image. The box of the one object is the whole picture.
Dataset PictureAndMirrorImage(const fs::path& folder, const std::vector<std::string>& keypoints) {
  Image picture = NoisePicture(kSide, kSide);
  Dataset pictures{.classes = {"face"}, .keypoints = keypoints};
  for (const char* name : {"picture.png", "mirrored.png"}) {
    WritePng(folder / name, picture);
    Sample sample{.id = static_cast<int64_t>(pictures.samples.size()), .name = name, .image = folder / name};
    sample.width = sample.height = kSide;
    sample.objects.push_back({.box = BoxOfSize(kSide, kSide), .area = kSide * kSide});
    sample.objects[0].keypoints.assign(keypoints.size(), {.x = 1, .y = 1, .visibility = 2});
    pictures.samples.push_back(sample);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide / 2; ++x) {
        for (int c = 0; c < 3; ++c) {
          std::swap(picture.rgb[static_cast<size_t>((y * kSide + x) * 3 + c)],
                    picture.rgb[static_cast<size_t>((y * kSide + kSide - 1 - x) * 3 + c)]);
        }
      }
    }
  }
  return pictures;
}

// Keypoints of both pictures as an untrained network sees them.
std::vector<std::vector<Keypoint>> Predicted(const Dataset& pictures, bool flip_test) {
  TaskOptions options;
  options.task = "cpn";
  options.input = {3, kSide, kSide};
  options.classes = pictures.classes;
  options.keypoints = pictures.keypoints;
  options.mirror_pairs = {{0, 2}};
  options.pyramid_channels = 16;
  options.margin_y = options.margin_x = 0;
  options.flip_test = flip_test;
  const auto task = MakeTask(options);
  const Backbone& net = FindBackbone("mobilenet_v2");
  GraphModule module(BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), *task));
  module.Load(RandomWeights(module.graph(), 1));
  LoaderOptions loading{.batch = 2, .threads = 0, .shuffle = false};
  loading.augment.enabled = false;
  loading.preprocessing.width = loading.preprocessing.height = kSide;
  const Dataset views = task->Views(pictures);
  Loader loader(views, loading);
  std::vector<std::vector<Keypoint>> found;
  for (const ScoredPicture& picture : Predict(module, *task, pictures, views, loader)) {
    found.push_back(picture.detections.at(0).keypoints);
  }
  return found;
}

// How far the keypoints found in the mirror image are from the mirror images of those found in the picture.
float Asymmetry(const std::vector<std::vector<Keypoint>>& found) {
  float largest = 0;
  for (const auto& [k, mirrored] : {std::pair<size_t, size_t>{0, 2}, {1, 1}, {2, 0}}) {
    largest = std::max(largest, std::abs(kSide - found.at(0).at(k).x - found.at(1).at(mirrored).x));
    largest = std::max(largest, std::abs(found.at(0).at(k).y - found.at(1).at(mirrored).y));
  }
  return largest;
}

TEST(Predict, OfAFlipTestAreTheSameForAPictureAndItsMirrorImage) {
  const TempFolder folder;
  const Dataset pictures = PictureAndMirrorImage(folder.path(), {"left_eye", "nose", "right_eye"});
  at::set_num_threads(1);
  EXPECT_LT(Asymmetry(Predicted(pictures, /*flip_test=*/true)), 1e-3);
  EXPECT_GT(Asymmetry(Predicted(pictures, /*flip_test=*/false)), 1) << "or the test shows nothing";
}

}  // namespace
}  // namespace hot
