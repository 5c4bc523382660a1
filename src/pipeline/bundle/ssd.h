// Boxes of a single-shot detector (SSD): per map a tensor of class logits and one of offsets from anchors.
#pragma once

#include <algorithm>
#include <cmath>
#include <iostream>
#include <opencv2/imgproc.hpp>

#include "model.h"

struct Found {
  cv::Rect2f box;  // relative to the picture
  size_t label;
  float score;
};

inline cv::Rect2f BoxAt(const std::vector<float>& offsets, const network::Map& map, size_t cell, size_t anchor) {
  const auto o = [&](size_t k) { return offsets[(anchor * 4 + k) * map.rows * map.columns + cell]; };
  const auto [w, h] = map.anchors[anchor];
  const float x = (cell % map.columns + 0.5f) / map.columns + o(0) * 0.1f * w;
  const float y = (cell / map.columns + 0.5f) / map.rows + o(1) * 0.1f * h;
  const cv::Size2f size(w * std::exp(std::min(o(2) * 0.2f, 4.0f)), h * std::exp(std::min(o(3) * 0.2f, 4.0f)));
  return cv::Rect2f(x - size.width / 2, y - size.height / 2, size.width, size.height) & cv::Rect2f(0, 0, 1, 1);
}

// Greedy non-maximum suppression, class by class.
inline std::vector<Found> Suppress(std::vector<Found> all) {
  std::vector<Found> kept;
  std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.score > b.score; });
  for (const Found& one : all) {
    const auto covers = [&](const Found& better) {
      const float shared = (better.box & one.box).area();
      return better.label == one.label && shared > network::kNmsIou * (better.box.area() + one.box.area() - shared);
    };
    if (kept.size() < network::kMaxDetections && std::none_of(kept.begin(), kept.end(), covers)) kept.push_back(one);
  }
  return kept;
}

inline std::vector<Found> Decode(const Outputs& outputs, float threshold) {
  std::vector<Found> all;
  const size_t logits = network::kClasses.size() + 1;  // class 0 is the background
  for (size_t m = 0; m < network::kMaps.size(); ++m) {
    const network::Map& map = network::kMaps[m];
    const size_t cells = map.rows * map.columns;
    for (size_t i = 0; i < cells * map.anchors.size(); ++i) {
      const size_t cell = i % cells, anchor = i / cells;
      std::vector<float> p(logits);
      float sum = 0;
      for (size_t c = 0; c < logits; ++c) sum += p[c] = std::exp(outputs[2 * m][(anchor * logits + c) * cells + cell]);
      for (size_t c = 1; c < logits; ++c) {
        if (p[c] > threshold * sum) all.push_back({BoxAt(outputs[2 * m + 1], map, cell, anchor), c - 1, p[c] / sum});
      }
    }
  }
  return Suppress(std::move(all));
}

inline void Draw(cv::Mat& picture, const cv::Rect2d&, const Found& one) {
  const float sx = picture.cols, sy = picture.rows;
  const cv::Rect2d box(one.box.x * sx, one.box.y * sy, one.box.width * sx, one.box.height * sy);
  const std::string& name = network::kClasses[one.label];
  std::cout << name << " " << one.score << " " << box.x << " " << box.y << " " << box.br().x << " " << box.br().y
            << "\n";
  cv::rectangle(picture, box, {0, 200, 0}, 2);
  cv::putText(picture, name, box.tl() + cv::Point2d(2, 12), cv::FONT_HERSHEY_SIMPLEX, 0.4, {0, 200, 0});
}
