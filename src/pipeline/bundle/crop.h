// What the network sees of a picture: the crop around one object's box.
#pragma once

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "network.h"

// The box with its margins, widened or heightened to the input's aspect ratio.
inline cv::Rect2d ViewOf(const cv::Rect2d& box) {
  const double aspect = static_cast<double>(network::kWidth) / network::kHeight;
  const double tall = box.height * (1 + 2 * network::kMarginY);
  const double width = std::max(box.width * (1 + 2 * network::kMarginX), tall * aspect), height = width / aspect;
  return {box.x + (box.width - width) / 2, box.y + (box.height - height) / 2, width, height};
}

// The view, the mean colour where it leaves the picture; what shrinks to less than half is averaged before.
inline cv::Mat Seen(const cv::Mat& picture, const cv::Rect2d& box) {
  const cv::Rect2d view = ViewOf(box);
  const double scale = network::kWidth / view.width, before = scale < 0.5 ? scale : 1, after = scale / before;
  cv::Mat averaged, seen;
  cv::resize(picture, averaged, {}, before, before, cv::INTER_AREA);
  const double shift = 0.5 * after - 0.5;  // OpenCV counts from the middle of the first pixel
  const cv::Matx23d map(after, 0, shift - scale * view.x, 0, after, shift - scale * view.y);
  const cv::Scalar mean(255 * network::kMean[2], 255 * network::kMean[1], 255 * network::kMean[0]);
  cv::warpAffine(averaged, seen, map, {network::kWidth, network::kHeight}, cv::INTER_LINEAR, cv::BORDER_CONSTANT, mean);
  return seen;
}
