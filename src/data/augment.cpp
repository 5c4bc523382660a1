#include "data/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "data/colours.h"
#include "data/image_ops.h"

namespace hot {
namespace {

constexpr int kCropTries = 50;
// SSD section 2.2: the smallest overlap with an object, or none at all ("randomly sample a patch").
constexpr std::array<double, 6> kMinOverlaps{0.0, 0.1, 0.3, 0.5, 0.7, 0.9};

Box Intersection(const Box& a, const Box& b) {
  return {std::max(a.x0, b.x0), std::max(a.y0, b.y0), std::min(a.x1, b.x1), std::min(a.y1, b.y1)};
}

double Overlap(const Box& a, const Box& b) {
  const double common = Intersection(a, b).area();
  return common <= 0 ? 0 : common / (a.area() + b.area() - common);
}

bool Contains(const Box& window, double x, double y) {
  return x >= window.x0 && x < window.x1 && y >= window.y0 && y < window.y1;
}

bool HasCentre(const Box& window, const Box& box) {
  return Contains(window, (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2);
}

bool IsGoodCrop(const Box& crop, const Box& picture, const std::vector<Object>& objects, double min_overlap) {
  const Box seen = Intersection(crop, picture);
  if (seen.width() < 1 || seen.height() < 1) return false;
  if (objects.empty()) return true;
  const auto is_kept = [&](const Object& object) { return HasCentre(crop, object.box); };
  const auto is_enough = [&](const Object& object) {
    return !object.crowd && Overlap(crop, object.box) >= min_overlap;
  };
  return std::any_of(objects.begin(), objects.end(), is_kept) && std::any_of(objects.begin(), objects.end(), is_enough);
}

// The canvas of the zoom-out, in pixels of the picture: the picture lies somewhere inside.
Box SampleCanvas(const Box& picture, const AugmentOptions& options, Rng& rng) {
  if (!rng.Chance(options.zoom_out)) return picture;
  const double ratio = rng.Uniform(1.0, options.max_zoom_out);
  const double width = picture.width() * ratio, height = picture.height() * ratio;
  const double x0 = -std::floor(rng.Uniform(0.0, width - picture.width()));
  const double y0 = -std::floor(rng.Uniform(0.0, height - picture.height()));
  return {x0, y0, x0 + std::floor(width), y0 + std::floor(height)};
}

// Whole pixels of the picture, so that the crop is a view. Aspect ratios are relative to the canvas.
Box SampleCrop(const Box& canvas, const Box& picture, const std::vector<Object>& objects, const AugmentOptions& options,
               Rng& rng) {
  if (!rng.Chance(options.crop)) return canvas;
  const double min_overlap = kMinOverlaps[static_cast<size_t>(rng.Below(kMinOverlaps.size()))];
  for (int i = 0; i < kCropTries; ++i) {
    const double width = rng.Uniform(options.min_crop, 1.0), height = rng.Uniform(options.min_crop, 1.0);
    const double x = rng.Uniform(0.0, 1.0 - width), y = rng.Uniform(0.0, 1.0 - height);
    if (width < 0.5 * height || width > 2 * height) continue;
    const double x0 = std::floor(canvas.x0 + x * canvas.width());
    const double y0 = std::floor(canvas.y0 + y * canvas.height());
    const double crop_width = std::max(1.0, std::floor(width * canvas.width()));
    const double crop_height = std::max(1.0, std::floor(height * canvas.height()));
    const Box crop{x0, y0, x0 + crop_width, y0 + crop_height};
    if (IsGoodCrop(crop, picture, objects, min_overlap)) return crop;
  }
  return canvas;
}

// What part of the picture is seen, and where it lies in the output.
struct View {
  cv::Rect from, to;
};

View ViewOf(const Box& window, const Box& picture, int width, int height) {
  const Box seen = Intersection(window, picture);
  const cv::Rect from(static_cast<int>(seen.x0), static_cast<int>(seen.y0), static_cast<int>(seen.width()),
                      static_cast<int>(seen.height()));
  const double scale_x = width / window.width(), scale_y = height / window.height();
  const auto round = [](double value, int low, int high) {
    return std::clamp(static_cast<int>(std::lround(value)), low, high);
  };
  const int x0 = round((seen.x0 - window.x0) * scale_x, 0, width - 1),
            y0 = round((seen.y0 - window.y0) * scale_y, 0, height - 1);
  const int x1 = round((seen.x1 - window.x0) * scale_x, x0 + 1, width),
            y1 = round((seen.y1 - window.y0) * scale_y, y0 + 1, height);
  return {from, {x0, y0, x1 - x0, y1 - y0}};
}

Keypoint MakePoint(double x, double y, int visibility) {
  return {static_cast<float>(x), static_cast<float>(y), visibility};
}

// Points that are not labelled lie at zero, as in COCO.
void Shift(double dx, double dy, std::vector<Object>* objects) {
  for (Object& object : *objects) {
    object.box = {object.box.x0 + dx, object.box.y0 + dy, object.box.x1 + dx, object.box.y1 + dy};
    for (Keypoint& point : object.keypoints) {
      point = point.is_labelled() ? MakePoint(point.x + dx, point.y + dy, point.visibility) : Keypoint{};
    }
  }
}

TrainingExample Render(const Image& image, const std::vector<Object>& objects, const View& view, int width, int height,
                       const ColourMap& colours, const AugmentOptions& options) {
  TrainingExample example{MakeImage(width, height), {}};
  cv::Mat output = MatOf(example.image);
  if (view.to.size() != output.size()) output.setTo(cv::Scalar(options.fill[0], options.fill[1], options.fill[2]));
  cv::Mat part = output(view.to);
  ResizeMat(MatOf(image)(view.from), part);
  cv::transform(part, part, colours);

  const cv::Rect2d from = view.from;
  const Box seen{from.x, from.y, from.br().x, from.br().y};
  example.objects = CropObjects(objects, seen, view.to.width, view.to.height);
  Shift(view.to.x, view.to.y, &example.objects);
  return example;
}

}  // namespace

void ScaleObjects(double scale_x, double scale_y, std::vector<Object>* objects) {
  for (Object& object : *objects) {
    const Box& box = object.box;
    object.box = {box.x0 * scale_x, box.y0 * scale_y, box.x1 * scale_x, box.y1 * scale_y};
    object.area *= scale_x * scale_y;
    for (Keypoint& point : object.keypoints) {
      point = MakePoint(point.x * scale_x, point.y * scale_y, point.visibility);
    }
  }
}

void FlipHorizontally(TrainingExample* example) {
  cv::Mat mat = MatOf(example->image);
  cv::flip(mat, mat, 1);
  const double width = example->image.width;
  for (Object& object : example->objects) {
    object.box = {width - object.box.x1, object.box.y0, width - object.box.x0, object.box.y1};
    for (Keypoint& point : object.keypoints) {
      if (point.is_labelled()) point.x = static_cast<float>(width - point.x);
    }
  }
}

void FlipVertically(TrainingExample* example) {
  cv::Mat mat = MatOf(example->image);
  cv::flip(mat, mat, 0);
  const double height = example->image.height;
  for (Object& object : example->objects) {
    object.box = {object.box.x0, height - object.box.y1, object.box.x1, height - object.box.y0};
    for (Keypoint& point : object.keypoints) {
      if (point.is_labelled()) point.y = static_cast<float>(height - point.y);
    }
  }
}

void Transpose(TrainingExample* example) {
  Image turned = MakeImage(example->image.height, example->image.width);
  cv::Mat mat = MatOf(turned);
  cv::transpose(MatOf(example->image), mat);
  example->image = std::move(turned);
  for (Object& object : example->objects) {
    object.box = {object.box.y0, object.box.x0, object.box.y1, object.box.x1};
    for (Keypoint& point : object.keypoints) std::swap(point.x, point.y);
  }
}

std::vector<Object> CropObjects(const std::vector<Object>& objects, const Box& window, double width, double height) {
  std::vector<Object> kept;
  for (const Object& object : objects) {
    const Box clipped = Intersection(object.box, window);
    if (!HasCentre(window, object.box) || clipped.area() <= 0) continue;
    kept.push_back(object);
    kept.back().area *= clipped.area() / object.box.area();
    kept.back().box = clipped;
    for (Keypoint& point : kept.back().keypoints) {
      if (!Contains(window, point.x, point.y)) point.visibility = 0;
    }
  }
  Shift(-window.x0, -window.y0, &kept);
  ScaleObjects(width / window.width(), height / window.height(), &kept);
  return kept;
}

TrainingExample Augment(const Image& image, const std::vector<Object>& objects, int width, int height,
                        const AugmentOptions& options, Rng& rng) {
  DisableOpenCvThreads();
  if (!options.enabled) {
    TrainingExample example{ResizeImage(image, width, height), objects};
    ScaleObjects(static_cast<double>(width) / image.width, static_cast<double>(height) / image.height,
                 &example.objects);
    return example;
  }
  const Box picture = BoxOfSize(image.width, image.height);
  const ColourMap colours = SampleColours(options, rng);
  const Box canvas = SampleCanvas(picture, options, rng);
  const Box window = SampleCrop(canvas, picture, objects, options, rng);
  // What is off draws no number: the stream of a study without it stays what it was.
  const auto draw = [&](double probability) { return probability > 0 && rng.Chance(probability); };
  const bool transposed = draw(options.transpose);
  if (transposed) std::swap(width, height);
  const View view = ViewOf(window, picture, width, height);
  TrainingExample example = Render(image, objects, view, width, height, colours, options);
  if (transposed) Transpose(&example);
  if (rng.Chance(options.flip)) FlipHorizontally(&example);
  if (draw(options.vertical_flip)) FlipVertically(&example);
  return example;
}

}  // namespace hot
