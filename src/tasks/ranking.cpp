#include "tasks/ranking.h"

#include <algorithm>
#include <limits>

namespace hot {
namespace {

struct Point {
  double recall, precision;
};

// Mean of the precision at `count` recall levels 0, step, 2*step, ...
double Sampled(const std::vector<Point>& points, int count, double step) {
  double sum = 0;
  size_t at = 0;
  for (int i = 0; i < count; ++i) {
    const double recall = i * step;
    while (at < points.size() && points[at].recall < recall) ++at;
    if (at == points.size()) break;
    sum += points[at].precision;
  }
  return sum / count;
}

double Area(const std::vector<Point>& points) {
  double sum = 0, before = 0;
  for (const Point& point : points) {
    sum += (point.recall - before) * point.precision;
    before = point.recall;
  }
  return sum;
}

double PrecisionOf(const std::vector<Point>& points, Recall kind) {
  switch (kind) {
    case Recall::kCoco101:
      return Sampled(points, 101, 0.01);
    case Recall::kVoc11:
      return Sampled(points, 11, 0.1);
    case Recall::kArea:
      return Area(points);
  }
  return 0;
}

}  // namespace

void Mark(RankedClass& ranked) {
  for (size_t i = 0; i < ranked.entries.size(); ++i) {
    const unsigned mask = ranked.entries[i].hit | ranked.entries[i].ignored;
    for (size_t t = 0; mask >> t != 0; ++t) {
      if ((mask >> t & 1u) != 0) ranked.marked[t].push_back(i);
    }
  }
}

WeightedClass::WeightedClass(const RankedClass& ranked, const PictureWeights& weights) : ranked_(ranked) {
  for (size_t i = 0; i < weights.size(); ++i) positives_ += static_cast<int64_t>(weights[i]) * ranked.positives[i];
  before_.reserve(ranked.entries.size() + 1);
  int64_t sum = 0;
  before_.push_back(sum);
  for (const RankedEntry& entry : ranked.entries) before_.push_back(sum += weights[static_cast<size_t>(entry.picture)]);
}

// The precision-recall points are at hits: recall rises and precision peaks there only. Precision is then made monotone
// from the right.
CurveResult WeightedClass::AveragePrecision(int threshold, Recall kind) const {
  if (positives_ == 0) return {};
  std::vector<Point> points;
  const auto bit = static_cast<uint16_t>(1u << threshold);
  int64_t hits = 0, ignored = 0;
  for (size_t i : ranked_.marked[static_cast<size_t>(threshold)]) {
    const int64_t own = WeightOf(i);
    if ((ranked_.entries[i].ignored & bit) != 0) {
      ignored += own;
      continue;
    }
    if (own == 0) continue;
    hits += own;
    const auto exact = static_cast<double>(hits), counted = static_cast<double>(before_[i + 1] - ignored);
    points.push_back(
        {exact / static_cast<double>(positives_), exact / (counted + std::numeric_limits<double>::epsilon())});
  }
  for (size_t i = points.size(); i > 1; --i)
    points[i - 2].precision = std::max(points[i - 2].precision, points[i - 1].precision);
  return {.ap = PrecisionOf(points, kind), .recall = points.empty() ? 0 : points.back().recall};
}

double WeightedClass::RecallOf(int threshold, int max_rank) const {
  if (positives_ == 0) return -1;
  const auto bit = static_cast<uint16_t>(1u << threshold);
  int64_t hits = 0;
  for (size_t i : ranked_.marked[static_cast<size_t>(threshold)]) {
    const RankedEntry& entry = ranked_.entries[i];
    if ((entry.hit & bit) != 0 && entry.rank < max_rank) hits += WeightOf(i);
  }
  return static_cast<double>(hits) / static_cast<double>(positives_);
}

}  // namespace hot
