// Detection metrics that agree with pycocotools and the VOC development kit, and the paired test behind every verdict.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace hot {

struct Detection {
  Box box;
  int label = 0;
  float score = 0;
};

// Ground truth and detections of one picture; both in the same pixel frame.
struct ScoredPicture {
  int64_t id = 0;
  std::vector<Object> truth;
  std::vector<Detection> detections;
};

// COCO (pycocotools' COCOeval, iouType "bbox"): IoU 0.50:0.05:0.95, 101 recall points, crowds by intersection over
// detection area and ignored, area ranges from Object::area, stable sort by falling score, classes without ground truth
// left out of the mean. -1 where nothing is defined, as pycocotools gives.
struct CocoResult {
  double ap = -1, ap50 = -1, ap75 = -1, ap_small = -1, ap_medium = -1, ap_large = -1;
  double ar1 = -1, ar10 = -1, ar100 = -1, ar_small = -1, ar_medium = -1, ar_large = -1;
  std::map<int, std::pair<double, double>> per_class;  // label -> (AP, AP50); classes with ground truth
};
CocoResult CocoBoxAp(const std::vector<ScoredPicture>& pictures);

struct VocOptions {
  double iou = 0.5;
  bool eleven_point = true;      // VOC2007; false: area under the curve (VOC2010+)
  bool pixel_plus_one = false;   // VOC's inclusive pixel boxes: width = x1 - x0 + 1
  bool ignore_difficult = true;  // difficult objects are neither hits nor misses
};
struct VocClass {
  int64_t positives = 0, detections = 0, true_positives = 0, false_positives = 0;
  double ap = 0;
};
struct VocResult {
  double map = 0;  // mean over classes with at least one positive
  std::map<int, VocClass> per_class;
};
VocResult VocAp(const std::vector<ScoredPicture>& pictures, const VocOptions& options);

enum class Metric { kCocoAp, kAp50, kVoc07, kPck };
Metric ParseMetric(const std::string& name);  // "coco_ap", "ap50", "voc07", "pck"
std::string MetricName(Metric metric);
// In [0, 1].
double Score(const std::vector<ScoredPicture>& pictures, Metric metric);

// Paired bootstrap over pictures (Efron & Tibshirani, 1993): both systems are scored on the same resampled pictures.
struct PairedDifference {
  double difference = 0;     // score(b) - score(a) on all pictures
  double low = 0, high = 0;  // 95 % percentile interval
  bool shown() const { return low > 0 || high < 0; }
};
PairedDifference PairedBootstrap(const std::vector<ScoredPicture>& a, const std::vector<ScoredPicture>& b,
                                 Metric metric, int rounds, uint64_t seed);
// 95 % percentile interval of one system's score.
std::pair<double, double> BootstrapInterval(const std::vector<ScoredPicture>& pictures, Metric metric, int rounds,
                                            uint64_t seed);

}  // namespace hot
