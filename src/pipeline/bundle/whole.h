// What the network sees of a picture: all of it, resized; what shrinks to less than half is averaged before.
#pragma once

#include <opencv2/imgproc.hpp>

#include "network.h"

inline cv::Mat Seen(const cv::Mat& picture, const cv::Rect2d&) {
  const int w = network::kWidth, h = network::kHeight;
  const cv::Size averaged(picture.cols > 2 * w ? w : picture.cols, picture.rows > 2 * h ? h : picture.rows);
  cv::Mat seen;
  cv::resize(picture, seen, averaged, 0, 0, cv::INTER_AREA);
  cv::resize(seen, seen, {w, h}, 0, 0, cv::INTER_LINEAR);
  return seen;
}
