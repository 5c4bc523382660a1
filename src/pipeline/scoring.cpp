#include "pipeline/scoring.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "data/loader.h"
#include "tasks/predictions.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kBootstrapRounds = 1000;
constexpr size_t kPicturesAtOnce = 64;  // what a remote device gets in one job

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

Json KeypointScores(const std::vector<ScoredPicture>& pictures, const ScoreOptions& scoring,
                    const std::vector<std::string>& keypoints) {
  const PckResult pck = Pck(pictures, {scoring.pck_threshold});
  Json per_keypoint = Json::array();
  for (size_t k = 0; k < pck.per_keypoint.size(); ++k) {
    per_keypoint.push_back(
        {{"name", keypoints.at(k)}, {"pck", pck.per_keypoint[k].at(0)}, {"labelled", pck.labelled.at(k)}});
  }
  Json scores{{"pck", pck.mean.at(0)}, {"per_keypoint", per_keypoint}};
  if (!HasSigmas(scoring.oks, keypoints.size())) return scores;
  const OksResult oks = CocoKeypointAp(pictures, scoring.oks);
  scores.update({{"coco_ap", oks.ap}, {"ap50", oks.ap50}, {"ap75", oks.ap75}});
  return scores;
}

// Top-1 of each class's own pictures; those of no picture are left out.
Json ClassScores(const std::vector<ScoredPicture>& pictures, const ScoreOptions& scoring,
                 const std::vector<std::string>& classes) {
  Json per_class = Json::array();
  for (size_t label = 0; label < classes.size(); ++label) {
    std::vector<ScoredPicture> own;
    std::ranges::copy_if(pictures, std::back_inserter(own), [&](const ScoredPicture& picture) {
      return !picture.truth.empty() && picture.truth[0].label == static_cast<int>(label);
    });
    if (own.empty()) continue;
    per_class.push_back({{"name", classes[label]}, {"top1", Score(own, scoring)}, {"pictures", own.size()}});
  }
  return {{"top1", Score(pictures, scoring)}, {"per_class", per_class}};
}

// What beside the study's metric is told about predictions of each kind.
Json DetailedScores(const std::vector<ScoredPicture>& pictures, const ScoreOptions& scoring, const TaskOptions& task) {
  switch (scoring.predicted) {
    case Predicted::kBoxes:
      return BoxScores(pictures, task.classes);
    case Predicted::kKeypoints:
      return KeypointScores(pictures, scoring, task.keypoints);
    case Predicted::kClasses:
      return ClassScores(pictures, scoring, task.classes);
  }
  return {};
}

}  // namespace

std::vector<ScoredPicture> DetectPictures(Session& session, const Task& task, const Dataset& pictures,
                                          const Preprocessing& preprocessing) {
  PicturePredictions predictions(pictures, task.options().input);
  const Dataset views = task.Views(pictures);
  for (size_t begin = 0; begin < views.samples.size(); begin += kPicturesAtOnce) {
    const auto some = std::span(views.samples).subspan(begin, std::min(kPicturesAtOnce, views.samples.size() - begin));
    std::vector<std::vector<Tensor>> inputs;
    for (const Sample& view : some) {
      inputs.push_back({Tensor({1, 3, preprocessing.height, preprocessing.width})});
      SampleToInput(view, preprocessing, inputs.back()[0].data.data());
    }
    std::vector<std::vector<Tensor>> outputs = session.RunAll(inputs), mirrored;
    if (task.options().flip_test) {
      for (std::vector<Tensor>& input : inputs) Mirror(input[0]);
      mirrored = session.RunAll(inputs);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      if (!mirrored.empty()) outputs[i] = task.Unite(std::move(outputs[i]), mirrored[i]);
      predictions.Add(some[i], task.Decode(outputs[i]));
    }
  }
  return std::move(predictions).Take();
}

Json ScoresJson(const std::vector<ScoredPicture>& pictures, const ScoreOptions& scoring, const TaskOptions& task) {
  const auto [low, high] = BootstrapInterval(pictures, scoring, kBootstrapRounds, /*seed=*/1);
  Json scores{{"score", Score(pictures, scoring)}, {"low", low}, {"high", high}};
  scores.update(DetailedScores(pictures, scoring, task));
  return scores;
}

}  // namespace hot
