// Cascaded pyramid network (Chen et al., "Cascaded Pyramid Network for Multi-Person Pose Estimation", CVPR 2018), a
// top-down pose head: its input is the crop around one object, its output one heat map a keypoint at stride 4.
//
// GlobalNet (section 3.2.1): a 1x1 on the output of the last slot of each stride from 4 to 32 to pyramid_channels,
// then top-down: 1x1, upsampled, added to the next finer level; while training a prediction layer a level, upsampled to
// the finest. RefineNet (3.2.2): 3, 2, 1, 0 bottlenecks from the coarsest to the finest level, all upsampled and
// concatenated, one more bottleneck, and the heat maps that ship. Differences from the paper, for small devices:
// nearest upsampling (docs/adr/0007-nearest-upsampling.md), the 1x1 before instead of behind it (the same numbers at a
// quarter of the work), separable prediction layers, ReLU6.
//
// Outputs: "head.refine" [keypoints, h/4, w/4]; in training behind it those of GlobalNet in the order of kCpnLevels.
//
// Flip test (section 4.1): the heat maps are averaged with those of the mirrored crop. Without a shift between the two:
// a cell covers 4 whole pixels, so a mirrored crop has mirrored cells.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "tasks/task.h"

namespace hot {

// A level of the pyramid, and the side of the Gaussian kernel that GlobalNet's target has there, on a map of 64 x 48
// cells: the coarser the level, the wider.
struct CpnLevel {
  int stride, kernel;
};
inline constexpr std::array<CpnLevel, 4> kCpnLevels{{{32, 15}, {16, 11}, {8, 9}, {4, 7}}};
inline constexpr int kCpnStride = 4;  // of the heat maps

// Where one heat map ([h, w], row-major) has its peak, in cells with 0 at the left edge of the first one: the centre of
// the highest cell, along each axis a quarter of a cell towards the higher neighbour (Newell et al., 2016), none at the
// edge. The paper (section 4.1) shifts once, towards the second highest cell, which leaves the other axis half a cell
// off at worst; this leaves a quarter. Score: the height of the peak. A map that holds a NaN gives a point that is not
// a number, and score 0.
struct HeatmapPeak {
  double x = 0, y = 0, score = 0;
};
HeatmapPeak FindPeak(std::span<const float> map, int height, int width);

class CpnTask : public Task {
 public:
  // Throws Error(kInvalidArgument) without keypoints, for an input whose sides 32 does not divide, and for a flip test
  // without mirror pairs.
  explicit CpnTask(TaskOptions options);
  std::string_view name() const override { return "cpn"; }
  const TaskOptions& options() const override { return options_; }
  Predicted predicted() const override { return Predicted::kKeypoints; }
  // One crop an object that has labelled keypoints. Throws Error(kInvalidArgument) when there is none.
  Dataset Views(const Dataset& pictures) const override;
  Taps taps() const override;
  void BuildHead(GraphBuilder& builder, const Features& features, Purpose purpose) const override;
  // One detection: the keypoints, label 0, the whole input as its box; its score is the mean of the peaks, each at
  // most 1.
  std::vector<Detection> Decode(std::span<const Tensor> outputs) const override;
  // The mean of the heat maps and of those of the mirrored input, mirrored back, paired keypoints exchanged.
  std::vector<Tensor> Unite(std::vector<Tensor> outputs, std::span<const Tensor> of_mirrored) const override;

  int map_height() const { return options_.input.h / kCpnStride; }
  int map_width() const { return options_.input.w / kCpnStride; }

 private:
  void CheckMaps(std::span<const Tensor> outputs) const;

  TaskOptions options_;
  std::vector<size_t> mirrored_;  // by keypoint: which one a mirror makes of it
};

}  // namespace hot
