// A task: the head on the backbone, how its outputs become predictions, how predictions are scored. No LibTorch here;
// the loss of each task lives in train/. To add one: see README.md.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/image.h"
#include "data/keypoints.h"
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
  // CPN: names of the keypoints, in the order of the outputs; which of them a mirror exchanges; channels of the feature
  // pyramid; how much a box is extended before it becomes the input (crops.h).
  std::vector<std::string> keypoints;
  KeypointPairs mirror_pairs;
  int pyramid_channels = 128;
  double margin_y = 0.15, margin_x = 0.1;
  bool flip_test = false;  // scores are of Task::Unite()
  // Thresholds for scoring; an application uses higher ones (artifact manifest).
  double score_threshold = 0.01, nms_iou = 0.45;
  int max_detections = 100;
  // Runs of the network that one view takes.
  int passes() const { return flip_test ? 2 : 1; }
};

// Outputs of the backbone that a head reads.
struct Taps {
  std::vector<int> strides;  // of slots: the last one with each of them
  bool tail = true;          // false: the tail is not built at all
};

// What a network is built for. Training may want outputs that only the loss reads; they come behind those that ship.
enum class Purpose { kShipping, kTraining };

class Task {
 public:
  virtual ~Task() = default;
  virtual std::string_view name() const = 0;
  virtual const TaskOptions& options() const = 0;
  virtual Predicted predicted() const = 0;  // what Decode() gives
  // What the network sees of labelled pictures: each as a whole, or (top-down) the crop around each object.
  virtual Dataset Views(const Dataset& pictures) const { return pictures; }
  virtual Taps taps() const = 0;
  // Adds the head's nodes (names "head.*") and marks the graph's outputs, in a fixed order. `features` has the taps.
  virtual void BuildHead(GraphBuilder& builder, const Features& features, Purpose purpose) const = 0;
  // Network outputs of one picture (batch dimension 1, order of BuildHead) -> detections in input pixels. Outputs that
  // only the loss reads may be there and are left alone.
  virtual std::vector<Detection> Decode(std::span<const Tensor> outputs) const = 0;
  // Flip test: what Decode() reads, from the outputs for an input and from those for its mirror image. Throws
  // Error(kInvalidArgument) where there is no such thing.
  virtual std::vector<Tensor> Unite(std::vector<Tensor> outputs, std::span<const Tensor> of_mirrored) const;
};

// Throws Error(kInvalidArgument) with the known names for an unknown one, and what the task's constructor throws.
std::unique_ptr<Task> MakeTask(const TaskOptions& options);
std::vector<std::string> TaskNames();

// The mirror image of pictures or maps [..., height, width]: left and right change places.
void Mirror(Tensor& maps);

// How a picture becomes the network's input, in training, calibration, scoring and the artifact.
Preprocessing TaskPreprocessing(const TaskOptions& options);

// The whole network: input "image", sections stem, slot1.., tail (where there is one that the head reads), head. The
// parameters of the one that ships are among those of the one that is trained, by the same names.
Graph BuildNetwork(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task,
                   Purpose purpose = Purpose::kShipping);

// Parts measured alone: a graph with the part's inputs. `slot_index` is 1-based.
Graph BuildStemPart(const Backbone& backbone, double width, const Task& task);
Graph BuildSlotPart(const Backbone& backbone, double width, const Task& task, int slot_index, const Choice& choice);
// Stem and slots up to `slot_index` (1-based) of the network with `choices`: first output is what that slot reads,
// second what it gives.
Graph BuildUpToSlot(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task,
                    int slot_index);
bool BuildsTail(const Backbone& backbone, const Task& task);
// The two parts at the border behind a slot, one after the other: slot and slot + 1 with their `choices`; behind 0 the
// stem and slot 1; behind the last that and, only where BuildsTail(), the tail.
Graph BuildBorderPart(const Backbone& backbone, double width, const std::vector<Choice>& choices, const Task& task,
                      int slot_index);
// Only where BuildsTail().
Graph BuildTailPart(const Backbone& backbone, double width, const Task& task);
Graph BuildHeadPart(const Backbone& backbone, double width, const Task& task);

// Bytes that stay alive while a part runs although the part does not read them (taps that the head reads later), by
// part: "stem", "slot1".., "tail" (where it is built), "head". peak(network) = max over parts of (peak of the part
// alone + these).
std::map<std::string, int64_t> CarriedBytes(const Backbone& backbone, double width, const Task& task,
                                            Precision precision);

}  // namespace hot
