#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "data/augment.h"
#include "data/colours.h"
#include "data/crops.h"
#include "data/image_ops.h"
#include "data/warp.h"

namespace hot {
namespace {

struct View {
  Affine map;  // annotation -> input
  bool is_flipped = false;
};

View SampleView(const Sample& sample, double width, double height, const AugmentOptions& options, Rng& rng) {
  View view{Affine::Between(ViewOf(sample), BoxOfSize(width, height))};
  if (!options.enabled) return view;
  const double zoom = rng.Uniform(options.min_zoom, options.max_zoom);
  const double angle = rng.Uniform(-options.rotate_degrees, options.rotate_degrees);
  const double degrees = rng.Chance(0.5) ? angle : 0;
  view.map = view.map.Then(Affine::TurnAndScale(width / 2, height / 2, degrees, 1 / zoom));
  view.is_flipped = rng.Chance(options.flip) && !options.mirror_pairs.empty();
  if (view.is_flipped) view.map = view.map.Then({-1, 0, width, 0, 1, 0});
  return view;
}

Keypoint MapKeypoint(const Keypoint& point, const Affine& map, double width, double height) {
  if (point.visibility == 0) return {};
  const auto [x, y] = map(point.x, point.y);
  if (!(x >= 0 && x < width && y >= 0 && y < height)) return {};
  return {static_cast<float>(x), static_cast<float>(y), point.visibility};
}

}  // namespace

void ExchangeKeypoints(const KeypointPairs& pairs, std::vector<Object>* objects) {
  for (Object& object : *objects) {
    for (const auto& [a, b] : pairs) {
      const auto first = static_cast<size_t>(a), second = static_cast<size_t>(b);
      if (std::max(first, second) >= object.keypoints.size()) {
        throw Error(Code::kInvalidArgument, "keypoints", "an object has fewer keypoints than the pairs name");
      }
      std::swap(object.keypoints[first], object.keypoints[second]);
    }
  }
}

TrainingExample AugmentCrop(const Image& shown, const Box& area, const Sample& sample, int width, int height,
                            const AugmentOptions& options, Rng& rng) {
  const View view = SampleView(sample, width, height, options, rng);
  TrainingExample example{Warp({&shown, area}, view.map, width, height, options.fill), sample.objects};
  if (options.enabled) {
    cv::Mat pixels = MatOf(example.image);
    cv::transform(pixels, pixels, SampleColours(options, rng));
  }
  for (Object& object : example.objects) {
    object.box = MapBox(object.box, view.map);
    object.area *= view.map.AreaFactor();
    for (Keypoint& point : object.keypoints) point = MapKeypoint(point, view.map, width, height);
  }
  if (view.is_flipped) ExchangeKeypoints(options.mirror_pairs, &example.objects);
  return example;
}

Box CropReach(const Box& crop, const AugmentOptions& options) {
  if (!options.enabled) return crop;
  const double zoom = std::max(1.0, options.max_zoom) / 2;
  const double diagonal = std::hypot(crop.width(), crop.height());
  const bool turns = options.rotate_degrees > 0;
  const double dx = zoom * (turns ? diagonal : crop.width()), dy = zoom * (turns ? diagonal : crop.height());
  const double x = (crop.x0 + crop.x1) / 2, y = (crop.y0 + crop.y1) / 2;
  return {x - dx, y - dy, x + dx, y + dy};
}

}  // namespace hot
