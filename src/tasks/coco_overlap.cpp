// What differs between COCO's evaluations of boxes and of keypoints.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "tasks/coco_ranking.h"

namespace hot {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double SignedArea(const Box& box) { return (box.x1 - box.x0) * (box.y1 - box.y0); }

class BoxOverlap final : public CocoOverlap {
 public:
  int max_detections() const override { return 100; }
  bool Ignored(const Object& object) const override { return object.crowd; }
  double Area(const Detection& detection) const override { return SignedArea(detection.box); }
  void Overlaps(const Detection& detection, std::span<const Object* const> objects,
                std::span<double> overlaps) const override {
    for (size_t i = 0; i < objects.size(); ++i) overlaps[i] = Iou(detection.box, *objects[i]);
  }

 private:
  // Intersection over union; over the detection's own area for crowds.
  static double Iou(const Box& detection, const Object& truth) {
    const Box& t = truth.box;
    const double w = std::min(detection.x1, t.x1) - std::max(detection.x0, t.x0);
    const double h = std::min(detection.y1, t.y1) - std::max(detection.y0, t.y0);
    if (w <= 0 || h <= 0) return 0;
    const double own = SignedArea(detection);
    const double intersection = w * h;
    return intersection / (truth.crowd ? own : own + SignedArea(t) - intersection);
  }
};

// pycocotools' kpt_oks_sigmas: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
constexpr std::array<double, 17> kCocoSigmas{.026, .025, .025, .035, .035, .079, .079, .072, .072,
                                             .062, .062, .107, .107, .087, .087, .089, .089};

class KeypointOverlap final : public CocoOverlap {
 public:
  explicit KeypointOverlap(const OksOptions& options) : area_of_box_(options.area_of_box) {
    const std::span<const double> sigmas =
        options.sigmas.empty() ? std::span<const double>(kCocoSigmas) : std::span<const double>(options.sigmas);
    for (double sigma : sigmas) variances_.push_back((sigma * 2) * (sigma * 2));
  }

  size_t keypoints() const { return variances_.size(); }
  int max_detections() const override { return 20; }
  bool Ignored(const Object& object) const override { return object.crowd || !object.has_labelled_keypoint(); }

  double Area(const Detection& detection) const override {
    if (area_of_box_) return SignedArea(detection.box);
    const auto [left, right] = std::minmax_element(detection.keypoints.begin(), detection.keypoints.end(),
                                                   [](const Keypoint& a, const Keypoint& b) { return a.x < b.x; });
    const auto [top, bottom] = std::minmax_element(detection.keypoints.begin(), detection.keypoints.end(),
                                                   [](const Keypoint& a, const Keypoint& b) { return a.y < b.y; });
    return (static_cast<double>(right->x) - left->x) * (static_cast<double>(bottom->y) - top->y);
  }

  void Overlaps(const Detection& detection, std::span<const Object* const> objects,
                std::span<double> overlaps) const override {
    for (size_t i = 0; i < objects.size(); ++i) {
      overlaps[i] =
          objects[i]->has_labelled_keypoint() ? Similarity(detection, *objects[i]) : Nearness(detection, *objects[i]);
    }
  }

 private:
  double Error(double dx, double dy, size_t keypoint, const Object& object) const {
    return (dx * dx + dy * dy) / variances_[keypoint] / (object.area + kEpsilon) / 2;
  }

  // Stops where even exact keypoints from there on would leave it below the lowest threshold.
  double Similarity(const Detection& detection, const Object& object) const {
    const auto labelled = std::ranges::count_if(object.keypoints, &Keypoint::is_labelled);
    const double enough = CocoThresholds()[0] * static_cast<double>(labelled) * (1 - 1e-9);
    double sum = 0;
    auto left = static_cast<double>(labelled);
    for (size_t k = 0; k < variances_.size(); ++k) {
      const Keypoint &ours = detection.keypoints[k], &truth = object.keypoints[k];
      if (!truth.is_labelled()) continue;
      if (sum + left < enough) return 0;
      --left;
      sum += std::exp(-Error(static_cast<double>(ours.x) - truth.x, static_cast<double>(ours.y) - truth.y, k, object));
    }
    return sum / static_cast<double>(labelled);
  }

  // Of keypoints to a box of three times the object's sides, for objects without labelled keypoints.
  double Nearness(const Detection& detection, const Object& object) const {
    const Box& b = object.box;
    const double w = b.x1 - b.x0, h = b.y1 - b.y0;
    const auto distance = [](double value, double low, double high) {
      return std::max(0.0, low - value) + std::max(0.0, value - high);
    };
    double sum = 0;
    for (size_t k = 0; k < variances_.size(); ++k) {
      const Keypoint& ours = detection.keypoints[k];
      sum += std::exp(-Error(distance(ours.x, b.x0 - w, b.x1 + w), distance(ours.y, b.y0 - h, b.y1 + h), k, object));
    }
    return sum / static_cast<double>(variances_.size());
  }

  std::vector<double> variances_;  // (2 sigma)^2
  bool area_of_box_;
};

void CheckCount(size_t found, size_t expected, const ScoredPicture& picture, bool may_be_empty) {
  if (found == expected || (found == 0 && may_be_empty)) return;
  throw Error(Code::kInvalidArgument, "metric",
              "picture " + std::to_string(picture.id) + " has " + std::to_string(found) + " keypoints, but there are " +
                  std::to_string(expected) + " OKS constants",
              "data without OKS constants are scored by pck");
}

}  // namespace

bool HasSigmas(const OksOptions& options, size_t keypoints) {
  return keypoints == (options.sigmas.empty() ? kCocoSigmas.size() : options.sigmas.size());
}

std::unique_ptr<CocoOverlap> MakeBoxOverlap() { return std::make_unique<BoxOverlap>(); }

std::unique_ptr<CocoOverlap> MakeKeypointOverlap(const std::vector<ScoredPicture>& pictures,
                                                 const OksOptions& options) {
  auto overlap = std::make_unique<KeypointOverlap>(options);
  for (const ScoredPicture& picture : pictures) {
    for (const Object& object : picture.truth)
      CheckCount(object.keypoints.size(), overlap->keypoints(), picture, /*may_be_empty=*/true);
    for (const Detection& detection : picture.detections)
      CheckCount(detection.keypoints.size(), overlap->keypoints(), picture, /*may_be_empty=*/false);
  }
  return overlap;
}

}  // namespace hot
