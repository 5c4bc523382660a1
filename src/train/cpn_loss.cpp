#include "train/cpn_loss.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

constexpr double kPaperCells = 64 * 48;
constexpr double kGlobalWeight = 0.5;

// exp(-(i + 0.5 - position)^2 / (2 sigma^2)) for i < cells: [n, cells, keypoints].
at::Tensor Profile(const at::Tensor& position, int cells, double sigma) {
  const at::Tensor centres = (at::arange(cells, position.options()) + 0.5).view({1, cells, 1});
  return (centres - position.unsqueeze(1)).square_().mul_(-0.5 / (sigma * sigma)).exp_();
}

// [n, keypoints]
at::Tensor SquaredErrors(const at::Tensor& maps, const at::Tensor& targets) {
  return (maps - targets).square().mean({2, 3});
}

}  // namespace

double HeatmapSigma(const CpnLevel& level, int height, int width) {
  const auto opencv = [](const CpnLevel& one) {  // getGaussianKernel() with sigma 0
    return 0.3 * ((one.kernel - 1) * 0.5 - 1) + 0.8;
  };
  const double scale = std::max(std::sqrt(height * width / kPaperCells), 1 / opencv(kCpnLevels.back()));
  return opencv(level) * scale;
}

CpnKeypoints KeypointsInCells(const std::vector<std::vector<Object>>& objects, size_t keypoints) {
  const std::vector<int64_t> shape{static_cast<int64_t>(objects.size()), static_cast<int64_t>(keypoints)};
  CpnKeypoints result{
      .x = at::zeros(shape), .y = at::zeros(shape), .labelled = at::zeros(shape), .visible = at::zeros(shape)};
  auto x = result.x.accessor<float, 2>(), y = result.y.accessor<float, 2>();
  auto labelled = result.labelled.accessor<float, 2>(), visible = result.visible.accessor<float, 2>();
  for (int64_t i = 0; i < shape[0]; ++i) {
    const std::vector<Object>& one = objects[static_cast<size_t>(i)];
    HOT_ASSERT(one.size() == 1 && one[0].keypoints.size() == keypoints);
    for (int64_t k = 0; k < shape[1]; ++k) {
      const Keypoint& point = one[0].keypoints[static_cast<size_t>(k)];
      x[i][k] = point.x / kCpnStride;
      y[i][k] = point.y / kCpnStride;
      labelled[i][k] = point.is_labelled() ? 1.0f : 0.0f;
      visible[i][k] = point.visibility > 1 ? 1.0f : 0.0f;
    }
  }
  return result;
}

at::Tensor Heatmaps(const CpnKeypoints& keypoints, int height, int width, double sigma) {
  const at::Tensor rows = Profile(keypoints.y, height, sigma), columns = Profile(keypoints.x, width, sigma);
  return (rows.unsqueeze(2) * columns.unsqueeze(1)).permute({0, 3, 1, 2});
}

int64_t HardKeypoints(int64_t keypoints) { return std::max<int64_t>(1, std::llround(keypoints * 8.0 / 17)); }

at::Tensor CpnLoss(std::span<const at::Tensor> maps, const CpnKeypoints& keypoints) {
  HOT_ASSERT(maps.size() == 1 + kCpnLevels.size());
  const int height = static_cast<int>(maps[0].size(2)), width = static_cast<int>(maps[0].size(3));
  at::Tensor loss, targets;
  for (size_t i = 0; i < kCpnLevels.size(); ++i) {
    targets = Heatmaps(keypoints, height, width, HeatmapSigma(kCpnLevels[i], height, width));
    const at::Tensor level = (SquaredErrors(maps[i + 1], targets) * keypoints.visible).mean() * kGlobalWeight;
    loss = i == 0 ? level : loss + level;
  }
  // The last level is the finest, whose Gaussian is RefineNet's, too.
  const at::Tensor refine = SquaredErrors(maps[0], targets) * keypoints.labelled;
  loss = loss + std::get<0>(refine.topk(HardKeypoints(refine.size(1)), 1)).mean();
  // The squares of a Gaussian sum to pi sigma^2.
  const double sigma = HeatmapSigma(kCpnLevels.back(), height, width);
  return loss * (height * width / (std::numbers::pi * sigma * sigma));
}

CpnObjective::CpnObjective(const CpnTask& task, const Graph& graph) : keypoints_(task.options().keypoints.size()) {
  if (graph.outputs().size() != 1 + kCpnLevels.size()) {
    throw Error(Code::kInvalidArgument, "cpn", "the network was not built for training: it lacks GlobalNet's outputs");
  }
}

at::Tensor CpnObjective::Loss(std::span<const at::Tensor> outputs,
                              const std::vector<std::vector<Object>>& objects) const {
  const CpnKeypoints keypoints = KeypointsInCells(objects, keypoints_);
  const at::Device device = outputs[0].device();
  return CpnLoss(outputs, {.x = keypoints.x.to(device),
                           .y = keypoints.y.to(device),
                           .labelled = keypoints.labelled.to(device),
                           .visible = keypoints.visible.to(device)});
}

}  // namespace hot
