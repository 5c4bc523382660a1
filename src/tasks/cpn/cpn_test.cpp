#include "tasks/cpn/cpn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "graph/costs.h"
#include "graph/fold.h"

namespace hot {
namespace {

TaskOptions Options(int height, int width, size_t keypoints = 3) {
  TaskOptions options;
  options.task = "cpn";
  options.input = {3, height, width};
  options.classes = {"person"};
  for (size_t k = 0; k < keypoints; ++k) options.keypoints.push_back("k" + std::to_string(k));
  options.pyramid_channels = 32;
  return options;
}

Graph Build(const Task& task, Purpose purpose, const char* backbone = "mobilenet_v2") {
  const Backbone& net = FindBackbone(backbone);
  return BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), task, purpose);
}

TEST(CpnTask, HeatMapsAreAQuarterOfTheInput) {
  for (const auto& [h, w] : {std::pair{256, 192}, {96, 96}, {32, 64}}) {
    const CpnTask task(Options(h, w, 17));
    const Graph graph = Build(task, Purpose::kShipping);
    ASSERT_EQ(graph.outputs().size(), 1u);
    EXPECT_EQ(graph.node(graph.outputs()[0]).name, "head.refine");
    EXPECT_EQ(graph.node(graph.outputs()[0]).shape, (Shape{17, h / 4, w / 4}));
    EXPECT_EQ(task.map_height(), h / 4);
    EXPECT_EQ(task.map_width(), w / 4);
  }
}

// The loss pairs outputs with kCpnLevels by position: from the coarsest level with the widest Gaussian to the finest.
void ExpectOutputsFollowTheLevels(const char* backbone, const std::array<int, 4>& slots) {
  const Graph graph = Build(CpnTask(Options(64, 96)), Purpose::kTraining, backbone);
  ASSERT_EQ(graph.outputs().size(), 1 + kCpnLevels.size());
  EXPECT_EQ(graph.node(graph.outputs()[0]).name, "head.refine");
  for (size_t i = 0; i < kCpnLevels.size(); ++i) {
    const Node* node = &graph.node(graph.outputs()[i + 1]);
    EXPECT_EQ(node->shape, (Shape{3, 16, 24}));
    if (node->op == Op::kUpsample) node = &graph.node(node->inputs[0]);
    EXPECT_EQ(node->name, "head.global" + std::to_string(slots[i]));
    EXPECT_EQ(node->shape, (Shape{3, 64 / kCpnLevels[i].stride, 96 / kCpnLevels[i].stride}));
    EXPECT_TRUE(i == 0 || kCpnLevels[i].kernel < kCpnLevels[i - 1].kernel);
  }
}

TEST(CpnTask, TrainingOutputsFollowTheLevels) {
  ExpectOutputsFollowTheLevels("mobilenet_v2", {7, 5, 3, 2});
  for (const char* backbone : {"resnet18", "resnet50"}) ExpectOutputsFollowTheLevels(backbone, {4, 3, 2, 1});
}

TEST(CpnTask, WhatShipsIsAPartOfWhatIsTrainedAndReadsNoTail) {
  const CpnTask task(Options(64, 64));
  const Graph shipped = Build(task, Purpose::kShipping), trained = Build(task, Purpose::kTraining);
  CheckWeights(shipped, RandomWeights(trained, 1), "test");
  EXPECT_LT(ComputeCosts(shipped, Precision::kFp32).macs, ComputeCosts(trained, Precision::kFp32).macs);
  for (const Node& node : trained.nodes()) EXPECT_FALSE(node.name.starts_with("tail")) << node.name;
  for (const Node& node : shipped.nodes()) EXPECT_FALSE(node.name.starts_with("head.global")) << node.name;
  const auto consumers = shipped.Consumers();
  for (NodeId id = 0; id < shipped.size(); ++id) {
    EXPECT_TRUE(!consumers[static_cast<size_t>(id)].empty() || id == shipped.outputs()[0])
        << shipped.node(id).name << " is computed for nobody";
  }
}

