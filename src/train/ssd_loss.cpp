#include "train/ssd_loss.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

constexpr int64_t kNegativesPerPositive = 3;

}  // namespace

at::Tensor AnchorRows(const at::Tensor& map, int64_t values) {
  return map.permute({0, 2, 3, 1}).reshape({map.size(0), -1, values});
}

at::Tensor HardNegatives(const at::Tensor& log_probabilities, const at::Tensor& labels) {
  const at::NoGradGuard no_grad;
  const at::Tensor matched = labels > 0;
  const at::Tensor loss =
      log_probabilities.select(2, 0).neg().masked_fill(matched, -std::numeric_limits<float>::infinity());
  const at::Tensor order = std::get<1>(loss.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true));
  const at::Tensor places = at::arange(labels.size(1), labels.options()).expand_as(order);
  const at::Tensor rank = at::empty_like(order).scatter_(1, order, places);
  const at::Tensor wanted = matched.sum(1, /*keepdim=*/true).clamp_min(1) * kNegativesPerPositive;
  return (rank < wanted) & (labels <= 0);
}

at::Tensor SsdLoss(const SsdPredictions& predictions, const SsdBatchTargets& targets) {
  const at::Tensor log_probabilities = at::log_softmax(predictions.scores, 2);
  const at::Tensor matched = targets.labels > 0;
  const at::Tensor counted = matched | HardNegatives(log_probabilities.detach(), targets.labels);
  const at::Tensor of_label = log_probabilities.gather(2, targets.labels.unsqueeze(2)).squeeze(2);
  // masked_fill rather than a product: 0 * inf of an anchor that does not count would be NaN.
  const at::Tensor cross_entropy = of_label.masked_fill(~counted, 0).sum().neg();
  const at::Tensor difference = at::smooth_l1_loss(predictions.offsets, targets.offsets, at::Reduction::None);
  const at::Tensor box = difference.masked_fill(~matched.unsqueeze(2), 0).sum();
  return (cross_entropy + box) / matched.sum().clamp_min(1);
}

SsdObjective::SsdObjective(const SsdTask& task, const Graph& graph) : task_(task) {
  const auto& outputs = graph.outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = graph.node(outputs[i]).name;
    if (name.starts_with("head.cls")) score_outputs_.push_back(i);
    if (name.starts_with("head.box")) box_outputs_.push_back(i);
  }
  HOT_ASSERT(!score_outputs_.empty() && score_outputs_.size() == box_outputs_.size());
}

SsdBatchTargets SsdObjective::Match(const std::vector<std::vector<Object>>& objects) const {
  const auto pictures = static_cast<int64_t>(objects.size());
  const auto anchors = static_cast<int64_t>(task_.anchors().size());
  const Shape& input = task_.options().input;
  SsdBatchTargets targets{.labels = at::zeros({pictures, anchors}, at::kLong),
                          .offsets = at::zeros({pictures, anchors, 4})};
  for (int64_t i = 0; i < pictures; ++i) {
    const SsdTargets one = MatchAnchors(objects[static_cast<size_t>(i)], task_.anchors(), input.w, input.h);
    std::copy(one.labels.begin(), one.labels.end(), targets.labels.mutable_data_ptr<int64_t>() + i * anchors);
    std::copy(one.offsets.begin(), one.offsets.end(), targets.offsets.mutable_data_ptr<float>() + i * anchors * 4);
  }
  return targets;
}

at::Tensor SsdObjective::Loss(std::span<const at::Tensor> outputs,
                              const std::vector<std::vector<Object>>& objects) const {
  const auto rows = [&](const std::vector<size_t>& positions, int64_t values) {
    std::vector<at::Tensor> maps;
    for (size_t position : positions) maps.push_back(AnchorRows(outputs[position], values));
    return at::cat(maps, 1);
  };
  const auto classes = static_cast<int64_t>(task_.options().classes.size());
  const SsdBatchTargets targets = Match(objects);
  const at::Device device = outputs[0].device();
  return SsdLoss({.scores = rows(score_outputs_, classes + 1), .offsets = rows(box_outputs_, 4)},
                 {.labels = targets.labels.to(device), .offsets = targets.offsets.to(device)});
}

}  // namespace hot
