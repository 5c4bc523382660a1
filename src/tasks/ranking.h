// Detections of one class over all pictures, matched once and ranked once, so that average precision of any resampling
// of the pictures is one walk over the ranking. Internal to the metrics. Values.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tasks/metric.h"

namespace hot {

// Bit t of a mask belongs to IoU threshold t.
struct RankedEntry {
  int picture = 0;
  float score = 0;
  uint16_t hit = 0;      // matched an object that counts
  uint16_t ignored = 0;  // neither hit nor miss
  uint8_t rank = 0;      // within its picture and class, from 0
};

struct RankedClass {
  int label = 0;
  std::vector<RankedEntry> entries;  // by falling score, stable in picture order
  std::vector<int> positives;        // by picture: objects that count
  // By threshold: which entries are hits or ignored, in order. All others are misses, which only have to be counted.
  std::array<std::vector<size_t>, 16> marked;
};

// Fills `marked` from sorted entries.
void Mark(RankedClass& ranked);

enum class Recall { kCoco101, kVoc11, kArea };

// How often each picture is counted; all ones for the plain score.
using PictureWeights = std::vector<int>;

struct CurveResult {
  double ap = -1;      // -1: no positive
  double recall = -1;  // of the whole ranking
};

// A class under weights: what all thresholds share is summed up once, after that each walks over its marked entries
// only. A bootstrap spends its time here. Keeps a reference to the class.
class WeightedClass {
 public:
  WeightedClass(const RankedClass& ranked, const PictureWeights& weights);

  CurveResult AveragePrecision(int threshold, Recall kind) const;
  // Recall of the entries whose rank in their picture is below `max_rank`; -1: no positive.
  double RecallOf(int threshold, int max_rank) const;

 private:
  int64_t WeightOf(size_t entry) const { return before_[entry + 1] - before_[entry]; }

  const RankedClass& ranked_;
  int64_t positives_ = 0;
  std::vector<int64_t> before_;  // by entry: weight of all entries before it; and of all
};

// VOC's matching at one IoU threshold (bit 0).
std::vector<RankedClass> RankVoc(const std::vector<ScoredPicture>& pictures, const VocOptions& options);

}  // namespace hot
