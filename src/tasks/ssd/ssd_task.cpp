#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "tasks/prediction_layer.h"
#include "tasks/ssd/ssd.h"

namespace hot {
namespace {

constexpr int kTapStrides[] = {8, 16};  // fine to coarse
constexpr int kTapExpansion = 6;  // SSDLite reads the wide end of the next block, not the narrow linear bottleneck
constexpr int kExtraChannels[] = {512, 256, 256, 128};  // the last for all further maps; independent of the width
constexpr size_t kBeforeSuppression = 400;              // best detections a class that enter non-maximum suppression

int ExtraChannels(size_t extra) { return kExtraChannels[std::min(extra, std::size(kExtraChannels) - 1)]; }

// Strides of the slots that the head reads beside the tail.
std::vector<int> TapStrides(int finest_stride) {
  std::vector<int> strides;
  std::ranges::copy_if(kTapStrides, std::back_inserter(strides), [&](int stride) { return stride >= finest_stride; });
  return strides;
}

// Sides of the maps: as many halvings (each rounds up) as make the finest stride, then one a map until 1, the tail's
// stride of 32 always among them.
std::vector<int> MapSides(int side, int finest_stride) {
  for (int stride = 1; stride < finest_stride; stride *= 2) side = (side + 1) / 2;
  std::vector<int> sides{side};
  for (int stride = finest_stride; side > 1 || stride < 32; stride *= 2) sides.push_back(side = (side + 1) / 2);
  return sides;
}

NodeId ExtraMap(GraphBuilder& builder, NodeId x, const std::string& name, int channels) {
  const int half = channels / 2;
  x = builder.ConvBn(name + ".reduce", x, half, 1, 1, 1, Op::kRelu6);
  x = builder.ConvBn(name + ".depthwise", x, half, 3, 2, half, Op::kRelu6);
  return builder.ConvBn(name + ".expand", x, channels, 1, 1, 1, Op::kRelu6);
}

Box ToPixels(const Box& b, double width, double height) {
  return {std::clamp(b.x0, 0.0, 1.0) * width, std::clamp(b.y0, 0.0, 1.0) * height, std::clamp(b.x1, 0.0, 1.0) * width,
          std::clamp(b.y1, 0.0, 1.0) * height};
}

// One map's outputs, addressed by cell and anchor.
struct MapView {
  const float* classes;
  const float* boxes;
  size_t cells;
  size_t logits;  // classes + 1

