#include "tasks/pck.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace hot {
namespace {

double Iou(const Box& a, const Box& b) {
  const double w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0), h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  return w > 0 && h > 0 ? w * h / (a.area() + b.area() - w * h) : 0;
}

// The detection of each object, or null.
std::vector<const Detection*> Pair(const ScoredPicture& picture) {
  struct Candidate {
    double iou;
    size_t object, detection;
  };
  std::vector<Candidate> candidates;
  for (size_t o = 0; o < picture.truth.size(); ++o) {
    if (picture.truth[o].crowd) continue;
    for (size_t d = 0; d < picture.detections.size(); ++d) {
      if (picture.detections[d].label != picture.truth[o].label) continue;
      const double iou = Iou(picture.truth[o].box, picture.detections[d].box);
      if (iou > 0) candidates.push_back({iou, o, d});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.iou > b.iou; });
  std::vector<const Detection*> pairs(picture.truth.size(), nullptr);
  std::vector<bool> taken(picture.detections.size(), false);
  for (const Candidate& candidate : candidates) {
    if (pairs[candidate.object] != nullptr || taken[candidate.detection]) continue;
    pairs[candidate.object] = &picture.detections[candidate.detection];
    taken[candidate.detection] = true;
  }
  return pairs;
}

void CheckCount(const Detection& detection, const Object& object, const ScoredPicture& picture) {
  if (detection.keypoints.size() >= object.keypoints.size()) return;
  throw Error(Code::kInvalidArgument, "metric",
              "picture " + std::to_string(picture.id) + ": an object has " + std::to_string(object.keypoints.size()) +
                  " keypoints, its prediction " + std::to_string(detection.keypoints.size()));
}

}  // namespace

void VisitKeypointErrors(const std::vector<ScoredPicture>& pictures, const VisitKeypoint& visit) {
  for (size_t p = 0; p < pictures.size(); ++p) {
    const std::vector<const Detection*> pairs = Pair(pictures[p]);
    for (size_t o = 0; o < pairs.size(); ++o) {
      const Object& object = pictures[p].truth[o];
      if (object.crowd) continue;
      if (pairs[o] != nullptr) CheckCount(*pairs[o], object, pictures[p]);
      const double side = std::max(object.box.width(), object.box.height());
      for (size_t k = 0; k < object.keypoints.size(); ++k) {
        const Keypoint& truth = object.keypoints[k];
        if (!truth.is_labelled()) continue;
        double error = std::numeric_limits<double>::infinity();
        if (pairs[o] != nullptr) {
          const Keypoint& ours = pairs[o]->keypoints[k];
          error = std::hypot(static_cast<double>(ours.x) - truth.x, static_cast<double>(ours.y) - truth.y) / side;
        }
        visit(p, k, error);
      }
    }
  }
}

PckResult Pck(const std::vector<ScoredPicture>& pictures, const std::vector<double>& thresholds) {
  std::vector<std::vector<int64_t>> correct;  // by keypoint, then by threshold
  PckResult result{.thresholds = thresholds, .mean = {}, .per_keypoint = {}, .labelled = {}};
  VisitKeypointErrors(pictures, [&](size_t /*picture*/, size_t keypoint, double error) {
    if (keypoint >= correct.size()) {
      correct.resize(keypoint + 1, std::vector<int64_t>(thresholds.size(), 0));
      result.labelled.resize(keypoint + 1, 0);
    }
    ++result.labelled[keypoint];
    for (size_t t = 0; t < thresholds.size(); ++t) correct[keypoint][t] += error <= thresholds[t] ? 1 : 0;
  });
  const auto share = [](int64_t part, int64_t of) {
    return of > 0 ? static_cast<double>(part) / static_cast<double>(of) : -1;
  };
  std::vector<int64_t> sums(thresholds.size(), 0);
  int64_t labelled = 0;
  for (size_t k = 0; k < correct.size(); ++k) {
    std::vector<double>& shares = result.per_keypoint.emplace_back();
    for (size_t t = 0; t < thresholds.size(); ++t) {
      shares.push_back(share(correct[k][t], result.labelled[k]));
      sums[t] += correct[k][t];
    }
    labelled += result.labelled[k];
  }
  for (int64_t sum : sums) result.mean.push_back(share(sum, labelled));
  return result;
}

}  // namespace hot
