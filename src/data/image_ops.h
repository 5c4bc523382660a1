// Private to data/: Image seen as cv::Mat, and the resizing rule. Thread-safe.
#pragma once

#include <opencv2/core.hpp>

#include "data/image.h"

namespace hot {

// Views, no copies. The const one must not be written to.
cv::Mat MatOf(Image& image);
const cv::Mat MatOf(const Image& image);

Image MakeImage(int width, int height);

// Fills `to`, whose size decides: see ResizeImage.
void ResizeMat(const cv::Mat& from, cv::Mat to);

}  // namespace hot
