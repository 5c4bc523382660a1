#include <algorithm>

#include "tasks/ssd/ssd.h"

namespace hot {
namespace {

bool Overlap(const Box& a, const Box& b, double iou) {
  const double w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  const double h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (w <= 0 || h <= 0) return false;
  const double intersection = w * h;
  return intersection > iou * (a.area() + b.area() - intersection);
}

}  // namespace

std::vector<Detection> NonMaximumSuppression(std::vector<Detection> detections, double iou, int max_detections) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> kept;
  for (const Detection& detection : detections) {
    if (static_cast<int>(kept.size()) == max_detections) break;
    const auto suppresses = [&](const Detection& better) {
      return better.label == detection.label && Overlap(better.box, detection.box, iou);
    };
    if (std::none_of(kept.begin(), kept.end(), suppresses)) kept.push_back(detection);
  }
  return kept;
}

}  // namespace hot