TEST(CpnTask, RefusesWhatItCantBuild) {
  EXPECT_THROW(CpnTask(Options(256, 192, 0)), Error);
  for (const auto& [h, w] : {std::pair{100, 96}, {96, 100}, {0, 32}, {16, 16}})
    EXPECT_THROW(CpnTask(Options(h, w)), Error);
  TaskOptions thin = Options(64, 64);
  thin.pyramid_channels = 1;
  EXPECT_THROW(CpnTask{thin}, Error);
}

TEST(FindPeak, IsTheHighestCellAQuarterTowardsTheHigherNeighbours) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  struct Case {
    const char* name;
    std::vector<float> map;  // 3 x 4
    double x, y, score;
  };
  for (const Case& c : {
           Case{"right", {0, 0, 0, 0, 0, .1f, .9f, .4f, 0, 0, 0, 0}, 2.75, 1.5, 0.9},
           Case{"up and right", {0, 0, .3f, 0, 0, .1f, .9f, .2f, 0, 0, 0, 0}, 2.75, 1.25, 0.9},
           Case{"a diagonal neighbour does not count", {0, 0, 0, 0, 0, .2f, .9f, .2f, 0, .3f, 0, 0}, 2.5, 1.5, 0.9},
           Case{"corner", {.9f, .2f, 0, 0, .1f, 0, 0, 0, 0, 0, 0, 0}, 0.5, 0.5, 0.9},
           Case{"a far second peak does not count", {0, .9f, .1f, .8f, 0, 0, 0, 0, 0, 0, 0, 0}, 1.75, 0.5, 0.9},
           Case{"negative", {-3, -2, -1, -2.5, -3, -3, -2, -3, -3, -3, -3, -3}, 2.25, 0.5, -1},
       }) {
    const HeatmapPeak peak = FindPeak(c.map, 3, 4);
    EXPECT_NEAR(peak.x, c.x, 1e-6) << c.name;
    EXPECT_NEAR(peak.y, c.y, 1e-6) << c.name;
    EXPECT_NEAR(peak.score, c.score, 1e-6) << c.name;
  }
  const HeatmapPeak broken = FindPeak(std::vector<float>{0, 1, kNan, 0}, 2, 2);
  EXPECT_TRUE(std::isnan(broken.x) && std::isnan(broken.y));
  EXPECT_EQ(broken.score, 0);
  const HeatmapPeak single = FindPeak(std::vector<float>{0.5f}, 1, 1);
  EXPECT_EQ(single.x, 0.5);
}

// A Gaussian drawn around any place is found again to within a quarter of a cell, hence a pixel of the input.
TEST(CpnTask, DecodesItsOwnTargets) {
  const CpnTask task(Options(64, 96, 2));
  for (double x = 6.1; x < 90; x += 7.7) {
    for (double y = 5.3; y < 58; y += 6.1) {
      Tensor maps({1, 2, 16, 24});
      for (size_t k = 0; k < 2; ++k) {
        for (int row = 0; row < 16; ++row) {
          for (int column = 0; column < 24; ++column) {
            const double d = std::hypot(column + 0.5 - (x / 4 + static_cast<double>(k)), row + 0.5 - y / 4);
            maps.data[k * 384 + static_cast<size_t>(row * 24 + column)] = static_cast<float>(std::exp(-d * d / 4));
          }
        }
      }
      const std::vector<Detection> poses = task.Decode(std::vector<Tensor>{maps});
      ASSERT_EQ(poses.size(), 1u);
      ASSERT_EQ(poses[0].keypoints.size(), 2u);
      EXPECT_NEAR(poses[0].keypoints[0].x, x, 1.001);
      EXPECT_NEAR(poses[0].keypoints[0].y, y, 1.001);
      EXPECT_NEAR(poses[0].keypoints[1].x, x + 4, 1.001);
      EXPECT_GT(poses[0].score, 0.85);
      EXPECT_LE(poses[0].score, 1);
    }
  }
  EXPECT_THROW(task.Decode(std::vector<Tensor>{Tensor({1, 3, 16, 24})}), Error);
  EXPECT_THROW(task.Decode({}), Error);
}

