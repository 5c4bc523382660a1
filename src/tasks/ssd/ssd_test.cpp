#include "tasks/ssd/ssd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/rng.h"

namespace hot {
namespace {

TaskOptions Options(int height, int width) {
  TaskOptions options;
  options.input = {3, height, width};
  options.classes = {"a", "b"};
  return options;
}

TEST(SsdTask, MapsHalveUntilOne) {
  using Maps = std::vector<std::pair<int, int>>;
  EXPECT_EQ(SsdTask(Options(160, 160)).Maps(), (Maps{{10, 10}, {5, 5}, {3, 3}, {2, 2}, {1, 1}}));
  EXPECT_EQ(SsdTask(Options(320, 320)).Maps(), (Maps{{20, 20}, {10, 10}, {5, 5}, {3, 3}, {2, 2}, {1, 1}}));
  EXPECT_EQ(SsdTask(Options(128, 256)).Maps(), (Maps{{8, 16}, {4, 8}, {2, 4}, {1, 2}, {1, 1}}));
  TaskOptions fine = Options(160, 160);
  fine.finest_stride = 8;
  EXPECT_EQ(SsdTask(fine).Maps(), (Maps{{20, 20}, {10, 10}, {5, 5}, {3, 3}, {2, 2}, {1, 1}}));
  fine.input = {3, 32, 32};  // the tail's map comes after both taps, however small the picture
  EXPECT_EQ(SsdTask(fine).Maps(), (Maps{{4, 4}, {2, 2}, {1, 1}}));
  fine.finest_stride = 4;
  EXPECT_THROW(SsdTask{fine}, Error);
  EXPECT_THROW(SsdTask(Options(16, 160)), Error);
  TaskOptions none = Options(160, 160);
  none.classes.clear();
  EXPECT_THROW(SsdTask{none}, Error);
}

TEST(SsdTask, OutputsHaveTheMapsShapes) {
  for (const auto& [backbone, h, w, stride] : {std::tuple{"mobilenet_v2", 160, 160, 16},
                                               {"mobilenet_v2", 128, 256, 16},
                                               {"mobilenet_v2", 150, 190, 16},
                                               {"mobilenet_v2", 160, 160, 8},
                                               {"resnet18", 150, 190, 16},
                                               {"resnet50", 128, 256, 8}}) {
    TaskOptions options = Options(h, w);
    options.finest_stride = stride;
    const SsdTask task(options);
    const Backbone& net = FindBackbone(backbone);
    const Graph graph = BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), task);
    const auto maps = task.Maps();
    ASSERT_EQ(graph.outputs().size(), 2 * maps.size());
    for (size_t i = 0; i < maps.size(); ++i) {
      const Node& classes = graph.node(graph.outputs()[2 * i]);
      EXPECT_EQ(classes.name, "head.cls" + std::to_string(i));
      EXPECT_EQ(classes.shape, (Shape{6 * 3, maps[i].first, maps[i].second}));
      EXPECT_EQ(graph.node(graph.outputs()[2 * i + 1]).shape, (Shape{6 * 4, maps[i].first, maps[i].second}));
    }
  }
}

// What the head predicts from: MobileNetV2's slots are narrow and widened first, ResNet's are read as they are.
TEST(SsdTask, WidensNarrowSlotsOnly) {
  TaskOptions options = Options(128, 128);
  options.finest_stride = 8;
  const SsdTask task(options);
  for (const Backbone* net : AllBackbones()) {
    const Graph graph = BuildNetwork(*net, 0.35, BaselineChoices(*net, 0.35, Precision::kFp32), task);
    int taps = 0;
    for (const Node& node : graph.nodes()) taps += node.name.starts_with("head.tap") && node.op == Op::kConv ? 1 : 0;
    EXPECT_EQ(taps, net->traits().narrow_slots ? 2 : 0) << net->name();
    const NodeId last_slot = graph.sections()[graph.sections().size() - 2].last - 1;
    const auto consumers = graph.Consumers();
    int read_by_head = 0;
    for (const NodeId reader : consumers[static_cast<size_t>(last_slot)])
      read_by_head += graph.node(reader).name.starts_with("head.") ? 1 : 0;
    EXPECT_EQ(read_by_head, 3) << net->name() << ": classes, boxes and the next map read the tail";
  }
}

TEST(Anchors, CountCentresAndScales) {
  const SsdTask task(Options(160, 160));
  const auto& anchors = task.anchors();
  ASSERT_EQ(anchors.size(), static_cast<size_t>((100 + 25 + 9 + 4 + 1) * 6));
  EXPECT_FLOAT_EQ(anchors[0].cx, 0.05f);
  EXPECT_FLOAT_EQ(anchors[0].w, 0.15f);
  EXPECT_FLOAT_EQ(anchors[2].w / anchors[2].h, 2);
  EXPECT_FLOAT_EQ(anchors[3].w / anchors[3].h, 0.5);
  EXPECT_FLOAT_EQ(anchors[4].w / anchors[4].h, 3);
  EXPECT_FLOAT_EQ(anchors.back().cx, 0.5f);
  EXPECT_FLOAT_EQ(anchors[anchors.size() - 6].w, 0.95f);
}

