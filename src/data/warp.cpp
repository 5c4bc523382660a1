#include "data/warp.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "data/image_ops.h"

namespace hot {
namespace {

// Pixel centres of continuous frames lie at halves, OpenCV's at whole numbers.
cv::Matx23d ForOpenCv(const Affine& m) {
  return {m.a, m.b, m.c - 0.5 + 0.5 * (m.a + m.b), m.d, m.e, m.f - 0.5 + 0.5 * (m.d + m.e)};
}

Box Grown(const Box& box, double by) { return {box.x0 - by, box.y0 - by, box.x1 + by, box.y1 + by}; }

}  // namespace

Affine Affine::Then(const Affine& n) const {
  return {n.a * a + n.b * d, n.a * b + n.b * e, n.a * c + n.b * f + n.c,
          n.d * a + n.e * d, n.d * b + n.e * e, n.d * c + n.e * f + n.f};
}

Affine Affine::Inverse() const {
  const double determinant = a * e - b * d;
  HOT_ASSERT(determinant != 0);
  const Affine turn{e / determinant, -b / determinant, 0, -d / determinant, a / determinant, 0};
  const auto [x, y] = turn(c, f);
  return {turn.a, turn.b, -x, turn.d, turn.e, -y};
}

double Affine::AreaFactor() const { return std::abs(a * e - b * d); }

Affine Affine::Between(const Box& from, const Box& to) {
  const double sx = to.width() / from.width(), sy = to.height() / from.height();
  return {sx, 0, to.x0 - sx * from.x0, 0, sy, to.y0 - sy * from.y0};
}

Affine Affine::TurnAndScale(double x, double y, double degrees, double scale) {
  const double angle = degrees * std::numbers::pi / 180;
  const double c = scale * std::cos(angle), s = scale * std::sin(angle);
  return {c, -s, x - c * x + s * y, s, c, y - s * x - c * y};
}

Box MapBox(const Box& box, const Affine& map) {
  const auto first = map(box.x0, box.y0);
  Box around{first[0], first[1], first[0], first[1]};
  for (const auto& [x, y] : {map(box.x1, box.y0), map(box.x0, box.y1), map(box.x1, box.y1)}) {
    around = {std::min(around.x0, x), std::min(around.y0, y), std::max(around.x1, x), std::max(around.y1, y)};
  }
  return around;
}

Box BoxOf(const cv::Rect& rect) {
  return {static_cast<double>(rect.x), static_cast<double>(rect.y), static_cast<double>(rect.br().x),
          static_cast<double>(rect.br().y)};
}

cv::Rect PixelsAround(const Box& box, int width, int height) {
  const auto clamp = [](double value, int low, int high) {
    return static_cast<int>(std::clamp(value, static_cast<double>(low), static_cast<double>(high)));
  };
  const int x0 = clamp(std::floor(box.x0), 0, width - 1), y0 = clamp(std::floor(box.y0), 0, height - 1);
  const int x1 = clamp(std::ceil(box.x1), x0 + 1, width), y1 = clamp(std::ceil(box.y1), y0 + 1, height);
  return {x0, y0, x1 - x0, y1 - y0};
}

Image Warp(const Shown& shown, const Affine& to_output, int width, int height, const uint8_t fill[3]) {
  DisableOpenCvThreads();
  cv::Mat pixels = MatOf(*shown.image);
  Affine map = Affine::Between(BoxOfSize(pixels.cols, pixels.rows), shown.area).Then(to_output);
  const double scale = std::sqrt(map.AreaFactor());
  if (scale < 0.5) {
    const Box wanted = Grown(MapBox(BoxOfSize(width, height), map.Inverse()), 1 / scale);
    const cv::Rect part = PixelsAround(wanted, pixels.cols, pixels.rows);
    const cv::Size small(std::max(1, static_cast<int>(std::lround(part.width * scale))),
                         std::max(1, static_cast<int>(std::lround(part.height * scale))));
    cv::Mat averaged;
    cv::resize(pixels(part), averaged, small, 0, 0, cv::INTER_AREA);
    pixels = averaged;
    map = Affine::Between(BoxOfSize(small.width, small.height), BoxOf(part)).Then(map);
  }
  Image output = MakeImage(width, height);
  cv::Mat target = MatOf(output);
  cv::warpAffine(pixels, target, ForOpenCv(map), target.size(), cv::INTER_LINEAR, cv::BORDER_CONSTANT,
                 cv::Scalar(fill[0], fill[1], fill[2]));
  return output;
}

}  // namespace hot
