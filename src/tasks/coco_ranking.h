// COCO's matching (pycocotools' COCOeval.evaluateImg), the same for boxes and keypoints: only the overlap differs.
// Internal to the metrics. CocoClasses keeps references to the pictures and the overlap.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tasks/ranking.h"

namespace hot {

inline constexpr int kCocoThresholds = 10;  // 0.50:0.05:0.95
const std::array<double, kCocoThresholds>& CocoThresholds();

struct AreaRange {
  double low, high;
  bool Outside(double area) const { return area < low || area > high; }
};
inline constexpr AreaRange kAllAreas{0, 1e10}, kSmall{0, 32 * 32}, kMedium{32 * 32, 96 * 96}, kLarge{96 * 96, 1e10};

// How detections are compared with objects.
class CocoOverlap {
 public:
  virtual ~CocoOverlap() = default;
  virtual int max_detections() const = 0;  // of one class in a picture
  virtual bool Ignored(const Object& object) const = 0;
  virtual double Area(const Detection& detection) const = 0;
  // One overlap for each object. What is below the lowest threshold may be given as 0.
  virtual void Overlaps(const Detection& detection, std::span<const Object* const> objects,
                        std::span<double> overlaps) const = 0;
};

// Detections and objects of all classes that have an object, sorted by label.
class CocoClasses {
 public:
  CocoClasses(const std::vector<ScoredPicture>& pictures, const CocoOverlap& overlap);

  size_t size() const { return classes_.size(); }
  int label(size_t index) const { return classes_[index].label; }
  // Matches the detections of a class, once for each area range.
  std::vector<RankedClass> Rank(size_t index, std::span<const AreaRange> ranges) const;

 private:
  struct Candidate {
    float score;
    int picture;
    const Detection* detection;
  };
  struct Class {
    int label;
    std::vector<Candidate> candidates;   // by falling score, stable in the order of picture ids
    std::vector<const Object*> objects;  // picture by picture
    std::vector<uint32_t> begins;        // by picture, and the end of the last: its objects
  };
  void Collect(const std::vector<ScoredPicture>& pictures);

  const CocoOverlap& overlap_;
  size_t pictures_;
  std::vector<Class> classes_;
};

// One area range, all classes.
std::vector<RankedClass> RankCoco(const std::vector<ScoredPicture>& pictures, const CocoOverlap& overlap,
                                  AreaRange range = kAllAreas);

// IoU of boxes.
std::unique_ptr<CocoOverlap> MakeBoxOverlap();
// OKS of keypoints. Throws as CocoKeypointAp().
std::unique_ptr<CocoOverlap> MakeKeypointOverlap(const std::vector<ScoredPicture>& pictures, const OksOptions& options);

}  // namespace hot
