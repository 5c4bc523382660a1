#include "tasks/coco_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace hot {
namespace {

std::vector<int> LabelsOfObjects(const std::vector<ScoredPicture>& pictures) {
  std::vector<int> labels;
  for (const ScoredPicture& picture : pictures) {
    for (const Object& object : picture.truth) {
      if (labels.empty() || labels.back() != object.label) labels.push_back(object.label);
    }
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

// The objects of one class under one area range, and the detections that were matched with them. Detections that are
// ignored at every threshold are not kept.
class RangeMatcher {
 public:
  RangeMatcher(const CocoOverlap& overlap, AreaRange range, std::span<const Object* const> objects,
               std::span<const uint32_t> begins)
      : range_(range), objects_(objects), ignored_(objects.size()), matched_(objects.size(), 0) {
    order_.resize(objects.size());
    std::iota(order_.begin(), order_.end(), 0u);
    for (size_t i = 0; i < objects.size(); ++i)
      ignored_[i] = overlap.Ignored(*objects[i]) || range.Outside(objects[i]->area) ? 1 : 0;
    ranked_.positives.resize(begins.size() - 1);
    for (size_t p = 0; p + 1 < begins.size(); ++p) {  // ignored ones last
      const auto begin = order_.begin() + begins[p], end = order_.begin() + begins[p + 1];
      const auto middle = std::stable_partition(begin, end, [&](uint32_t i) { return ignored_[i] == 0; });
      ranked_.positives[p] = static_cast<int>(middle - begin);
    }
  }

  // `overlaps` is of the objects [begin, end).
  void Match(RankedEntry entry, double area, uint32_t begin, uint32_t end, std::span<const double> overlaps) {
    const bool outside = range_.Outside(area);
    for (int t = 0; t < kCocoThresholds; ++t) {
      const auto bit = static_cast<uint16_t>(1u << t);
      const int64_t chosen = Best(t, begin, end, overlaps);
      if (chosen < 0) {
        if (outside) entry.ignored |= bit;
        continue;
      }
      matched_[static_cast<size_t>(chosen)] |= bit;
      (ignored_[static_cast<size_t>(chosen)] != 0 ? entry.ignored : entry.hit) |= bit;
    }
    if (entry.ignored != (1u << kCocoThresholds) - 1) ranked_.entries.push_back(entry);
  }

  // Overlaps nothing.
  void Miss(const RankedEntry& entry, double area) {
    if (!range_.Outside(area)) ranked_.entries.push_back(entry);
  }

  RankedClass Take(int label) {
    ranked_.label = label;
    Mark(ranked_);
    return std::move(ranked_);
  }

 private:
  // The object that a detection takes at threshold t, or -1.
  int64_t Best(int t, uint32_t begin, uint32_t end, std::span<const double> overlaps) const {
    double best = std::min(CocoThresholds()[static_cast<size_t>(t)], 1 - 1e-10);
    int64_t chosen = -1;
    for (uint32_t k = begin; k < end; ++k) {
      const uint32_t i = order_[k];
      if ((matched_[i] >> t & 1) != 0 && !objects_[i]->crowd) continue;
      if (chosen >= 0 && ignored_[static_cast<size_t>(chosen)] == 0 && ignored_[i] != 0) break;
      if (!(overlaps[i - begin] >= best)) continue;  // not a number: of a broken network, never a match
      best = overlaps[i - begin];
      chosen = i;
    }
    return chosen;
  }

  AreaRange range_;
  std::span<const Object* const> objects_;
  std::vector<uint32_t> order_;    // of each picture's objects, ignored ones last
  std::vector<uint8_t> ignored_;   // by object
  std::vector<uint16_t> matched_;  // by object: thresholds at which a detection has it
  RankedClass ranked_;
};

}  // namespace

const std::array<double, kCocoThresholds>& CocoThresholds() {
  static const auto thresholds = [] {
    std::array<double, kCocoThresholds> values{};
    for (int i = 0; i < kCocoThresholds; ++i)  // numpy.linspace(0.5, 0.95, 10)
      values[static_cast<size_t>(i)] = i == 9 ? 0.95 : i * ((0.95 - 0.5) / 9) + 0.5;
    return values;
  }();
  return thresholds;
}

CocoClasses::CocoClasses(const std::vector<ScoredPicture>& pictures, const CocoOverlap& overlap)
    : overlap_(overlap), pictures_(pictures.size()) {
  for (int label : LabelsOfObjects(pictures))
    classes_.push_back({.label = label, .candidates = {}, .objects = {}, .begins = {0}});
  Collect(pictures);
}

void CocoClasses::Collect(const std::vector<ScoredPicture>& pictures) {
  const auto of_label = [&](int label) {
    return std::lower_bound(classes_.begin(), classes_.end(), label,
                            [](const Class& one, int wanted) { return one.label < wanted; });
  };
  for (const ScoredPicture& picture : pictures) {
    for (const Object& object : picture.truth) of_label(object.label)->objects.push_back(&object);
    for (Class& one : classes_) one.begins.push_back(static_cast<uint32_t>(one.objects.size()));
  }
  std::vector<size_t> order(pictures.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return pictures[a].id < pictures[b].id; });
  for (size_t p : order) {
    for (const Detection& detection : pictures[p].detections) {
      const auto found = of_label(detection.label);
      if (found == classes_.end() || found->label != detection.label) continue;
      const float score = std::isnan(detection.score) ? -std::numeric_limits<float>::infinity() : detection.score;
      found->candidates.push_back({score, static_cast<int>(p), &detection});
    }
  }
  for (Class& one : classes_) {
    std::stable_sort(one.candidates.begin(), one.candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  }
}

// Detections of all pictures in one falling order: within each picture that is the order in which COCOeval matches
// them.
std::vector<RankedClass> CocoClasses::Rank(size_t index, std::span<const AreaRange> ranges) const {
  const Class& one = classes_[index];
  std::vector<RangeMatcher> matchers;
  for (const AreaRange& range : ranges) matchers.emplace_back(overlap_, range, one.objects, one.begins);
  std::vector<int> seen(pictures_, 0);
  std::vector<double> overlaps(one.objects.size());
  for (const Candidate& candidate : one.candidates) {
    const auto p = static_cast<size_t>(candidate.picture);
    if (seen[p] == overlap_.max_detections()) continue;
    const RankedEntry entry{.picture = candidate.picture,
                            .score = candidate.score,
                            .hit = 0,
                            .ignored = 0,
                            .rank = static_cast<uint8_t>(seen[p]++)};
    const uint32_t begin = one.begins[p], end = one.begins[p + 1];
    const std::span<double> row = std::span(overlaps).first(end - begin);
    overlap_.Overlaps(*candidate.detection, std::span(one.objects).subspan(begin, end - begin), row);
    const double area = overlap_.Area(*candidate.detection);
    const bool near = std::any_of(row.begin(), row.end(), [](double value) { return value >= CocoThresholds()[0]; });
    for (RangeMatcher& matcher : matchers) {
      if (near) {
        matcher.Match(entry, area, begin, end, row);
      } else {
        matcher.Miss(entry, area);
      }
    }
  }
  std::vector<RankedClass> ranked;
  for (RangeMatcher& matcher : matchers) ranked.push_back(matcher.Take(one.label));
  return ranked;
}

std::vector<RankedClass> RankCoco(const std::vector<ScoredPicture>& pictures, const CocoOverlap& overlap,
                                  AreaRange range) {
  const CocoClasses classes(pictures, overlap);
  std::vector<RankedClass> ranked;
  for (size_t i = 0; i < classes.size(); ++i) ranked.push_back(std::move(classes.Rank(i, {&range, 1}).front()));
  return ranked;
}

}  // namespace hot
