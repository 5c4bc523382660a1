// COCO's ground truth and result files, whole and trusted, as the metrics take them. For tests that compare with
// pycocotools; the product reads annotations with data/coco.h, which checks them. Stateless.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tasks/metric.h"

namespace hot {

inline std::vector<Keypoint> ReadCocoKeypoints(const nlohmann::json& flat) {
  std::vector<Keypoint> keypoints;
  for (size_t i = 0; i + 2 < flat.size(); i += 3)
    keypoints.push_back({flat[i].get<float>(), flat[i + 1].get<float>(), static_cast<int>(flat[i + 2].get<double>())});
  return keypoints;
}

inline Box ReadCocoBox(const nlohmann::json& b) {
  const double x = b[0], y = b[1], w = b[2], h = b[3];
  return {x, y, x + w, y + h};
}

// Labels are category ids. Keypoints and a detection's box stay empty where the files have none.
inline std::vector<ScoredPicture> ReadCoco(const nlohmann::json& truth, const nlohmann::json& detections) {
  std::map<int64_t, ScoredPicture> by_id;
  for (const auto& image : truth.at("images")) by_id[image.at("id")].id = image.at("id");
  for (const auto& annotation : truth.at("annotations")) {
    Object object;
    object.box = ReadCocoBox(annotation.at("bbox"));
    object.label = annotation.at("category_id");
    object.crowd = annotation.value("iscrowd", 0) != 0;
    object.area = annotation.at("area");
    if (annotation.contains("keypoints")) object.keypoints = ReadCocoKeypoints(annotation.at("keypoints"));
    by_id[annotation.at("image_id")].truth.push_back(object);
  }
  for (const auto& d : detections) {
    Detection detection{.box = {}, .label = d.at("category_id"), .score = d.at("score").get<float>()};
    if (d.contains("bbox")) detection.box = ReadCocoBox(d.at("bbox"));
    if (d.contains("keypoints")) detection.keypoints = ReadCocoKeypoints(d.at("keypoints"));
    by_id[d.at("image_id")].detections.push_back(detection);
  }
  std::vector<ScoredPicture> pictures;
  for (auto& [id, picture] : by_id) pictures.push_back(std::move(picture));
  return pictures;
}

}  // namespace hot
