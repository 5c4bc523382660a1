#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/error.h"
#include "data/crops.h"
#include "tasks/cpn/cpn.h"

namespace hot {
namespace {

constexpr double kShift = 0.25;  // of a cell, towards the second highest
constexpr int kCoarsestStride = 32;

// Offset of the highest of the eight neighbours; of equals the first in reading order.
std::pair<int, int> HighestNeighbour(std::span<const float> map, int height, int width, int row, int column) {
  float best = -std::numeric_limits<float>::infinity();
  std::pair<int, int> offset{0, 0};
  for (int y = std::max(0, row - 1); y <= std::min(height - 1, row + 1); ++y) {
    for (int x = std::max(0, column - 1); x <= std::min(width - 1, column + 1); ++x) {
      const float value = map[static_cast<size_t>(y * width + x)];
      if ((y == row && x == column) || value <= best) continue;
      best = value;
      offset = {x - column, y - row};
    }
  }
  return offset;
}

}  // namespace

HeatmapPeak FindPeak(std::span<const float> map, int height, int width) {
  HOT_ASSERT(map.size() == static_cast<size_t>(height * width) && !map.empty());
  if (std::any_of(map.begin(), map.end(), [](float value) { return std::isnan(value); })) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {.x = nan, .y = nan, .score = 0};
  }
  const auto top = std::max_element(map.begin(), map.end());
  const int at = static_cast<int>(top - map.begin());
  const int row = at / width, column = at % width;
  const auto [dx, dy] = HighestNeighbour(map, height, width, row, column);
  const double length = std::max(1.0, std::hypot(dx, dy));
  return {.x = column + 0.5 + kShift * dx / length, .y = row + 0.5 + kShift * dy / length, .score = *top};
}

CpnTask::CpnTask(TaskOptions options) : options_(std::move(options)) {
  if (options_.keypoints.empty()) throw Error(Code::kInvalidArgument, "cpn", "needs at least one keypoint");
  if (options_.pyramid_channels < 2) {
    throw Error(Code::kInvalidArgument, "model.pyramid_channels", "must be at least 2");
  }
  const Shape& input = options_.input;
  if (input.h < kCoarsestStride || input.w < kCoarsestStride || input.h % kCoarsestStride != 0 ||
      input.w % kCoarsestStride != 0) {
    throw Error(
        Code::kInvalidArgument, "model.input",
        "CPN needs sides that are multiples of 32, got " + std::to_string(input.h) + " x " + std::to_string(input.w),
        "such as 256 x 192");
  }
}

Dataset CpnTask::Views(const Dataset& pictures) const {
  const CropOptions options{.width = options_.input.w,
                            .height = options_.input.h,
                            .margin_y = options_.margin_y,
                            .margin_x = options_.margin_x};
  Dataset crops = ObjectCrops(pictures, options);
  if (crops.samples.empty() && !pictures.samples.empty()) {
    throw Error(Code::kInvalidArgument, pictures.samples[0].image.parent_path().string(),
                "no object of these pictures has a labelled keypoint", "model.task: cpn needs keypoint annotations");
  }
  return crops;
}

Taps CpnTask::taps() const {
  Taps taps{.slots = {}, .tail = false};
  for (const CpnLevel& level : kCpnLevels) taps.slots.push_back(level.slot);
  return taps;
}

std::vector<Detection> CpnTask::Decode(std::span<const Tensor> outputs) const {
  const size_t keypoints = options_.keypoints.size();
  const auto cells = static_cast<size_t>(map_height() * map_width());
  if (outputs.empty() || outputs[0].data.size() != keypoints * cells) {
    throw Error(Code::kInvalidArgument, "cpn", "the network's output does not have this task's shape");
  }
  Detection pose{.box = {0, 0, static_cast<double>(options_.input.w), static_cast<double>(options_.input.h)}};
  double sum = 0;
  for (size_t k = 0; k < keypoints; ++k) {
    const HeatmapPeak peak = FindPeak(std::span(outputs[0].data).subspan(k * cells, cells), map_height(), map_width());
    pose.keypoints.push_back(
        {.x = static_cast<float>(kCpnStride * peak.x), .y = static_cast<float>(kCpnStride * peak.y), .visibility = 2});
    sum += std::clamp(peak.score, 0.0, 1.0);
  }
  pose.score = static_cast<float>(sum / static_cast<double>(keypoints));
  return {pose};
}

}  // namespace hot
