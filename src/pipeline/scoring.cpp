#include "pipeline/scoring.h"

#include <nlohmann/json.hpp>

#include "data/loader.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kBootstrapRounds = 1000;

Json BoxScores(const std::vector<ScoredPicture>& pictures, const std::vector<std::string>& classes) {
  const CocoResult coco = CocoBoxAp(pictures);
  Json per_class = Json::array();
  for (const auto& [label, ap] : coco.per_class) {
    per_class.push_back({{"name", classes.at(static_cast<size_t>(label))}, {"ap", ap.first}, {"ap50", ap.second}});
  }
  return {{"coco_ap", coco.ap},
          {"ap50", coco.ap50},
          {"ap75", coco.ap75},
          {"voc07", VocAp(pictures, {}).map},
          {"per_class", per_class}};
}

Json KeypointScores(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options,
                    const std::vector<std::string>& keypoints) {
  Json json{{"coco_ap", nullptr}, {"ap50", nullptr}, {"ap75", nullptr}};
  if (HasOksConstants(pictures, options.oks)) {
    const OksResult coco = CocoKeypointAp(pictures, options.oks);
    json = {{"coco_ap", coco.ap}, {"ap50", coco.ap50}, {"ap75", coco.ap75}};
  }
  const PckResult pck = Pck(pictures, {options.pck_threshold, 0.05, 0.1});
  json.update({{"pck", pck.mean[0]}, {"pck05", pck.mean[1]}, {"pck10", pck.mean[2]}});
  json["per_keypoint"] = Json::array();
  for (size_t k = 0; k < pck.per_keypoint.size(); ++k) {
    json["per_keypoint"].push_back({{"name", k < keypoints.size() ? keypoints[k] : std::to_string(k)},
                                    {"pck05", pck.per_keypoint[k][1]},
                                    {"pck10", pck.per_keypoint[k][2]}});
  }
  return json;
}

}  // namespace

std::vector<ScoredPicture> DetectPictures(Session& session, const Task& task, const Dataset& dataset,
                                          const Preprocessing& preprocessing) {
  std::vector<ScoredPicture> pictures;
  std::vector<Tensor> inputs(1, Tensor({1, 3, preprocessing.height, preprocessing.width}));
  for (const Sample& sample : dataset.samples) {
    const Image image = DecodeSample(sample);
    ToInput(image, preprocessing, inputs[0].data.data());
    std::vector<Detection> detections = task.Decode(session.Run(inputs));
    const double sx = static_cast<double>(sample.width) / preprocessing.width;
    const double sy = static_cast<double>(sample.height) / preprocessing.height;
    for (Detection& d : detections) d.box = {d.box.x0 * sx, d.box.y0 * sy, d.box.x1 * sx, d.box.y1 * sy};
    pictures.push_back({.id = sample.id, .truth = sample.objects, .detections = std::move(detections)});
  }
  return pictures;
}

nlohmann::ordered_json ScoresJson(const std::vector<ScoredPicture>& pictures, const ScoreOptions& options,
                                  const std::vector<std::string>& names) {
  const auto [low, high] = BootstrapInterval(pictures, options, kBootstrapRounds, /*seed=*/1);
  Json json{{"score", Score(pictures, options)}, {"low", low}, {"high", high}};
  json.update(options.predicted == Predicted::kKeypoints ? KeypointScores(pictures, options, names)
                                                         : BoxScores(pictures, names));
  return json;
}

}  // namespace hot
