#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"
#include "data/crops.h"
#include "tasks/cpn/cpn.h"

namespace hot {
namespace {

constexpr double kShift = 0.25;  // of a cell, towards the higher neighbour
constexpr int kCoarsestStride = 32;

// Towards the higher of the cells `step` before and behind `at`, the `place`-th of `count` along an axis; 0 between
// equal ones and at the map's edge.
double ShiftAlong(std::span<const float> map, int at, int step, int place, int count) {
  if (place == 0 || place == count - 1) return 0;
  const float before = map[static_cast<size_t>(at - step)], behind = map[static_cast<size_t>(at + step)];
  if (before == behind) return 0;
  return behind > before ? kShift : -kShift;
}

std::vector<size_t> MirroredKeypoints(const KeypointPairs& pairs, size_t count) {
  std::vector<size_t> mirrored(count);
  std::iota(mirrored.begin(), mirrored.end(), size_t{0});
  for (const auto& [a, b] : pairs) {
    const auto first = static_cast<size_t>(a), second = static_cast<size_t>(b);
    if (std::max(first, second) >= count) {
      throw Error(Code::kInvalidArgument, "cpn", "a mirror pair names a keypoint that is not there");
    }
    std::swap(mirrored[first], mirrored[second]);
  }
  return mirrored;
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
  return {.x = column + 0.5 + ShiftAlong(map, at, 1, column, width),
          .y = row + 0.5 + ShiftAlong(map, at, width, row, height),
          .score = *top};
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
  if (options_.flip_test && options_.mirror_pairs.empty()) {
    throw Error(Code::kInvalidArgument, "model.flip_test", "nobody knows which keypoints are left and which right",
                "name them with data.mirror_pairs");
  }
  mirrored_ = MirroredKeypoints(options_.mirror_pairs, options_.keypoints.size());
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
  Taps taps{.strides = {}, .tail = false};
  for (const CpnLevel& level : kCpnLevels) taps.strides.push_back(level.stride);
  return taps;
}

void CpnTask::CheckMaps(std::span<const Tensor> outputs) const {
  const auto cells = static_cast<size_t>(map_height() * map_width());
  if (!outputs.empty() && outputs[0].data.size() == options_.keypoints.size() * cells) return;
  throw Error(Code::kInvalidArgument, "cpn", "the network's output does not have this task's shape");
}

std::vector<Tensor> CpnTask::Unite(std::vector<Tensor> outputs, std::span<const Tensor> of_mirrored) const {
  CheckMaps(outputs);
  CheckMaps(of_mirrored);
  Tensor back = of_mirrored[0];
  Mirror(back);
  const auto cells = static_cast<size_t>(map_height() * map_width());
  for (size_t k = 0; k < mirrored_.size(); ++k) {
    for (size_t cell = 0; cell < cells; ++cell) {
      float& value = outputs[0].data[k * cells + cell];
      value = (value + back.data[mirrored_[k] * cells + cell]) / 2;
    }
  }
  return outputs;
}

std::vector<Detection> CpnTask::Decode(std::span<const Tensor> outputs) const {
  CheckMaps(outputs);
  const size_t keypoints = options_.keypoints.size();
  const auto cells = static_cast<size_t>(map_height() * map_width());
  Detection pose{.box = BoxOfSize(options_.input.w, options_.input.h)};
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
