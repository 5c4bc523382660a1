// Joints of one object (CPN): a heat map a keypoint over the crop around the object's box.
#pragma once

#include <algorithm>
#include <cmath>
#include <iostream>

#include "model.h"
#include "picture.h"

struct Joint {
  double x, y;  // relative to the crop
  float score;
  bool shown;
};
using Found = std::vector<Joint>;  // in the order of network::kKeypoints

// The highest cell, a quarter of a cell towards the higher neighbour along each axis.
inline Joint PeakOf(const float* map, int rows, int columns, float threshold) {
  const int at = static_cast<int>(std::max_element(map, map + rows * columns) - map);
  const auto shift = [&](int step, int place, int count) {
    if (place == 0 || place == count - 1 || map[at - step] == map[at + step]) return 0.0;
    return map[at + step] > map[at - step] ? 0.25 : -0.25;
  };
  const int row = at / columns, column = at % columns;
  return {(column + 0.5 + shift(1, column, columns)) / columns, (row + 0.5 + shift(columns, row, rows)) / rows, map[at],
          map[at] >= threshold};
}

// Joints that do not reach the threshold are there, but not shown.
inline std::vector<Found> Decode(const Outputs& outputs, float threshold) {
  const int rows = network::kHeight / 4, columns = network::kWidth / 4;
  Found pose;
  for (size_t k = 0; k < network::kKeypoints.size(); ++k)
    pose.push_back(PeakOf(outputs[0].data() + k * rows * columns, rows, columns, threshold));
  return {pose};
}

inline void Draw(cv::Mat& picture, const cv::Rect2d& box, const Found& pose) {
  const cv::Rect2d view = ViewOf(box);
  const auto pixel = [&](const Joint& joint) {
    return cv::Point2d(view.x + joint.x * view.width, view.y + joint.y * view.height);
  };
  for (const auto& [a, b] : network::kSkeleton) {
    if (pose[a].shown && pose[b].shown) cv::line(picture, pixel(pose[a]), pixel(pose[b]), {0, 200, 0}, 2);
  }
  for (size_t k = 0; k < pose.size(); ++k) {
    if (!pose[k].shown) continue;
    std::cout << network::kKeypoints[k] << " " << pose[k].score << " " << pixel(pose[k]).x << " " << pixel(pose[k]).y
              << "\n";
    cv::circle(picture, pixel(pose[k]), 3, {0, 0, 220}, cv::FILLED);
  }
}
