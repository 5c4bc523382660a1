// Predictions of an artifact over a data set and their scores. Called by the evaluate stage.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "deploy/device.h"
#include "tasks/metric.h"
#include "tasks/task.h"

namespace hot {

// One view of a picture after the other through the artifact; predictions are mapped back to the picture's own pixels.
std::vector<ScoredPicture> DetectPictures(Session& session, const Task& task, const Dataset& pictures,
                                          const Preprocessing& preprocessing);

// Boxes: {"score", "low", "high", "coco_ap", "ap50", "ap75", "voc07", "per_class": [{"name", "ap", "ap50"}]}.
// Keypoints: {"score", "low", "high", "pck", "per_keypoint": [{"name", "pck", "labelled"}]} and, where each keypoint
// has a tolerance, "coco_ap", "ap50", "ap75" by OKS.
// Classes: {"score", "low", "high", "top1", "per_class": [{"name", "top1", "pictures"}]}.
nlohmann::ordered_json ScoresJson(const std::vector<ScoredPicture>& pictures, const ScoreOptions& scoring,
                                  const TaskOptions& task);

}  // namespace hot
