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

// One picture after the other through the artifact; boxes are scaled back to the picture's own pixels.
std::vector<ScoredPicture> DetectPictures(Session& session, const Task& task, const Dataset& dataset,
                                          const Preprocessing& preprocessing);

// Of boxes: {"score", "low", "high", "coco_ap", "ap50", "ap75", "voc07", "per_class": [{"name", "ap", "ap50"}]}; of
// keypoints: {"score", "low", "high", "coco_ap", "ap50", "ap75" (OKS; null without constants), "pck", "pck05", "pck10",
// "per_keypoint": [{"name", "pck05", "pck10"}]}. `names` are those of the classes or of the keypoints.
nlohmann::ordered_json ScoresJson(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options,
                                  const std::vector<std::string>& names);

}  // namespace hot
