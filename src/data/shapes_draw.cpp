#include "data/shapes_draw.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "data/image_ops.h"

namespace hot {
namespace {

constexpr int kMaxShapes = 6;
constexpr int kPlaceTries = 40;
constexpr double kMaxOverlap = 0.25;  // share of the smaller box: shapes touch, but none disappears
constexpr int kSubpixelBits = 4;      // of OpenCV's fixed-point drawing

enum ShapeLabel { kCircle = 0, kSquare = 1, kTriangle = 2 };

struct Shape {
  int label = kCircle;
  cv::Point2d centre;
  double radius = 0;                 // of the circle through the corners
  std::vector<cv::Point2d> corners;  // none for a circle
  std::array<double, 4> bounds{};    // x0, y0, x1, y1
};

cv::Scalar RandomColour(Rng& rng) { return {rng.Uniform(0, 255), rng.Uniform(0, 255), rng.Uniform(0, 255)}; }

cv::Point Fixed(const cv::Point2d& point) {
  const double scale = 1 << kSubpixelBits;
  // OpenCV counts from pixel centres, we count from corners.
  return {static_cast<int>(std::lround((point.x - 0.5) * scale)),
          static_cast<int>(std::lround((point.y - 0.5) * scale))};
}

// `size`: the longer side of the bounding box. Around the origin.
Shape MakeShape(int label, double size, Rng& rng) {
  Shape shape;
  shape.label = label;
  const double tilt = rng.Uniform(-20, 20) * std::numbers::pi / 180;
  shape.radius = 0.5 * size;
  shape.bounds = {-shape.radius, -shape.radius, shape.radius, shape.radius};
  if (label == kCircle) return shape;
  const int corners = label == kSquare ? 4 : 3;
  const double start = label == kSquare ? -0.75 * std::numbers::pi : -0.5 * std::numbers::pi;
  std::array<double, 4> unit{1, 1, -1, -1};
  for (int i = 0; i < corners; ++i) {
    const double angle = start + tilt + 2 * std::numbers::pi * i / corners;
    const cv::Point2d corner(std::cos(angle), std::sin(angle));
    shape.corners.push_back(corner);
    unit = {std::min(unit[0], corner.x), std::min(unit[1], corner.y), std::max(unit[2], corner.x),
            std::max(unit[3], corner.y)};
  }
  shape.radius = size / std::max(unit[2] - unit[0], unit[3] - unit[1]);
  for (cv::Point2d& corner : shape.corners) corner *= shape.radius;
  for (size_t i = 0; i < unit.size(); ++i) shape.bounds[i] = unit[i] * shape.radius;
  return shape;
}

void MoveTo(const cv::Point2d& place, Shape* shape) {
  shape->centre = place;
  for (cv::Point2d& corner : shape->corners) corner += place;
  shape->bounds = {shape->bounds[0] + place.x, shape->bounds[1] + place.y, shape->bounds[2] + place.x,
                   shape->bounds[3] + place.y};
}

double CommonShare(const Shape& a, const Shape& b) {
  const auto& [ax0, ay0, ax1, ay1] = a.bounds;
  const auto& [bx0, by0, bx1, by1] = b.bounds;
  const double width = std::min(ax1, bx1) - std::max(ax0, bx0), height = std::min(ay1, by1) - std::max(ay0, by0);
  if (width <= 0 || height <= 0) return 0;
  return width * height / std::min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0));
}

std::vector<Shape> PlaceShapes(int width, int height, Rng& rng) {
  std::vector<Shape> shapes;
  const int64_t wanted = 1 + rng.Below(kMaxShapes);
  const double shorter = std::min(width, height);
  for (int i = 0; i < kPlaceTries && static_cast<int64_t>(shapes.size()) < wanted; ++i) {
    // Squaring makes small ones more frequent, so that six fit.
    const double share = 0.17 + 0.43 * std::pow(rng.Uniform(), wanted > 2 ? 2.0 : 1.0);
    Shape shape = MakeShape(static_cast<int>(rng.Below(kShapeNames.size())), share * shorter, rng);
    const double x = rng.Uniform(-shape.bounds[0], width - shape.bounds[2]);
    const double y = rng.Uniform(-shape.bounds[1], height - shape.bounds[3]);
    MoveTo({x, y}, &shape);
    const auto hides = [&](const Shape& other) { return CommonShare(shape, other) > kMaxOverlap; };
    if (std::none_of(shapes.begin(), shapes.end(), hides)) shapes.push_back(std::move(shape));
  }
  return shapes;
}

