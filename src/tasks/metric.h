// Detection and pose metrics that agree with pycocotools and the VOC development kit, and the paired test behind every
// verdict. Values; no state.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace hot {

struct Detection {
  Box box;  // of a pose: the box that its keypoints were looked for in
  int label = 0;
  float score = 0;
  std::vector<Keypoint> keypoints = {};  // of a pose; `visibility` of a prediction is not read. Boxes: empty
};

// Ground truth and detections of one picture; both in the same pixel frame.
struct ScoredPicture {
  int64_t id = 0;
  std::vector<Object> truth;
  std::vector<Detection> detections;
};

// COCO (pycocotools' COCOeval, iouType "bbox"): IoU 0.50:0.05:0.95, 101 recall points, at most 100 detections of a
// class in a picture, crowds by intersection over detection area and ignored, area ranges from Object::area, stable
// sort by falling score, classes without ground truth left out of the mean. -1 where nothing is defined, as pycocotools
// gives.
struct CocoResult {
  double ap = -1, ap50 = -1, ap75 = -1, ap_small = -1, ap_medium = -1, ap_large = -1;
  double ar1 = -1, ar10 = -1, ar100 = -1, ar_small = -1, ar_medium = -1, ar_large = -1;
  std::map<int, std::pair<double, double>> per_class;  // label -> (AP, AP50); classes with ground truth
};
CocoResult CocoBoxAp(const std::vector<ScoredPicture>& pictures);

struct OksOptions {
  // Per-keypoint constants sigma: the tolerance of a keypoint is 2 sigma sqrt(area). Empty: COCO's, for its 17
  // keypoints of a person.
  std::vector<double> sigmas = {};
  // The area of a detection, which the medium and large ranges read: of the box around its keypoints (COCO's server,
  // whose result files have no boxes), or of Detection::box (pycocotools, where the result file has them).
  bool area_of_box = false;
};
// Whether there is one sigma for each of so many keypoints.
bool HasSigmas(const OksOptions& options, size_t keypoints);

// COCO (COCOeval, iouType "keypoints"): as CocoBoxAp(), but the overlap is the object keypoint similarity, mean of
// exp(-d^2 / (2 area (2 sigma)^2)) over the labelled keypoints of the object, and at most 20 detections count. Crowds
// and objects without a labelled keypoint are ignored; the latter are compared by the distance of the detection's
// keypoints to a box of three times their width and height. A keypoint that is not a number matches nothing. Throws
// Error(kInvalidArgument) when there is not one sigma for each keypoint. Source: cocodataset.org/#keypoints-eval.
struct OksResult {
  double ap = -1, ap50 = -1, ap75 = -1, ap_medium = -1, ap_large = -1;
  double ar = -1, ar50 = -1, ar75 = -1, ar_medium = -1, ar_large = -1;
  std::map<int, std::pair<double, double>> per_class;  // label -> (AP, AP50); classes with an object that counts
};
OksResult CocoKeypointAp(const std::vector<ScoredPicture>& pictures, const OksOptions& options = {});

// Percentage of correct keypoints, as a share (Yang and Ramanan, 2013, section 6): a labelled keypoint is correct when
// its prediction lies within threshold * max(width, height) of the object's box, border included.
// - Which prediction: objects and detections of one label are paired one to one by the overlap (IoU > 0) of their
//   boxes, largest first, then in the order of the objects, then of the detections; scores are not read. In top-down
//   evaluation both boxes are the same, so that each object gets the prediction made for it. Keypoints of an object
//   that gets none are wrong; detections left over cost nothing. Crowds are left out.
// - The mean is pooled: correct keypoints of all kinds over labelled keypoints of all kinds. Each labelled keypoint
//   counts once, so that a kind that is seldom labelled weighs less (as in the mean of MPII's PCKh).
// -1 where nothing is labelled. Throws Error(kInvalidArgument) when a detection has fewer keypoints than its object.
struct PckResult {
  std::vector<double> thresholds;
  std::vector<double> mean;                       // by threshold
  std::vector<std::vector<double>> per_keypoint;  // by keypoint, then by threshold
  std::vector<int64_t> labelled;                  // by keypoint
};
PckResult Pck(const std::vector<ScoredPicture>& pictures, const std::vector<double>& thresholds = {0.05, 0.1});

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

enum class Metric { kCocoAp, kAp50, kVoc07, kPck, kTop1 };
Metric ParseMetric(const std::string& name);  // "coco_ap", "ap50", "voc07", "pck", "top1"
std::string MetricName(Metric metric);

enum class Predicted { kBoxes, kKeypoints, kClasses };
Predicted ParsePredicted(const std::string& name);  // "boxes", "keypoints", "classes"
std::string PredictedName(Predicted predicted);

// One number for the quality of a system. coco_ap and ap50 compare boxes by IoU and keypoints by OKS.
struct ScoreOptions {
  Metric metric = Metric::kCocoAp;
  Predicted predicted = Predicted::kBoxes;
  OksOptions oks = {};          // coco_ap and ap50 of keypoints
  double pck_threshold = 0.05;  // pck
};
// How a text names the score: "ap50", "pck@0.05".
std::string ScoreName(const ScoreOptions& options);
// In [0, 1]. top1: share of the pictures whose detection of the highest score (of equals the first) has the label of
// the picture's object. Throws Error(kInvalidArgument) for a metric of something else than what is predicted.
double Score(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options);

// Paired bootstrap over pictures (Efron & Tibshirani, 1993): both systems are scored on the same resampled pictures.
struct PairedDifference {
  double difference = 0;     // score(b) - score(a) on all pictures
  double low = 0, high = 0;  // 95 % percentile interval
  bool shown() const { return low > 0 || high < 0; }
};
PairedDifference PairedBootstrap(const std::vector<ScoredPicture>& a, const std::vector<ScoredPicture>& b,
                                 const ScoreOptions& options, int rounds, uint64_t seed);
// The same over several trainings of both systems on the same pictures: differences are means over the trainings.
struct PairedSystems {
  const std::vector<ScoredPicture>* a = nullptr;
  const std::vector<ScoredPicture>* b = nullptr;
};
PairedDifference PairedBootstrap(const std::vector<PairedSystems>& trainings, const ScoreOptions& options, int rounds,
                                 uint64_t seed);
// 95 % percentile interval of one system's score.
std::pair<double, double> BootstrapInterval(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options,
                                            int rounds, uint64_t seed);

}  // namespace hot
