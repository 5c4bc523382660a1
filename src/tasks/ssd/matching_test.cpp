// MatchAnchors against the rules of ssd.h, checked anchor by anchor on random pictures, and its edge cases.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/rng.h"
#include "tasks/ssd/ssd.h"

namespace hot {
namespace {

constexpr int kSide = 96;

SsdTask MakeSsd() {
  TaskOptions options;
  options.input = {3, kSide, kSide};
  options.classes = {"a", "b", "c"};
  return SsdTask(options);
}

Object At(double x0, double y0, double x1, double y1, int label) {
  Object object;
  object.box = {x0, y0, x1, y1};
  object.label = label;
  return object;
}

double Iou(const Object& object, const Anchor& anchor) {
  const Box a = DecodeBox({0, 0, 0, 0}, anchor);
  const Box b{object.box.x0 / kSide, object.box.y0 / kSide, object.box.x1 / kSide, object.box.y1 / kSide};
  const double w = std::max(0.0, std::min(a.x1, b.x1) - std::max(a.x0, b.x0));
  const double h = std::max(0.0, std::min(a.y1, b.y1) - std::max(a.y0, b.y0));
  return w * h / (a.area() + b.area() - w * h);
}

// The object whose box an anchor's targets decode to, or -1.
int Decoded(const SsdTargets& targets, const SsdTask& task, const std::vector<Object>& objects, size_t anchor) {
  const float* o = &targets.offsets[4 * anchor];
  const Box box = DecodeBox({o[0], o[1], o[2], o[3]}, task.anchors()[anchor]);
  for (size_t i = 0; i < objects.size(); ++i) {
    const Box& b = objects[i].box;
    const double far = std::abs(box.x0 * kSide - b.x0) + std::abs(box.y0 * kSide - b.y0) +
                       std::abs(box.x1 * kSide - b.x1) + std::abs(box.y1 * kSide - b.y1);
    if (far < 0.01) return static_cast<int>(i);
  }
  return -1;
}

std::vector<Object> RandomObjects(Rng& rng) {
  std::vector<Object> objects;
  for (int64_t i = rng.Below(12); i >= 0; --i) {
    const double x = rng.Uniform(0, kSide - 4), y = rng.Uniform(0, kSide - 4);
    const double right = rng.Uniform(x + 1, kSide), bottom = rng.Uniform(y + 1, kSide);
    objects.push_back(At(x, y, right, bottom, static_cast<int>(rng.Below(3))));
  }
  return objects;
}

TEST(MatchAnchorsRules, HoldOnRandomPictures) {
  const SsdTask task = MakeSsd();
  Rng rng(21);
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    const std::vector<Object> objects = RandomObjects(rng);
    const SsdTargets targets = MatchAnchors(objects, task.anchors(), kSide, kSide);
    std::map<int, int> anchors_of, below_threshold;
    for (size_t a = 0; a < task.anchors().size(); ++a) {
      double best = 0;
      for (const Object& object : objects) best = std::max(best, Iou(object, task.anchors()[a]));
      if (targets.labels[a] == 0) {
        EXPECT_LT(best, 0.5 + 1e-6) << a;
        continue;
      }
      const int object = Decoded(targets, task, objects, a);
      ASSERT_GE(object, 0) << a;
      EXPECT_EQ(targets.labels[a], objects[static_cast<size_t>(object)].label + 1);
      ++anchors_of[object];
      // An anchor goes to its best object, unless another one chose it.
      if (best < 0.5 - 1e-6 || Iou(objects[static_cast<size_t>(object)], task.anchors()[a]) < best - 1e-6)
        ++below_threshold[object];
    }
    EXPECT_EQ(anchors_of.size(), objects.size());  // every object has an anchor
    for (const auto& [object, count] : below_threshold) EXPECT_EQ(count, 1) << object;
  }
}

TEST(MatchAnchors, ObjectsThatOverlapNoAnchorAreLeftOut) {
  const SsdTask task = MakeSsd();
  const double nan = std::nan("");
  for (const Object& object :
       {At(200, 200, 300, 300, 0), At(30, 30, 30, 30, 0), At(40, 40, 30, 30, 0), At(nan, nan, nan, nan, 0)}) {
    const SsdTargets targets = MatchAnchors({object}, task.anchors(), kSide, kSide);
    for (int64_t label : targets.labels) EXPECT_EQ(label, 0);
  }
}

TEST(MatchAnchors, MoreObjectsThanAnchors) {
  const std::vector<Anchor> anchors{{0.5f, 0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.9f, 0.9f}};
  const std::vector<Object> objects{At(20, 20, 70, 70, 0), At(22, 20, 70, 70, 1), At(24, 24, 72, 72, 2)};
  const SsdTargets targets = MatchAnchors(objects, anchors, kSide, kSide);
  EXPECT_EQ(targets.labels[0], 3);  // exactly this anchor's box
  EXPECT_GT(targets.labels[1], 0);
  EXPECT_TRUE(MatchAnchors(objects, {}, kSide, kSide).labels.empty());
}

}  // namespace
}  // namespace hot
