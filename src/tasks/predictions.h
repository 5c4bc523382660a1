// Puts what a network says about its views (Task::Views) together again, picture by picture, in the pictures' own
// pixels: the same for a network in training and for an artifact. Called by train/ and pipeline/. One thread.
#pragma once

#include <unordered_map>
#include <vector>

#include "graph/graph.h"
#include "tasks/metric.h"

namespace hot {

class PicturePredictions {
 public:
  // `input`: of the network, whose pixels detections are in.
  PicturePredictions(const Dataset& pictures, const Shape& input);

  // Detections of one view. Those of a crop are of its object: they get its box, which was given, and its label.
  void Add(const Sample& view, std::vector<Detection> detections);

  // One a picture, in order, with all of its objects as the truth.
  std::vector<ScoredPicture> Take() && { return std::move(pictures_); }

 private:
  Shape input_;
  std::vector<ScoredPicture> pictures_;
  std::unordered_map<int64_t, size_t> place_;  // picture -> index
};

}  // namespace hot