// A gradient, soft blotches and thin lines: nothing a colour threshold would separate.
void DrawBackground(cv::Mat* canvas, Rng& rng) {
  cv::Mat corners(2, 2, CV_8UC3), blotches(6, 7, CV_8UC3), soft;
  for (auto pixel = corners.begin<cv::Vec3b>(); pixel != corners.end<cv::Vec3b>(); ++pixel) {
    for (int c = 0; c < 3; ++c) (*pixel)[c] = static_cast<uint8_t>(60 + rng.Below(136));
  }
  for (auto pixel = blotches.begin<cv::Vec3b>(); pixel != blotches.end<cv::Vec3b>(); ++pixel) {
    for (int c = 0; c < 3; ++c) (*pixel)[c] = static_cast<uint8_t>(rng.Below(256));
  }
  cv::resize(corners, *canvas, canvas->size(), 0, 0, cv::INTER_LINEAR);
  cv::resize(blotches, soft, canvas->size(), 0, 0, cv::INTER_CUBIC);
  cv::addWeighted(*canvas, 0.75, soft, 0.25, 0, *canvas);
  const int64_t lines = 3 + rng.Below(6);
  for (int64_t i = 0; i < lines; ++i) {
    const cv::Point2d from(rng.Uniform(0, canvas->cols), rng.Uniform(0, canvas->rows));
    const cv::Point2d to(rng.Uniform(0, canvas->cols), rng.Uniform(0, canvas->rows));
    const int thickness = static_cast<int>(1 + rng.Below(2));
    cv::line(*canvas, Fixed(from), Fixed(to), RandomColour(rng), thickness, cv::LINE_AA, kSubpixelBits);
  }
}

// A colour that differs from what lies behind, so that a person would see the shape.
cv::Scalar ShapeColour(const cv::Mat& canvas, const Shape& shape, Rng& rng) {
  const auto behind = canvas.at<cv::Vec3b>(static_cast<int>(shape.centre.y), static_cast<int>(shape.centre.x));
  for (;;) {
    const cv::Scalar colour = RandomColour(rng);
    double difference = 0;
    for (int c = 0; c < 3; ++c) difference += std::abs(colour[c] - behind[c]);
    if (difference > 150) return colour;
  }
}

void DrawShape(cv::Mat* canvas, const Shape& shape, Rng& rng) {
  const cv::Scalar colour = ShapeColour(*canvas, shape, rng);
  const cv::Scalar edge = rng.Chance(0.5) ? colour * 0.5 : colour;
  if (shape.corners.empty()) {
    const int radius = static_cast<int>(std::lround(shape.radius * (1 << kSubpixelBits)));
    cv::circle(*canvas, Fixed(shape.centre), radius, colour, cv::FILLED, cv::LINE_AA, kSubpixelBits);
    cv::circle(*canvas, Fixed(shape.centre), radius - (1 << (kSubpixelBits - 1)), edge, 1, cv::LINE_AA, kSubpixelBits);
    return;
  }
  std::vector<cv::Point> outline;
  for (const cv::Point2d& corner : shape.corners) outline.push_back(Fixed(corner));
  cv::fillConvexPoly(*canvas, outline, colour, cv::LINE_AA, kSubpixelBits);
  cv::polylines(*canvas, outline, true, edge, 1, cv::LINE_AA, kSubpixelBits);
}

void AddNoise(cv::Mat* canvas, Rng& rng) {
  const double strength = rng.Uniform(2, 12);
  for (auto pixel = canvas->begin<cv::Vec3b>(); pixel != canvas->end<cv::Vec3b>(); ++pixel) {
    for (int c = 0; c < 3; ++c) {
      (*pixel)[c] = cv::saturate_cast<uint8_t>((*pixel)[c] + rng.Uniform(-strength, strength));
    }
  }
}

bool Covers(const Shape& shape, const cv::Point2d& point) {
  if (shape.corners.empty()) return cv::norm(point - shape.centre) < shape.radius;
  const std::vector<cv::Point2f> outline(shape.corners.begin(), shape.corners.end());
  return cv::pointPolygonTest(outline, point, false) > 0;
}

double AreaOf(const Shape& shape) {
  const double square = shape.radius * shape.radius;
  if (shape.label == kCircle) return std::numbers::pi * square;
  return shape.label == kSquare ? 2 * square : 0.75 * std::sqrt(3.0) * square;
}

// Later shapes lie on top: a keypoint under one of them is labelled but hidden.
Object ObjectOf(const std::vector<Shape>& shapes, size_t index, int width, int height) {
  const Shape& shape = shapes[index];
  Object object;
  object.label = shape.label;
  object.area = AreaOf(shape);
  object.box = {std::max(0.0, std::floor(shape.bounds[0])), std::max(0.0, std::floor(shape.bounds[1])),
                std::min<double>(width, std::ceil(shape.bounds[2])),
                std::min<double>(height, std::ceil(shape.bounds[3]))};
  const std::vector<cv::Point2d> points =
      shape.corners.empty() ? std::vector<cv::Point2d>{shape.centre} : shape.corners;
  for (const cv::Point2d& point : points) {
    const auto covers = [&](const Shape& other) { return Covers(other, point); };
    const bool hidden = std::any_of(shapes.begin() + static_cast<ptrdiff_t>(index) + 1, shapes.end(), covers);
    object.keypoints.push_back({static_cast<float>(point.x), static_cast<float>(point.y), hidden ? 1 : 2});
  }
  object.keypoints.resize(kShapeKeypoints);
  return object;
}

}  // namespace

ShapesPicture DrawShapes(int width, int height, Rng& rng) {
  DisableOpenCvThreads();
  ShapesPicture picture{MakeImage(width, height), {}};
  cv::Mat canvas = MatOf(picture.image);
  DrawBackground(&canvas, rng);
  const std::vector<Shape> shapes = PlaceShapes(width, height, rng);
  for (const Shape& shape : shapes) DrawShape(&canvas, shape, rng);
  AddNoise(&canvas, rng);
  for (size_t i = 0; i < shapes.size(); ++i) picture.objects.push_back(ObjectOf(shapes, i, width, height));
  return picture;
}

}  // namespace hot
