#include "pipeline/scoring.h"

#include <nlohmann/json.hpp>

#include "data/loader.h"

namespace hot {
namespace {

constexpr int kBootstrapRounds = 1000;

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
                                  const std::vector<std::string>& classes) {
  const CocoResult coco = CocoBoxAp(pictures);
  const auto [low, high] = BootstrapInterval(pictures, options, kBootstrapRounds, /*seed=*/1);
  nlohmann::ordered_json per_class = nlohmann::ordered_json::array();
  for (const auto& [label, ap] : coco.per_class) {
    per_class.push_back({{"name", classes.at(static_cast<size_t>(label))}, {"ap", ap.first}, {"ap50", ap.second}});
  }
  return {{"score", Score(pictures, options)},
          {"low", low},
          {"high", high},
          {"coco_ap", coco.ap},
          {"ap50", coco.ap50},
          {"ap75", coco.ap75},
          {"voc07", VocAp(pictures, {}).map},
          {"per_class", per_class}};
}

}  // namespace hot
