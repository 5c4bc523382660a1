#include <algorithm>
#include <cmath>

#include "tasks/ssd/ssd.h"

namespace hot {

std::vector<Anchor> MakeAnchors(const std::vector<std::pair<int, int>>& maps, const TaskOptions& options) {
  const auto scale = [&](size_t map) {  // Liu et al., 2016, equation 4; one step beyond the last map is full size
    if (map >= maps.size()) return 1.0;
    const double step = maps.size() > 1 ? static_cast<double>(map) / static_cast<double>(maps.size() - 1) : 0.0;
    return options.anchor_min_scale + (options.anchor_max_scale - options.anchor_min_scale) * step;
  };
  std::vector<Anchor> anchors;
  for (size_t map = 0; map < maps.size(); ++map) {
    const double own = scale(map), between = std::sqrt(own * scale(map + 1));
    std::vector<std::pair<double, double>> sizes{{own, own}, {between, between}};
    for (double ratio : options.aspect_ratios) {
      const double root = std::sqrt(ratio);
      sizes.emplace_back(own * root, own / root);
      sizes.emplace_back(own / root, own * root);
    }
    const auto [rows, columns] = maps[map];
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        const float cx = (static_cast<float>(column) + 0.5f) / static_cast<float>(columns);
        const float cy = (static_cast<float>(row) + 0.5f) / static_cast<float>(rows);
        for (const auto& [w, h] : sizes) anchors.push_back({cx, cy, static_cast<float>(w), static_cast<float>(h)});
      }
    }
  }
  return anchors;
}

std::array<float, 4> EncodeBox(const Box& relative, const Anchor& anchor) {
  constexpr double kSmallest = 1e-6;  // a box without area must not become infinite
  const double w = std::max(relative.width(), kSmallest), h = std::max(relative.height(), kSmallest);
  return {static_cast<float>(((relative.x0 + relative.x1) / 2 - anchor.cx) / anchor.w) / kBoxVariances[0],
          static_cast<float>(((relative.y0 + relative.y1) / 2 - anchor.cy) / anchor.h) / kBoxVariances[1],
          static_cast<float>(std::log(w / anchor.w)) / kBoxVariances[2],
          static_cast<float>(std::log(h / anchor.h)) / kBoxVariances[3]};
}

Box DecodeBox(const std::array<float, 4>& offsets, const Anchor& anchor) {
  constexpr float kLargest = 4.0f;  // e^4 = 55 times the anchor: an untrained network must not overflow
  const float cx = anchor.cx + offsets[0] * kBoxVariances[0] * anchor.w;
  const float cy = anchor.cy + offsets[1] * kBoxVariances[1] * anchor.h;
  const float w = anchor.w * std::exp(std::min(offsets[2] * kBoxVariances[2], kLargest));
  const float h = anchor.h * std::exp(std::min(offsets[3] * kBoxVariances[3], kLargest));
  return {cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
}

}  // namespace hot
