#include <algorithm>
#include <set>

#include "tasks/ranking.h"

namespace hot {
namespace {

double VocIou(const Box& a, const Box& b, double extra) {
  const double w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0) + extra;
  const double h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0) + extra;
  if (w <= 0 || h <= 0) return 0;
  const auto area = [&](const Box& box) { return (box.x1 - box.x0 + extra) * (box.y1 - box.y0 + extra); };
  return w * h / (area(a) + area(b) - w * h);
}

struct Truth {
  const Object* object;
  bool taken = false;
};

std::vector<Truth> TruthsOf(const ScoredPicture& picture, int label) {
  std::vector<Truth> truths;
  for (const Object& object : picture.truth) {
    if (object.label == label) truths.push_back({.object = &object});
  }
  return truths;
}

// The object with the largest overlap, the first of equals, or null when none reaches the threshold.
Truth* BestTruth(std::vector<Truth>& truths, const Box& box, const VocOptions& options) {
  Truth* best = nullptr;
  double best_iou = -1;
  for (Truth& truth : truths) {
    const double iou = VocIou(box, truth.object->box, options.pixel_plus_one ? 1 : 0);
    if (iou > best_iou) {
      best_iou = iou;
      best = &truth;
    }
  }
  return best_iou >= options.iou ? best : nullptr;
}

// Detections of one class by falling score, stable.
std::vector<const Detection*> SortedDetections(const ScoredPicture& picture, int label) {
  std::vector<const Detection*> detections;
  for (const Detection& detection : picture.detections) {
    if (detection.label == label) detections.push_back(&detection);
  }
  std::stable_sort(detections.begin(), detections.end(),
                   [](const auto* a, const auto* b) { return a->score > b->score; });
  return detections;
}

// Each detection looks at its best object, taken or not (VOC development kit).
void MatchPicture(const ScoredPicture& picture, int index, const VocOptions& options, RankedClass& ranked) {
  const auto counts = [&](const Truth& truth) { return !(truth.object->difficult && options.ignore_difficult); };
  std::vector<Truth> truths = TruthsOf(picture, ranked.label);
  ranked.positives[static_cast<size_t>(index)] = static_cast<int>(std::count_if(truths.begin(), truths.end(), counts));
  for (const Detection* detection : SortedDetections(picture, ranked.label)) {
    RankedEntry entry{.picture = index, .score = detection->score};
    if (Truth* best = BestTruth(truths, detection->box, options); best != nullptr) {
      entry.ignored = counts(*best) ? 0 : 1;
      entry.hit = counts(*best) && !best->taken ? 1 : 0;
      best->taken = true;
    }
    ranked.entries.push_back(entry);
  }
}

}  // namespace

std::vector<RankedClass> RankVoc(const std::vector<ScoredPicture>& pictures, const VocOptions& options) {
  std::set<int> labels;
  for (const ScoredPicture& picture : pictures) {
    for (const Object& object : picture.truth) labels.insert(object.label);
    for (const Detection& detection : picture.detections) labels.insert(detection.label);
  }
  std::vector<RankedClass> classes;
  for (int label : labels) {
    RankedClass ranked{.label = label, .entries = {}, .positives = std::vector<int>(pictures.size(), 0)};
    for (size_t i = 0; i < pictures.size(); ++i) MatchPicture(pictures[i], static_cast<int>(i), options, ranked);
    std::stable_sort(ranked.entries.begin(), ranked.entries.end(),
                     [](const RankedEntry& a, const RankedEntry& b) { return a.score > b.score; });
    Mark(ranked);
    classes.push_back(std::move(ranked));
  }
  return classes;
}

VocResult VocAp(const std::vector<ScoredPicture>& pictures, const VocOptions& options) {
  const PictureWeights ones(pictures.size(), 1);
  VocResult result;
  double sum = 0;
  int count = 0;
  for (const RankedClass& ranked : RankVoc(pictures, options)) {
    VocClass own;
    for (int positives : ranked.positives) own.positives += positives;
    own.detections = static_cast<int64_t>(ranked.entries.size());
    for (const RankedEntry& entry : ranked.entries) {
      own.true_positives += entry.hit;
      own.false_positives += entry.hit == 0 && entry.ignored == 0 ? 1 : 0;
    }
    const double ap =
        WeightedClass(ranked, ones).AveragePrecision(0, options.eleven_point ? Recall::kVoc11 : Recall::kArea).ap;
    own.ap = std::max(0.0, ap);
    if (ap >= 0) {
      sum += ap;
      ++count;
    }
    result.per_class[ranked.label] = own;
  }
  result.map = count > 0 ? sum / count : 0;
  return result;
}

}  // namespace hot
