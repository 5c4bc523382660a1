#include <algorithm>
#include <numeric>

#include "tasks/ssd/ssd.h"

namespace hot {
namespace {

constexpr float kMatchIou = 0.5f;

float Iou(const Box& a, const Box& b) {
  const double w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  const double h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (w <= 0 || h <= 0) return 0;
  const double intersection = w * h;
  return static_cast<float>(intersection / (a.area() + b.area() - intersection));
}

struct Target {
  Box relative;
  int label;
};

std::vector<Target> UsableTargets(const std::vector<Object>& objects, int width, int height) {
  const double w = width, h = height;
  std::vector<Target> targets;
  for (const Object& object : objects) {
    if (object.difficult || object.crowd) continue;
    const Box& b = object.box;
    targets.push_back({.relative = {b.x0 / w, b.y0 / h, b.x1 / w, b.y1 / h}, .label = object.label});
  }
  return targets;
}

struct Overlaps {
  std::vector<float> iou;  // target-major: targets x anchors
  size_t anchors = 0;
  const float* row(size_t target) const { return iou.data() + target * anchors; }
};

Overlaps AllOverlaps(const std::vector<Target>& targets, const std::vector<Anchor>& anchors) {
  Overlaps overlaps{.iou = std::vector<float>(targets.size() * anchors.size()), .anchors = anchors.size()};
  for (size_t a = 0; a < anchors.size(); ++a) {
    const Anchor& anchor = anchors[a];
    const Box box{anchor.cx - anchor.w / 2, anchor.cy - anchor.h / 2, anchor.cx + anchor.w / 2, anchor.cy + anchor.h / 2};
    for (size_t t = 0; t < targets.size(); ++t) overlaps.iou[t * anchors.size() + a] = Iou(targets[t].relative, box);
  }
  return overlaps;
}

// The target of each anchor, or -1. Objects choose in order of falling best overlap, so that two never take the same anchor.
std::vector<int> Assign(const Overlaps& overlaps, size_t targets) {
  std::vector<int> assigned(overlaps.anchors, -1);
  for (size_t a = 0; a < overlaps.anchors; ++a) {
    float best = kMatchIou;
    for (size_t t = 0; t < targets; ++t) {
      const float iou = overlaps.row(t)[a];
      if (iou >= best && (assigned[a] < 0 || iou > best)) {
        best = iou;
        assigned[a] = static_cast<int>(t);
      }
    }
  }
  std::vector<float> best(targets);
  for (size_t t = 0; t < targets; ++t) best[t] = *std::max_element(overlaps.row(t), overlaps.row(t) + overlaps.anchors);
  std::vector<size_t> order(targets);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return best[a] > best[b]; });
  std::vector<bool> taken(overlaps.anchors, false);
  for (size_t t : order) {
    int chosen = -1;
    for (size_t a = 0; a < overlaps.anchors; ++a) {
      if (!taken[a] && (chosen < 0 || overlaps.row(t)[a] > overlaps.row(t)[chosen])) chosen = static_cast<int>(a);
    }
    if (chosen < 0) break;  // more objects than anchors
    taken[static_cast<size_t>(chosen)] = true;
    assigned[static_cast<size_t>(chosen)] = static_cast<int>(t);
  }
  return assigned;
}

}  // namespace

SsdTargets MatchAnchors(const std::vector<Object>& objects, const std::vector<Anchor>& anchors, int width, int height) {
  SsdTargets result{.labels = std::vector<int64_t>(anchors.size(), 0), .offsets = std::vector<float>(anchors.size() * 4, 0.0f)};
  const std::vector<Target> targets = UsableTargets(objects, width, height);
  if (targets.empty()) return result;
  const std::vector<int> assigned = Assign(AllOverlaps(targets, anchors), targets.size());
  for (size_t a = 0; a < anchors.size(); ++a) {
    if (assigned[a] < 0) continue;
    const Target& target = targets[static_cast<size_t>(assigned[a])];
    result.labels[a] = target.label + 1;
    const auto offsets = EncodeBox(target.relative, anchors[a]);
    std::copy(offsets.begin(), offsets.end(), result.offsets.begin() + static_cast<std::ptrdiff_t>(4 * a));
  }
  return result;
}

}  // namespace hot
