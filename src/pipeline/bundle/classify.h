// The class of a picture: one logit a class, whose softmax are the probabilities.
#pragma once

#include <algorithm>
#include <cmath>
#include <iostream>
#include <opencv2/imgproc.hpp>

#include "model.h"

struct Found {
  int label;
  float score;
};

inline std::vector<Found> Decode(const Outputs& outputs, float threshold) {
  const auto top = std::max_element(outputs[0].begin(), outputs[0].end());
  float sum = 0;
  for (const float logit : outputs[0]) sum += std::exp(logit - *top);
  if (1 / sum < threshold) return {};
  return {{static_cast<int>(top - outputs[0].begin()), 1 / sum}};
}

inline void Draw(cv::Mat& picture, const cv::Rect2d&, const Found& one) {
  std::cout << network::kClasses[one.label] << " " << one.score << "\n";
  cv::putText(picture, network::kClasses[one.label], {4, 16}, cv::FONT_HERSHEY_SIMPLEX, 0.5, {0, 200, 0});
}
