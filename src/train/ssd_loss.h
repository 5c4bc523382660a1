// SSD's training objective (Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2.2): smooth L1 on the
// offsets of matched anchors, cross-entropy on matched anchors and on the hardest background ones. Called by the
// trainer.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "tasks/ssd/ssd.h"
#include "train/objective.h"

namespace hot {

// One row an anchor, in the order map, row, column, anchor.
struct SsdPredictions {
  at::Tensor scores;   // [n, anchors, classes + 1], logits
  at::Tensor offsets;  // [n, anchors, 4]
};

struct SsdBatchTargets {
  at::Tensor labels;   // [n, anchors], int64; 0 is background
  at::Tensor offsets;  // [n, anchors, 4]; read where labels > 0
};

// [n, anchors a cell * values, h, w] -> [n, h * w * anchors a cell, values].
at::Tensor AnchorRows(const at::Tensor& map, int64_t values);

// Which background anchors count: in each picture the 3 * max(1, matched) with the highest background loss (-log p of
// background); of equals the first. Bool [n, anchors]. Never a matched one.
at::Tensor HardNegatives(const at::Tensor& log_probabilities, const at::Tensor& labels);

// (cross-entropy + smooth L1, both summed) / max(1, matched anchors of the batch): equation 1 with alpha = 1.
at::Tensor SsdLoss(const SsdPredictions& predictions, const SsdBatchTargets& targets);

class SsdObjective : public Objective {
 public:
  // Finds the graph's outputs by name (head.cls*, head.box*). `task` must outlive this.
  SsdObjective(const SsdTask& task, const Graph& graph);
  at::Tensor Loss(std::span<const at::Tensor> outputs, const std::vector<std::vector<Object>>& objects) const override;

 private:
  SsdBatchTargets Match(const std::vector<std::vector<Object>>& objects) const;

  const SsdTask& task_;
  std::vector<size_t> score_outputs_, box_outputs_;  // positions among the graph's outputs, fine to coarse
};

}  // namespace hot
