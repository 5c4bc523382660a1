#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "tasks/classify/classify.h"

namespace hot {

ClassifyTask::ClassifyTask(TaskOptions options) : options_(std::move(options)) {
  if (options_.classes.size() < 2) {
    throw Error(Code::kInvalidArgument, "model.task",
                "classify needs at least two classes, got " + std::to_string(options_.classes.size()),
                "one folder a class: data.root/SPLIT/CLASS/*.jpg");
  }
}

void ClassifyTask::BuildHead(GraphBuilder& builder, const Features& features, Purpose /*purpose*/) const {
  BuildClassifierHead(builder, features, static_cast<int>(options_.classes.size()));
}

std::vector<Detection> ClassifyTask::Decode(std::span<const Tensor> outputs) const {
  if (outputs.size() != 1 || outputs[0].data.size() != options_.classes.size()) {
    throw Error(Code::kInvalidArgument, "classify", "the network's output does not have this task's shape");
  }
  const std::vector<float>& logits = outputs[0].data;
  if (!std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); })) return {};
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  std::vector<Detection> detections;
  for (size_t label = 0; label < logits.size(); ++label) {
    detections.push_back({.box = BoxOfSize(options_.input.w, options_.input.h),
                          .label = static_cast<int>(label),
                          .score = static_cast<float>(std::exp(logits[label] - highest) / sum)});
  }
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  detections.resize(std::min(detections.size(), static_cast<size_t>(options_.max_detections)));
  return detections;
}

}  // namespace hot
