// A task: the head on the backbone, how its outputs become predictions, how predictions are scored. No LibTorch here;
// the loss of each task lives in train/. To add one: a folder beside ssd/, its row in MakeTask(), the contract suite.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/image.h"
#include "graph/tensor.h"
#include "models/backbone.h"
#include "models/convention.h"
#include "tasks/metric.h"

namespace hot {

struct TaskOptions {
  std::string task = "ssd";
  Shape input{3, 320, 320};
  Convention convention;  // that of the weights that a network starts from
  std::vector<std::string> classes;
  // SSD: smallest and largest anchor side relative to the picture (Liu et al., 2016, eq. 4), and aspect ratios.
  double anchor_min_scale = 0.15, anchor_max_scale = 0.95;
  std::vector<double> aspect_ratios{2.0, 3.0};
  int finest_stride = 16;  // SSD: input pixels a cell of the finest map; 16 as published, 8 for small objects
  // Thresholds for scoring; an application uses higher ones (artifact manifest).
  double score_threshold = 0.01, nms_iou = 0.45;
  int max_detections = 100;
};

class Task {
 public:
  virtual ~Task() = default;
  virtual std::string_view name() const = 0;
  virtual const TaskOptions& options() const = 0;
  virtual Predicted predicted() const = 0;  // what Decode() gives
  // Adds the head's nodes (names "head.*") and marks the graph's outputs, in a fixed order.
  virtual void BuildHead(GraphBuilder& builder, const Features& features) const = 0;
  // Network outputs of one picture (batch dimension 1, order of BuildHead) -> detections in input pixels.
  virtual std::vector<Detection> Decode(std::span<const Tensor> outputs) const = 0;
};

std::unique_ptr<Task> MakeTask(const TaskOptions& options);

// How a picture becomes the network's input, in training, calibration, scoring and the artifact.
Preprocessing TaskPreprocessing(const TaskOptions& options);

// The whole network: input "image", sections stem, slot1.., tail, head.
Graph BuildNetwork(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task);

// Parts measured alone: a graph with the part's inputs. `slot_index` is 1-based.
Graph BuildStemPart(const Backbone& backbone, double width, const Task& task);
Graph BuildSlotPart(const Backbone& backbone, double width, const Task& task, int slot_index, const Choice& choice);
Graph BuildTailPart(const Backbone& backbone, double width, const Task& task);
Graph BuildHeadPart(const Backbone& backbone, double width, const Task& task);

// Bytes that stay alive while a part runs although the part does not read them (taps that the head reads later), by
// part: "stem", "slot1".., "tail", "head". peak(network) = max over parts of (peak of the part alone + these).
std::map<std::string, int64_t> CarriedBytes(const Backbone& backbone, double width, const Task& task,
                                            Precision precision);

}  // namespace hot
