#include "tasks/ranking.h"

#include <algorithm>
#include <limits>

namespace hot {
namespace {

struct Point {
  double recall, precision;
};

int64_t CountPositives(const RankedClass& ranked, const PictureWeights& weights) {
  int64_t count = 0;
  for (size_t i = 0; i < weights.size(); ++i) count += static_cast<int64_t>(weights[i]) * ranked.positives[i];
  return count;
}

// The precision-recall points at hits, precision made monotone from the right. Misses need no point of their own:
// recall rises and precision peaks at hits only. A bootstrap spends its time here, so misses are added up without a
// branch.
std::vector<Point> Curve(const RankedClass& ranked, int threshold, const PictureWeights& weights, int max_rank,
                         int64_t positives) {
  std::vector<Point> points;
  const auto bit = static_cast<uint16_t>(1u << threshold);
  const auto weight = [&](size_t i) {
    const RankedEntry& entry = ranked.entries[i];
    return entry.rank < max_rank ? weights[static_cast<size_t>(entry.picture)] : 0;
  };
  int64_t hits = 0, counted = 0;
  size_t next = 0;
  for (size_t marked : ranked.marked[static_cast<size_t>(threshold)]) {
    for (; next < marked; ++next) counted += weight(next);
    ++next;
    const int own = (ranked.entries[marked].ignored & bit) != 0 ? 0 : weight(marked);
    if (own == 0) continue;
    counted += own;
    hits += own;
    const auto exact = static_cast<double>(hits);
    points.push_back({exact / static_cast<double>(positives),
                      exact / (static_cast<double>(counted) + std::numeric_limits<double>::epsilon())});
  }
  for (size_t i = points.size(); i > 1; --i)
    points[i - 2].precision = std::max(points[i - 2].precision, points[i - 1].precision);
  return points;
}

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

}  // namespace

void Mark(RankedClass& ranked) {
  for (size_t i = 0; i < ranked.entries.size(); ++i) {
    const unsigned mask = ranked.entries[i].hit | ranked.entries[i].ignored;
    for (size_t t = 0; mask >> t != 0; ++t) {
      if ((mask >> t & 1u) != 0) ranked.marked[t].push_back(i);
    }
  }
}

CurveResult AveragePrecision(const RankedClass& ranked, int threshold, Recall kind, const PictureWeights& weights,
                             int max_rank) {
  const int64_t positives = CountPositives(ranked, weights);
  if (positives == 0) return {};
  const std::vector<Point> points = Curve(ranked, threshold, weights, max_rank, positives);
  CurveResult result{.ap = 0, .recall = points.empty() ? 0 : points.back().recall};
  switch (kind) {
    case Recall::kCoco101:
      result.ap = Sampled(points, 101, 0.01);
      break;
    case Recall::kVoc11:
      result.ap = Sampled(points, 11, 0.1);
      break;
    case Recall::kArea:
      result.ap = Area(points);
      break;
  }
  return result;
}

}  // namespace hot
