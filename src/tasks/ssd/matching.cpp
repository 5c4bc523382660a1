#include <algorithm>
#include <cmath>

#include "tasks/ssd/ssd.h"

namespace hot {
namespace {

constexpr float kMatchIou = 0.5f;

float Iou(const Box& a, const Box& b) {
  const double w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  const double h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (!(w > 0 && h > 0)) return 0;  // also for what is not a number
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
    const Box box{anchor.cx - anchor.w / 2, anchor.cy - anchor.h / 2, anchor.cx + anchor.w / 2,
                  anchor.cy + anchor.h / 2};
    for (size_t t = 0; t < targets.size(); ++t) overlaps.iou[t * anchors.size() + a] = Iou(targets[t].relative, box);
  }
  return overlaps;
}

constexpr int kBackground = -1;

// The target of each anchor by overlap alone: the largest that reaches the threshold, the first of equals.
std::vector<int> AssignByOverlap(const Overlaps& overlaps, size_t targets) {
  std::vector<int> assigned(overlaps.anchors, kBackground);
  std::vector<float> best(overlaps.anchors, std::nextafter(kMatchIou, 0.0f));
  for (size_t t = 0; t < targets; ++t) {
    const float* row = overlaps.row(t);
    for (size_t a = 0; a < overlaps.anchors; ++a) {
      if (row[a] <= best[a]) continue;
      best[a] = row[a];
      assigned[a] = static_cast<int>(t);
    }
  }
  return assigned;
}

// Targets by falling best overlap; those that overlap no anchor (without area, or outside the picture) are left out.
std::vector<size_t> ChoosingOrder(const Overlaps& overlaps, size_t targets) {
  std::vector<float> best(targets);
  std::vector<size_t> order;
  for (size_t t = 0; t < targets; ++t) {
    best[t] = *std::max_element(overlaps.row(t), overlaps.row(t) + overlaps.anchors);
    if (best[t] > 0) order.push_back(t);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return best[a] > best[b]; });
  return order;
}

// Gives every target its best anchor that no other target has been given.
void AssignBestAnchors(const Overlaps& overlaps, size_t targets, std::vector<int>& assigned) {
  std::vector<bool> taken(overlaps.anchors, false);
  for (size_t t : ChoosingOrder(overlaps, targets)) {
    const float* row = overlaps.row(t);
    float best = 0;
    size_t chosen = overlaps.anchors;
    for (size_t a = 0; a < overlaps.anchors; ++a) {
      if (row[a] <= best || taken[a]) continue;
      best = row[a];
      chosen = a;
    }
    if (chosen == overlaps.anchors) continue;  // others have all anchors that it overlaps
    taken[chosen] = true;
    assigned[chosen] = static_cast<int>(t);
  }
}

}  // namespace

SsdTargets MatchAnchors(const std::vector<Object>& objects, const std::vector<Anchor>& anchors, int width, int height) {
  SsdTargets result{.labels = std::vector<int64_t>(anchors.size(), 0),
                    .offsets = std::vector<float>(anchors.size() * 4, 0.0f)};
  const std::vector<Target> targets = UsableTargets(objects, width, height);
  if (targets.empty() || anchors.empty()) return result;
  const Overlaps overlaps = AllOverlaps(targets, anchors);
  std::vector<int> assigned = AssignByOverlap(overlaps, targets.size());
  AssignBestAnchors(overlaps, targets.size(), assigned);
  for (size_t a = 0; a < anchors.size(); ++a) {
    if (assigned[a] == kBackground) continue;
    const Target& target = targets[static_cast<size_t>(assigned[a])];
    result.labels[a] = target.label + 1;
    const auto offsets = EncodeBox(target.relative, anchors[a]);
    std::copy(offsets.begin(), offsets.end(), result.offsets.begin() + static_cast<std::ptrdiff_t>(4 * a));
  }
  return result;
}

}  // namespace hot
