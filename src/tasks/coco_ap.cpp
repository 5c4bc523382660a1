#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>

#include "tasks/ranking.h"

namespace hot {
namespace {

constexpr int kThresholds = 10;
constexpr size_t kMaxDetections = 100;

struct Truth {
  const Object* object;
  bool ignored;
  uint16_t matched = 0;  // thresholds at which a detection has it
};

// Intersection over union; over the detection's own area for crowds.
double CocoIou(const Box& detection, const Object& truth) {
  const Box& t = truth.box;
  const double w = std::min(detection.x1, t.x1) - std::max(detection.x0, t.x0);
  const double h = std::min(detection.y1, t.y1) - std::max(detection.y0, t.y0);
  if (w <= 0 || h <= 0) return 0;
  const double own = (detection.x1 - detection.x0) * (detection.y1 - detection.y0);
  const double other = (t.x1 - t.x0) * (t.y1 - t.y0);
  const double intersection = w * h;
  return intersection / (truth.crowd ? own : own + other - intersection);
}

// COCOeval.evaluateImg for one detection and threshold: the index of the truth it takes, or -1.
int BestTruth(const std::vector<Truth>& truths, const std::vector<double>& ious, int t, double threshold) {
  const auto bit = static_cast<uint16_t>(1u << t);
  double best = std::min(threshold, 1 - 1e-10);
  int chosen = -1;
  for (size_t g = 0; g < truths.size(); ++g) {
    if ((truths[g].matched & bit) != 0 && !truths[g].object->crowd) continue;
    if (chosen >= 0 && !truths[static_cast<size_t>(chosen)].ignored && truths[g].ignored)
      break;                           // ignored ones come last
    if (!(ious[g] >= best)) continue;  // not a number: a broken network's box, never a match
    best = ious[g];
    chosen = static_cast<int>(g);
  }
  return chosen;
}

bool Outside(double area, double low, double high) { return area < low || area > high; }

std::vector<Truth> SortedTruths(const ScoredPicture& picture, int label, double low, double high) {
  std::vector<Truth> truths;
  for (const Object& object : picture.truth) {
    if (object.label == label)
      truths.push_back({.object = &object, .ignored = object.crowd || Outside(object.area, low, high)});
  }
  std::stable_partition(truths.begin(), truths.end(), [](const Truth& truth) { return !truth.ignored; });
  return truths;
}

std::vector<const Detection*> BestDetections(const ScoredPicture& picture, int label) {
  std::vector<const Detection*> detections = SortedDetections(picture, label);
  if (detections.size() > kMaxDetections) detections.resize(kMaxDetections);
  return detections;
}

void MatchPicture(const ScoredPicture& picture, int index, double low, double high, RankedClass& ranked) {
  static const std::vector<double> thresholds = CocoThresholds();
  std::vector<Truth> truths = SortedTruths(picture, ranked.label, low, high);
  ranked.positives[static_cast<size_t>(index)] =
      static_cast<int>(std::count_if(truths.begin(), truths.end(), [](const Truth& truth) { return !truth.ignored; }));
  std::vector<double> ious(truths.size());
  uint8_t rank = 0;
  for (const Detection* detection : BestDetections(picture, ranked.label)) {
    for (size_t g = 0; g < truths.size(); ++g) ious[g] = CocoIou(detection->box, *truths[g].object);
    const Box& b = detection->box;
    const bool outside = Outside((b.x1 - b.x0) * (b.y1 - b.y0), low, high);
    RankedEntry entry{.picture = index, .score = detection->score, .hit = 0, .ignored = 0, .rank = rank++};
    for (int t = 0; t < kThresholds; ++t) {
      const auto bit = static_cast<uint16_t>(1u << t);
      const int chosen = BestTruth(truths, ious, t, thresholds[static_cast<size_t>(t)]);
      if (chosen < 0) {
        if (outside) entry.ignored |= bit;
        continue;
      }
      Truth& truth = truths[static_cast<size_t>(chosen)];
      truth.matched |= bit;
      (truth.ignored ? entry.ignored : entry.hit) |= bit;
    }
    ranked.entries.push_back(entry);
  }
}

std::set<int> Labels(const std::vector<ScoredPicture>& pictures) {
  std::set<int> labels;
  for (const ScoredPicture& picture : pictures) {
    for (const Object& object : picture.truth) labels.insert(object.label);
  }
  return labels;
}

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

struct RangeResult {
  double ap, ap50, ap75, ar1, ar10, ar100;
};

RangeResult Summarize(const std::vector<RankedClass>& classes, const PictureWeights& weights,
                      std::map<int, std::pair<double, double>>* per_class) {
  Mean ap, ap50, ap75, ar1, ar10, ar100;
  for (const RankedClass& ranked : classes) {
    Mean own;
    double own50 = -1;
    for (int t = 0; t < kThresholds; ++t) {
      const CurveResult curve = AveragePrecision(ranked, t, Recall::kCoco101, weights);
      own.Add(curve.ap);
      ap.Add(curve.ap);
      ar100.Add(curve.recall);
      ar1.Add(AveragePrecision(ranked, t, Recall::kCoco101, weights, 1).recall);
      ar10.Add(AveragePrecision(ranked, t, Recall::kCoco101, weights, 10).recall);
      if (t == 0) ap50.Add(own50 = curve.ap);
      if (t == 5) ap75.Add(curve.ap);
    }
    if (per_class != nullptr && own.value() >= 0) (*per_class)[ranked.label] = {own.value(), own50};
  }
  return {ap.value(), ap50.value(), ap75.value(), ar1.value(), ar10.value(), ar100.value()};
}

}  // namespace

std::vector<double> CocoThresholds() {
  std::vector<double> thresholds;
  for (int i = 0; i < kThresholds; ++i) thresholds.push_back(i == 9 ? 0.95 : i * ((0.95 - 0.5) / 9) + 0.5);
  return thresholds;
}

std::vector<RankedClass> RankCoco(const std::vector<ScoredPicture>& pictures, double area_low, double area_high) {
  std::vector<size_t> order(pictures.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return pictures[a].id < pictures[b].id; });
  std::vector<RankedClass> classes;
  for (int label : Labels(pictures)) {
    RankedClass ranked{.label = label, .entries = {}, .positives = std::vector<int>(pictures.size(), 0)};
    for (size_t i : order) MatchPicture(pictures[i], static_cast<int>(i), area_low, area_high, ranked);
    Rank(ranked);
    classes.push_back(std::move(ranked));
  }
  return classes;
}

CocoResult CocoBoxAp(const std::vector<ScoredPicture>& pictures) {
  const PictureWeights ones(pictures.size(), 1);
  CocoResult result;
  const RangeResult all = Summarize(RankCoco(pictures, 0, 1e10), ones, &result.per_class);
  result.ap = all.ap;
  result.ap50 = all.ap50;
  result.ap75 = all.ap75;
  result.ar1 = all.ar1;
  result.ar10 = all.ar10;
  result.ar100 = all.ar100;
  const RangeResult small = Summarize(RankCoco(pictures, 0, 32 * 32), ones, nullptr);
  const RangeResult medium = Summarize(RankCoco(pictures, 32 * 32, 96 * 96), ones, nullptr);
  const RangeResult large = Summarize(RankCoco(pictures, 96 * 96, 1e10), ones, nullptr);
  result.ap_small = small.ap;
  result.ap_medium = medium.ap;
  result.ap_large = large.ap;
  result.ar_small = small.ar100;
  result.ar_medium = medium.ar100;
  result.ar_large = large.ar100;
  return result;
}

}  // namespace hot
