// SSD with separable prediction layers (SSDLite; Liu et al., 2016; Sandler et al., 2018, section 6.2). Taps: output of
// the last slot of stride 16 and, with TaskOptions::finest_stride 8, of stride 8, each widened six times by a 1x1 where
// slots end narrow (docs/adr/0006-wide-tap.md), and the tail (stride 32); extra maps (1x1 to half, depthwise 3x3 stride
// 2, 1x1) until 1x1. Outputs, a pair a map: "head.clsN" [anchors*(classes+1), h, w],
// class 0 = background, logits; "head.boxN" [anchors*4, h, w]. Channel order is anchor-major: channel = anchor *
// (classes+1) + class. Anchor order: map, row, column, anchor.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "tasks/task.h"

namespace hot {

// Centre form, relative to the picture.
struct Anchor {
  float cx, cy, w, h;
};

// Anchors of all maps; `maps` are (h, w) from fine to coarse. A map has 2 + 2*aspect_ratios.size() anchors a cell:
// ratio 1 at scale s_k and at sqrt(s_k * s_{k+1}), then each ratio and its inverse (Liu et al., section 2.2).
std::vector<Anchor> MakeAnchors(const std::vector<std::pair<int, int>>& maps, const TaskOptions& options);

inline constexpr std::array<float, 4> kBoxVariances{0.1f, 0.1f, 0.2f, 0.2f};

// Offsets of a box (input pixels / input size = relative corners) from an anchor, divided by the variances, and back.
std::array<float, 4> EncodeBox(const Box& relative, const Anchor& anchor);
Box DecodeBox(const std::array<float, 4>& offsets, const Anchor& anchor);

// Training targets of one picture: label[i] is 0 for background or class + 1; offsets[4*i..] valid where label > 0.
// Each object takes its best anchor even below the threshold (objects in order of falling best IoU, so two objects
// never take the same one), then anchors with IoU >= 0.5 take their best object. Crowds and difficult objects are left
// out.
struct SsdTargets {
  std::vector<int64_t> labels;
  std::vector<float> offsets;
};
SsdTargets MatchAnchors(const std::vector<Object>& objects, const std::vector<Anchor>& anchors, int width, int height);

// Greedy per-class non-maximum suppression; input in any order, output by falling score (stable).
std::vector<Detection> NonMaximumSuppression(std::vector<Detection> detections, double iou, int max_detections);

class SsdTask : public Task {
 public:
  explicit SsdTask(TaskOptions options);
  std::string_view name() const override { return "ssd"; }
  const TaskOptions& options() const override { return options_; }
  Predicted predicted() const override { return Predicted::kBoxes; }
  Taps taps() const override;
  void BuildHead(GraphBuilder& builder, const Features& features, Purpose purpose) const override;
  std::vector<Detection> Decode(std::span<const Tensor> outputs) const override;

  int anchors_per_cell() const;
  // (h, w) of the maps for the input size, fine to coarse; the first has TaskOptions::finest_stride.
  std::vector<std::pair<int, int>> Maps() const;
  const std::vector<Anchor>& anchors() const { return anchors_; }

 private:
  TaskOptions options_;
  std::vector<Anchor> anchors_;
};

}  // namespace hot
