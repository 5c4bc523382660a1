#include "pipeline/task_options.h"

#include "config/task_rules.h"
#include "core/error.h"
#include "data/keypoints.h"
#include "pipeline/pretrained_study.h"

namespace hot {
namespace {

// What a study of keypoints needs from its data.
void CheckKeypoints(const Study& study, const std::vector<std::string>& keypoints) {
  if (keypoints.empty()) {
    throw Error(Code::kInvalidArgument, "data.train", "its classes have no keypoints in common",
                "name one of them with data.classes, or use a keypoints file");
  }
  if (study.train.metric == "pck" || HasSigmas({.sigmas = study.data.oks_sigmas}, keypoints.size())) return;
  throw Error(
      Code::kInvalidArgument, "train.metric",
      study.train.metric + " needs a tolerance for each of the " + std::to_string(keypoints.size()) + " keypoints",
      "use pck, or give as many data.oks_sigmas");
}

}  // namespace

TaskOptions StudyTaskOptions(const Study& study, const std::vector<std::string>& classes,
                             const std::vector<std::string>& keypoints) {
  TaskOptions options;
  options.task = study.model.task;
  options.input = {3, static_cast<int>(study.model.input[0]), static_cast<int>(study.model.input[1])};
  options.convention = StudyConvention(study);
  options.classes = classes;
  options.anchor_min_scale = study.model.anchor_min_scale;
  options.anchor_max_scale = study.model.anchor_max_scale;
  options.aspect_ratios = study.model.aspect_ratios;
  options.finest_stride = static_cast<int>(study.model.finest_stride);
  if (!RulesOf(study).keypoints) return options;
  CheckKeypoints(study, keypoints);
  options.keypoints = keypoints;
  options.mirror_pairs = study.data.mirror_pairs.empty()
                             ? MirrorPairs(keypoints)
                             : ParseMirrorPairs(study.data.mirror_pairs, keypoints, "data.mirror_pairs");
  options.pyramid_channels = static_cast<int>(study.model.pyramid_channels);
  options.margin_y = study.model.box_margin[0];
  options.margin_x = study.model.box_margin[1];
  options.flip_test = study.model.flip_test;
  return options;
}

}  // namespace hot