  float Logit(size_t cell, size_t anchor, size_t c) const { return classes[(anchor * logits + c) * cells + cell]; }
  std::array<float, 4> Offsets(size_t cell, size_t anchor) const {
    std::array<float, 4> offsets;
    for (size_t i = 0; i < 4; ++i) offsets[i] = boxes[(anchor * 4 + i) * cells + cell];
    return offsets;
  }
};

// Adds this map's detections above the threshold. Softmax over background and classes. Outputs that are not a number (a
// network that diverged) give no detections.
void CollectMap(const MapView& map, std::span<const Anchor> anchors, const TaskOptions& options,
                std::vector<std::vector<Detection>>& by_class) {
  const size_t per_cell = anchors.size() / map.cells;
  const double width = options.input.w, height = options.input.h;
  std::vector<float> exponentials(map.logits);
  for (size_t i = 0; i < anchors.size(); ++i) {
    const size_t cell = i / per_cell, anchor = i % per_cell;
    float largest = map.Logit(cell, anchor, 0);
    for (size_t c = 1; c < map.logits; ++c) largest = std::max(largest, map.Logit(cell, anchor, c));
    float sum = 0;
    for (size_t c = 0; c < map.logits; ++c) sum += exponentials[c] = std::exp(map.Logit(cell, anchor, c) - largest);
    const auto least = static_cast<float>(options.score_threshold) * sum;
    for (size_t c = 1; c < map.logits; ++c) {
      if (!(exponentials[c] > least)) continue;  // so written, what is not a number is left out
      const Box box = ToPixels(DecodeBox(map.Offsets(cell, anchor), anchors[i]), width, height);
      if (!(box.x0 <= box.x1 && box.y0 <= box.y1)) continue;
      by_class[c - 1].push_back({box, static_cast<int>(c - 1), exponentials[c] / sum});
    }
  }
}

// Keeps the `kBeforeSuppression` best of each class.
std::vector<Detection> BestOfEachClass(std::vector<std::vector<Detection>>& by_class) {
  std::vector<Detection> best;
  for (auto& detections : by_class) {
    if (detections.size() > kBeforeSuppression) {
      const auto end = detections.begin() + static_cast<std::ptrdiff_t>(kBeforeSuppression);
      std::nth_element(detections.begin(), end, detections.end(),
                       [](const auto& a, const auto& b) { return a.score > b.score; });
      detections.erase(end, detections.end());
    }
    best.insert(best.end(), detections.begin(), detections.end());
  }
  return best;
}

}  // namespace

SsdTask::SsdTask(TaskOptions options) : options_(std::move(options)) {
  if (options_.classes.empty()) throw Error(Code::kInvalidArgument, "ssd", "needs at least one class");
  if (options_.input.h < 32 || options_.input.w < 32) {
    throw Error(Code::kInvalidArgument, "model.input", "SSD needs at least 32 x 32 pixels");
  }
  if (options_.finest_stride != 8 && options_.finest_stride != 16) {
    throw Error(Code::kInvalidArgument, "model.finest_stride", "must be 8 or 16");
  }
  anchors_ = MakeAnchors(Maps(), options_);
}

int SsdTask::anchors_per_cell() const { return 2 + 2 * static_cast<int>(options_.aspect_ratios.size()); }

std::vector<std::pair<int, int>> SsdTask::Maps() const {
  const int stride = options_.finest_stride;
  std::vector<int> rows = MapSides(options_.input.h, stride), columns = MapSides(options_.input.w, stride);
  const size_t count = std::max(rows.size(), columns.size());
  rows.resize(count, 1);
  columns.resize(count, 1);
  std::vector<std::pair<int, int>> maps;
  for (size_t i = 0; i < count; ++i) maps.emplace_back(rows[i], columns[i]);
  return maps;
}

Taps SsdTask::taps() const { return {.strides = TapStrides(options_.finest_stride), .tail = true}; }

void SsdTask::BuildHead(GraphBuilder& builder, const Features& features, Purpose /*purpose*/) const {
  const int per_cell = anchors_per_cell();
  const int classes = static_cast<int>(options_.classes.size()) + 1;
  const size_t count = Maps().size();
  const std::vector<int> taps = TapStrides(options_.finest_stride);
  NodeId x = -1;
  for (size_t map = 0; map < count; ++map) {
    const std::string index = std::to_string(map);
    if (map < taps.size()) {
      x = features.slots.at(taps[map]).node;
      const int wide = kTapExpansion * builder.shape(x).c;
      if (features.narrow) x = builder.ConvBn("head.tap" + index, x, wide, 1, 1, 1, Op::kRelu6);
    } else if (map == taps.size()) {
      x = features.tail;
    } else {
      x = ExtraMap(builder, x, "head.extra" + index, ExtraChannels(map - taps.size() - 1));
    }
    builder.Output(SeparablePrediction(builder, x, "head.cls" + index, per_cell * classes));
    builder.Output(SeparablePrediction(builder, x, "head.box" + index, per_cell * 4));
  }
}

std::vector<Detection> SsdTask::Decode(std::span<const Tensor> outputs) const {
  const size_t logits = options_.classes.size() + 1;
  const auto per_cell = static_cast<size_t>(anchors_per_cell());
  std::vector<std::vector<Detection>> by_class(options_.classes.size());
  size_t first_anchor = 0, output = 0;
  for (const auto& [rows, columns] : Maps()) {
    const auto cells = static_cast<size_t>(rows * columns);
    if (output + 1 >= outputs.size() || outputs[output].data.size() != cells * per_cell * logits ||
        outputs[output + 1].data.size() != cells * per_cell * 4) {
      throw Error(Code::kInvalidArgument, "ssd", "the network's outputs do not have this task's shapes");
    }
    const MapView map{outputs[output].data.data(), outputs[output + 1].data.data(), cells, logits};
    CollectMap(map, std::span(anchors_).subspan(first_anchor, cells * per_cell), options_, by_class);
    first_anchor += cells * per_cell;
    output += 2;
  }
  return NonMaximumSuppression(BestOfEachClass(by_class), options_.nms_iou, options_.max_detections);
}

}  // namespace hot
