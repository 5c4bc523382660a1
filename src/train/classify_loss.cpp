#include "train/classify_loss.h"

#include "core/error.h"
#include "train/torch_pch.h"

namespace hot {

at::Tensor ClassifyLoss(const at::Tensor& logits, const at::Tensor& labels) {
  return at::cross_entropy_loss(logits.flatten(1), labels);
}

at::Tensor ClassifyObjective::Loss(std::span<const at::Tensor> outputs,
                                   const std::vector<std::vector<Object>>& objects) const {
  std::vector<int64_t> labels;
  for (const std::vector<Object>& picture : objects) {
    HOT_ASSERT(picture.size() == 1);
    labels.push_back(picture[0].label);
  }
  return ClassifyLoss(outputs[0], at::tensor(labels).to(outputs[0].device()));
}

}  // namespace hot
