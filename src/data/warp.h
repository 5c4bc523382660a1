// Private to data/: affine maps between frames of pixels, and resampling a picture through one. Frames are continuous:
// a pixel covers [i, i + 1). Thread-safe.
#pragma once

#include <array>
#include <opencv2/core.hpp>

#include "data/dataset.h"
#include "data/image.h"

namespace hot {

// x' = a x + b y + c, y' = d x + e y + f.
struct Affine {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;

  std::array<double, 2> operator()(double x, double y) const { return {a * x + b * y + c, d * x + e * y + f}; }
  // First this, then `next`.
  Affine Then(const Affine& next) const;
  Affine Inverse() const;
  // By how much it enlarges areas, its root by how much lengths; negative determinants (mirrors) count as positive.
  double AreaFactor() const;

  // The corners of one box to those of another.
  static Affine Between(const Box& from, const Box& to);
  // About a point, clockwise as seen on the screen (y points down), lengths times `scale`.
  static Affine TurnAndScale(double x, double y, double degrees, double scale);
};

// The smallest upright box around a mapped box.
Box MapBox(const Box& box, const Affine& map);

// A picture and the part of the annotation's frame that it shows; what a cache may have cut out and shrunk.
struct Shown {
  const Image* image;
  Box area;
};

// Whole pixels of a picture around a box that may reach outside; one pixel at least.
cv::Rect PixelsAround(const Box& box, int width, int height);
Box BoxOf(const cv::Rect& rect);

// `to_output` maps the annotation's frame to the output's. Bilinear; where it shrinks by more than 2, the pixels that
// are needed are averaged first. Output pixels outside `shown` are `fill`.
Image Warp(const Shown& shown, const Affine& to_output, int width, int height, const uint8_t fill[3]);

}  // namespace hot