TEST(Boxes, EncodeAndDecodeAreInverse) {
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    const Anchor anchor{static_cast<float>(rng.Uniform()), static_cast<float>(rng.Uniform()),
                        static_cast<float>(rng.Uniform(0.05, 1)), static_cast<float>(rng.Uniform(0.05, 1))};
    Box box{static_cast<float>(rng.Uniform(0, 0.5)), static_cast<float>(rng.Uniform(0, 0.5)), 0, 0};
    box.x1 = box.x0 + static_cast<float>(rng.Uniform(0.01, 0.5));
    box.y1 = box.y0 + static_cast<float>(rng.Uniform(0.01, 0.5));
    const Box back = DecodeBox(EncodeBox(box, anchor), anchor);
    EXPECT_NEAR(back.x0, box.x0, 1e-5);
    EXPECT_NEAR(back.y0, box.y0, 1e-5);
    EXPECT_NEAR(back.x1, box.x1, 1e-5);
    EXPECT_NEAR(back.y1, box.y1, 1e-5);
  }
  const Anchor anchor{0.5f, 0.5f, 0.1f, 0.1f};
  for (float value : EncodeBox({0.5f, 0.5f, 0.5f, 0.5f}, anchor)) EXPECT_TRUE(std::isfinite(value));
  EXPECT_TRUE(std::isfinite(DecodeBox({1e9f, 1e9f, 1e9f, 1e9f}, anchor).x1));
}

Object At(float x0, float y0, float x1, float y1, int label) {
  Object object;
  object.box = {x0, y0, x1, y1};
  object.label = label;
  return object;
}

int Positives(const SsdTargets& targets) {
  return static_cast<int>(
      std::count_if(targets.labels.begin(), targets.labels.end(), [](int64_t label) { return label > 0; }));
}

TEST(MatchAnchors, EveryObjectGetsAnAnchor) {
  const SsdTask task(Options(160, 160));
  EXPECT_EQ(Positives(MatchAnchors({}, task.anchors(), 160, 160)), 0);
  EXPECT_EQ(Positives(MatchAnchors({At(80, 80, 81, 81, 1)}, task.anchors(), 160, 160)),
            1);  // one pixel: below the threshold
  Object crowd = At(0, 0, 80, 80, 0), difficult = crowd;
  crowd.crowd = true;
  difficult.difficult = true;
  EXPECT_EQ(Positives(MatchAnchors({crowd, difficult}, task.anchors(), 160, 160)), 0);
  const SsdTargets matched = MatchAnchors({At(32, 32, 64, 64, 1)}, task.anchors(), 160, 160);
  EXPECT_GE(Positives(matched), 1);
  for (size_t i = 0; i < matched.labels.size(); ++i) {
    if (matched.labels[i] == 0) continue;
    EXPECT_EQ(matched.labels[i], 2);
    const Box box = DecodeBox(
        {matched.offsets[4 * i], matched.offsets[4 * i + 1], matched.offsets[4 * i + 2], matched.offsets[4 * i + 3]},
        task.anchors()[i]);
    EXPECT_NEAR(box.x0, 0.2, 1e-5);
    EXPECT_NEAR(box.y1, 0.4, 1e-5);
  }
}

TEST(MatchAnchors, TwoObjectsThatWantOneAnchorBothGetOne) {
  const SsdTask task(Options(160, 160));
  const auto targets = MatchAnchors({At(70, 70, 72, 72, 0), At(70, 70, 72, 73, 1)}, task.anchors(), 160, 160);
  const std::set<int64_t> labels(targets.labels.begin(), targets.labels.end());
  EXPECT_EQ(labels, (std::set<int64_t>{0, 1, 2}));
}

TEST(NonMaximumSuppression, KeepsTheBestOfEachHeap) {
  const std::vector<Detection> detections{{{0, 0, 10, 10}, 0, 0.5f},
                                          {{1, 0, 11, 10}, 0, 0.9f},
                                          {{1, 0, 11, 10}, 1, 0.4f},
                                          {{30, 30, 40, 40}, 0, 0.1f},
                                          {{0, 0, 10, 10}, 0, 0.95f}};
  const auto kept = NonMaximumSuppression(detections, 0.45, 100);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_FLOAT_EQ(kept[0].score, 0.95f);
  EXPECT_EQ(kept[1].label, 1);
  EXPECT_EQ(NonMaximumSuppression(detections, 0.45, 1).size(), 1u);
  EXPECT_TRUE(NonMaximumSuppression({}, 0.45, 10).empty());
}

TEST(Decode, FindsWhatTargetsSay) {  // logits made from targets must decode to the objects
  const SsdTask task(Options(160, 160));
  const std::vector<Object> objects{At(20, 30, 70, 90, 0), At(90, 90, 150, 140, 1)};
  const SsdTargets targets = MatchAnchors(objects, task.anchors(), 160, 160);
  std::vector<Tensor> outputs;
  size_t anchor = 0;
  for (const auto& [rows, columns] : task.Maps()) {
    const int64_t cells = rows * columns;
    Tensor classes({1, 18, rows, columns}), boxes({1, 24, rows, columns});
    for (int64_t cell = 0; cell < cells; ++cell) {
      for (int64_t a = 0; a < 6; ++a, ++anchor) {
        classes.data[static_cast<size_t>((a * 3 + targets.labels[anchor]) * cells + cell)] = 10;
        for (int64_t i = 0; i < 4; ++i) {
          boxes.data[static_cast<size_t>((a * 4 + i) * cells + cell)] =
              targets.offsets[4 * anchor + static_cast<size_t>(i)];
        }
      }
    }
    outputs.push_back(std::move(classes));
    outputs.push_back(std::move(boxes));
  }
  const auto found = task.Decode(outputs);
  ASSERT_EQ(found.size(), 2u);
  for (const Detection& detection : found) {
    const Box& truth = objects[static_cast<size_t>(detection.label)].box;
    EXPECT_NEAR(detection.box.x0, truth.x0, 0.01);
    EXPECT_NEAR(detection.box.y1, truth.y1, 0.01);
    EXPECT_GT(detection.score, 0.99);
  }
  outputs.pop_back();
  EXPECT_THROW(task.Decode(outputs), Error);
}

}  // namespace
}  // namespace hot
