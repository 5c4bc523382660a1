// CPN's training objective (Chen et al., "Cascaded Pyramid Network for Multi-Person Pose Estimation", CVPR 2018,
// section 3.2, with the weights of the code that goes with it): heat maps are drawn towards Gaussians, wide ones on
// GlobalNet's coarse levels and narrow ones on its fine levels and on RefineNet, whose loss counts the hardest
// keypoints of each object only. Called by the trainer.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "tasks/cpn/cpn.h"
#include "train/objective.h"

namespace hot {

// Standard deviation, in cells, of a level's Gaussian on a map of height x width cells: that of an OpenCV kernel of
// CpnLevel::kernel cells on 64 x 48, scaled with the map (by the root of its area).
double HeatmapSigma(const CpnLevel& level, int height, int width);

// Keypoints of a batch in cells of the heat maps; what is not labelled lies anywhere.
struct CpnKeypoints {
  at::Tensor x, y;               // [n, keypoints]; 0 at the left or upper edge of the first cell
  at::Tensor labelled, visible;  // [n, keypoints], 1 or 0: visibility 1 or 2, and visibility 2
};
// `objects` holds one object a picture, in input pixels.
CpnKeypoints KeypointsInCells(const std::vector<std::vector<Object>>& objects, size_t keypoints);

// [n, keypoints, height, width], channels-last: exp(-d^2 / (2 sigma^2)) of each cell's centre, 1 at the keypoint.
at::Tensor Heatmaps(const CpnKeypoints& keypoints, int height, int width, double sigma);

// Keypoints of an object that RefineNet's loss counts: 8 of 17, as large a share of other numbers, at least one.
int64_t HardKeypoints(int64_t keypoints);

// `maps`: RefineNet's, then GlobalNet's in the order of kCpnLevels, all [n, keypoints, h, w]. Squared errors are
// averaged over the cells of a map first. GlobalNet: half the mean over all keypoints, where invisible ones count as
// zero, summed over the levels. RefineNet: mean of the largest HardKeypoints() of an object, where those that are not
// labelled count as zero. All times a constant such that RefineNet's part is 1 when it predicts nothing. Scalar.
at::Tensor CpnLoss(std::span<const at::Tensor> maps, const CpnKeypoints& keypoints);

class CpnObjective : public Objective {
 public:
  // Throws Error(kInvalidArgument) when the graph's outputs are not those of a training.
  CpnObjective(const CpnTask& task, const Graph& graph);
  at::Tensor Loss(std::span<const at::Tensor> outputs, const std::vector<std::vector<Object>>& objects) const override;

 private:
  size_t keypoints_;
};

}  // namespace hot