Tensor RandomMaps(std::vector<int64_t> shape, uint64_t seed) {
  Tensor maps(std::move(shape));
  Rng rng(seed);
  for (float& value : maps.data) value = static_cast<float>(rng.Uniform(-1, 1));
  return maps;
}

TEST(FlipTest, MirroringTwiceIsTheIdentity) {
  uint64_t seed = 0;
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 3, 16, 24}, {2, 1, 5, 7}, {1, 4, 3, 1}, {6}, {0}}) {
    const Tensor maps = RandomMaps(shape, ++seed);
    Tensor mirrored = maps;
    Mirror(mirrored);
    EXPECT_EQ(mirrored.data == maps.data, shape.back() <= 1) << seed;
    if (shape.back() > 1) EXPECT_EQ(mirrored.data[0], maps.data[static_cast<size_t>(shape.back()) - 1]);
    Mirror(mirrored);
    EXPECT_EQ(mirrored.data, maps.data) << seed;
  }
}

// Keypoints 0 and 2 change places in a mirror, 1 is its own mirror image.
CpnTask FlipTested() {
  TaskOptions options = Options(64, 96);
  options.mirror_pairs = {{0, 2}};
  options.flip_test = true;
  return CpnTask(options);
}

// What a network that treats left and right alike says of the mirror image.
Tensor MirrorImage(Tensor maps) {
  Mirror(maps);
  const auto plane = static_cast<std::ptrdiff_t>(maps.data.size() / 3);
  std::swap_ranges(maps.data.begin(), maps.data.begin() + plane, maps.data.begin() + 2 * plane);
  return maps;
}

TEST(FlipTest, LeavesTheMapsOfASymmetricNetworkAsTheyAre) {
  const Tensor maps = RandomMaps({1, 3, 16, 24}, 1);
  const auto united = FlipTested().Unite({maps}, std::vector<Tensor>{MirrorImage(maps)});
  ASSERT_EQ(united.size(), 1u);
  EXPECT_EQ(united[0].data, maps.data);
}

TEST(FlipTest, MakesEveryNetworkSymmetric) {
  const CpnTask task = FlipTested();
  EXPECT_EQ(task.options().passes(), 2);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Tensor a = RandomMaps({1, 3, 16, 24}, seed), b = RandomMaps({1, 3, 16, 24}, 100 + seed);
    const Tensor of_picture = task.Unite({a}, std::vector<Tensor>{b}).at(0);
    const Tensor of_mirror_image = task.Unite({b}, std::vector<Tensor>{a}).at(0);
    EXPECT_EQ(MirrorImage(of_picture).data, of_mirror_image.data) << seed;
    EXPECT_EQ(of_picture.data[0], (a.data[0] + b.data[2 * 384 + 23]) / 2);
  }
}

TEST(FlipTest, RefusesWhatItCantMirror) {
  TaskOptions options = Options(64, 96);
  options.flip_test = true;
  try {
    const CpnTask task(options);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "model.flip_test: nobody knows which keypoints are left and which right (name them with "
                 "data.mirror_pairs)");
  }
  options.mirror_pairs = {{0, 3}};
  EXPECT_THROW(CpnTask{options}, Error);
  EXPECT_THROW(FlipTested().Unite({Tensor({1, 3, 16, 24})}, std::vector<Tensor>{Tensor({1, 2, 16, 24})}), Error);
  TaskOptions boxes;
  boxes.classes = {"person"};
  EXPECT_THROW(MakeTask(boxes)->Unite({}, {}), Error);
}

TEST(CpnTask, ABrokenMapCostsItsKeypointOnly) {
  const CpnTask task(Options(32, 32, 2));
  Tensor maps({1, 2, 8, 8});
  maps.data[3 * 8 + 2] = 1.5f;
  maps.data[64] = std::numeric_limits<float>::quiet_NaN();
  const Detection pose = task.Decode(std::vector<Tensor>{maps}).at(0);
  EXPECT_NEAR(pose.keypoints[0].y, 14, 1.1);
  EXPECT_TRUE(std::isnan(pose.keypoints[1].x));
  EXPECT_FLOAT_EQ(pose.score, 0.5f);  // peaks count at most 1
}

}  // namespace
}  // namespace hot
