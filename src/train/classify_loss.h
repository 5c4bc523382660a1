// Classification's training objective: cross-entropy of the softmax, mean over the pictures. Called by the trainer.
#pragma once

#include <ATen/ATen.h>

#include "train/objective.h"

namespace hot {

// Mean of -log softmax(logits)[label]. `logits`: [n, classes, 1, 1] or [n, classes]; `labels`: [n], int64. Scalar.
at::Tensor ClassifyLoss(const at::Tensor& logits, const at::Tensor& labels);

class ClassifyObjective : public Objective {
 public:
  at::Tensor Loss(std::span<const at::Tensor> outputs, const std::vector<std::vector<Object>>& objects) const override;
};

}  // namespace hot
