#include "tasks/coco_ranking.h"

namespace hot {
namespace {

// Mean over classes and thresholds where there is something to find; -1 where there is nothing.
class Mean {
 public:
  void Add(double value) {
    if (value < 0) return;
    sum_ += value;
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / count_ : -1; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

// Means of one area range over the classes that were added.
struct RangeMeans {
  Mean ap, ap50, ap75, recall, recall50, recall75;

  // The class's own AP and AP50.
  std::pair<double, double> Add(const WeightedClass& weighted) {
    Mean own;
    double own50 = -1;
    for (int t = 0; t < kCocoThresholds; ++t) {
      const CurveResult curve = weighted.AveragePrecision(t, Recall::kCoco101);
      own.Add(curve.ap);
      ap.Add(curve.ap);
      recall.Add(curve.recall);
      if (t == 0) {
        ap50.Add(own50 = curve.ap);
        recall50.Add(curve.recall);
      }
      if (t == 5) {
        ap75.Add(curve.ap);
        recall75.Add(curve.recall);
      }
    }
    return {own.value(), own50};
  }
};

}  // namespace

CocoResult CocoBoxAp(const std::vector<ScoredPicture>& pictures) {
  const PictureWeights ones(pictures.size(), 1);
  const auto overlap = MakeBoxOverlap();
  const CocoClasses classes(pictures, *overlap);
  constexpr AreaRange kRanges[] = {kAllAreas, kSmall, kMedium, kLarge};
  RangeMeans all, small, medium, large;
  Mean ar1, ar10;
  CocoResult result;
  for (size_t i = 0; i < classes.size(); ++i) {
    const std::vector<RankedClass> ranked = classes.Rank(i, kRanges);
    const WeightedClass whole(ranked[0], ones);
    const auto own = all.Add(whole);
    if (own.first >= 0) result.per_class[classes.label(i)] = own;
    small.Add(WeightedClass(ranked[1], ones));
    medium.Add(WeightedClass(ranked[2], ones));
    large.Add(WeightedClass(ranked[3], ones));
    for (int t = 0; t < kCocoThresholds; ++t) {
      ar1.Add(whole.RecallOf(t, 1));
      ar10.Add(whole.RecallOf(t, 10));
    }
  }
  result.ap = all.ap.value();
  result.ap50 = all.ap50.value();
  result.ap75 = all.ap75.value();
  result.ap_small = small.ap.value();
  result.ap_medium = medium.ap.value();
  result.ap_large = large.ap.value();
  result.ar1 = ar1.value();
  result.ar10 = ar10.value();
  result.ar100 = all.recall.value();
  result.ar_small = small.recall.value();
  result.ar_medium = medium.recall.value();
  result.ar_large = large.recall.value();
  return result;
}

OksResult CocoKeypointAp(const std::vector<ScoredPicture>& pictures, const OksOptions& options) {
  const PictureWeights ones(pictures.size(), 1);
  const auto overlap = MakeKeypointOverlap(pictures, options);
  const CocoClasses classes(pictures, *overlap);
  constexpr AreaRange kRanges[] = {kAllAreas, kMedium, kLarge};
  RangeMeans all, medium, large;
  OksResult result;
  for (size_t i = 0; i < classes.size(); ++i) {
    const std::vector<RankedClass> ranked = classes.Rank(i, kRanges);
    const auto own = all.Add(WeightedClass(ranked[0], ones));
    if (own.first >= 0) result.per_class[classes.label(i)] = own;
    medium.Add(WeightedClass(ranked[1], ones));
    large.Add(WeightedClass(ranked[2], ones));
  }
  result.ap = all.ap.value();
  result.ap50 = all.ap50.value();
  result.ap75 = all.ap75.value();
  result.ap_medium = medium.ap.value();
  result.ap_large = large.ap.value();
  result.ar = all.recall.value();
  result.ar50 = all.recall50.value();
  result.ar75 = all.recall75.value();
  result.ar_medium = medium.recall.value();
  result.ar_large = large.recall.value();
  return result;
}

}  // namespace hot
