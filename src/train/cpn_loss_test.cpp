#include "train/cpn_loss.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "models/backbone.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

constexpr int kHeight = 16, kWidth = 12, kPictures = 3, kKeypoints = 6;

// Keypoints anywhere in and a little around the map; some not labelled, some hidden.
CpnKeypoints RandomKeypoints() {
  at::manual_seed(3);
  const auto options = at::TensorOptions(at::kDouble);
  const at::Tensor state = at::rand({kPictures, kKeypoints}, options);
  return {.x = at::rand({kPictures, kKeypoints}, options) * kWidth,
          .y = at::rand({kPictures, kKeypoints}, options) * kHeight,
          .labelled = (state > 0.25).to(at::kDouble),
          .visible = (state > 0.5).to(at::kDouble)};
}

std::vector<at::Tensor> RandomMaps() {
  at::manual_seed(4);
  std::vector<at::Tensor> maps;
  for (size_t i = 0; i < 5; ++i) {
    maps.push_back(at::randn({kPictures, kKeypoints, kHeight, kWidth}, at::TensorOptions(at::kDouble)));
  }
  return maps;
}

// The mean squared error of one map against a Gaussian, in plain loops.
double MapError(const at::Tensor& map, double x, double y, double sigma) {
  const auto cells = map.accessor<double, 2>();
  double sum = 0;
  for (int row = 0; row < kHeight; ++row) {
    for (int column = 0; column < kWidth; ++column) {
      const double d2 = std::pow(column + 0.5 - x, 2) + std::pow(row + 0.5 - y, 2);
      sum += std::pow(cells[row][column] - std::exp(-d2 / (2 * sigma * sigma)), 2);
    }
  }
  return sum / (kHeight * kWidth);
}

// OpenCV's rule for kernels of 15, 11, 9, 7, times the root of 16 * 12 / (64 * 48).
constexpr double kSigmas[] = {2.6 / 4, 2.0 / 4, 1.7 / 4, 1.4 / 4};

double ByHand(const std::vector<at::Tensor>& maps, const CpnKeypoints& keypoints) {
  double global = 0, refine = 0;
  for (int n = 0; n < kPictures; ++n) {
    std::vector<double> of_object;
    for (int k = 0; k < kKeypoints; ++k) {
      const double x = keypoints.x[n][k].item<double>(), y = keypoints.y[n][k].item<double>();
      for (size_t level = 0; level < 4; ++level) {
        global += keypoints.visible[n][k].item<double>() * MapError(maps[level + 1][n][k], x, y, kSigmas[level]);
      }
      of_object.push_back(keypoints.labelled[n][k].item<double>() * MapError(maps[0][n][k], x, y, kSigmas[3]));
    }
    std::sort(of_object.rbegin(), of_object.rend());
    refine += (of_object[0] + of_object[1] + of_object[2]) / 3;  // 8 of 17 are 3 of 6
  }
  const double loss = 0.5 * global / (kPictures * kKeypoints) + refine / kPictures;
  return loss * kHeight * kWidth / (std::numbers::pi * kSigmas[3] * kSigmas[3]);
}

TEST(CpnLoss, IsTheSumOfThePaper) {
  const std::vector<at::Tensor> maps = RandomMaps();
  const CpnKeypoints keypoints = RandomKeypoints();
  EXPECT_NEAR(CpnLoss(maps, keypoints).item<double>() / ByHand(maps, keypoints), 1, 1e-9);
}

TEST(CpnLoss, GradientIsItsSlope) {
  std::vector<at::Tensor> maps = RandomMaps();
  const CpnKeypoints keypoints = RandomKeypoints();
  for (at::Tensor& map : maps) map.requires_grad_(true);
  CpnLoss(maps, keypoints).backward();
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  int nonzero = 0;
  for (const at::Tensor& map : maps) {
    at::Tensor flat = map.detach().view(-1);
    const at::Tensor gradient = map.grad().reshape(-1);
    for (int64_t i = 0; i < flat.numel(); i += 101) {
      const auto loss_at = [&](double offset) {
        flat[i] += offset;
        const double loss = CpnLoss(maps, keypoints).item<double>();
        flat[i] -= offset;
        return loss;
      };
      ASSERT_NEAR(gradient[i].item<double>(), (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep), 1e-6) << i;
      nonzero += gradient[i].item<double>() != 0 ? 1 : 0;
    }
  }
  EXPECT_GT(nonzero, 50);
}

TEST(CpnLoss, PredictingNothingCostsOneInRefineNet) {
  CpnKeypoints keypoints = RandomKeypoints();
  keypoints.x += 15;
  keypoints.y += 20;
  keypoints.labelled.fill_(1);
  keypoints.visible.fill_(0);
  const std::vector<at::Tensor> nothing(5, at::zeros({kPictures, kKeypoints, 64, 48}, at::kDouble));
  EXPECT_NEAR(CpnLoss(nothing, keypoints).item<double>(), 1, 0.01);
}

TEST(CpnLoss, VisibilityDecidesWhoCounts) {
  const std::vector<at::Tensor> maps = RandomMaps();
  CpnKeypoints keypoints = RandomKeypoints();
  keypoints.labelled.fill_(0);
  keypoints.visible.fill_(0);
  EXPECT_EQ(CpnLoss(maps, keypoints).item<double>(), 0) << "an object whose keypoints have all left the crop";
  keypoints.labelled[0][2] = 1;  // hidden: RefineNet only
  const double hidden = CpnLoss(maps, keypoints).item<double>();
  std::vector<at::Tensor> other_global = maps;
  for (size_t i = 1; i < 5; ++i) other_global[i] = maps[i] + 1;
  EXPECT_GT(hidden, 0);
  EXPECT_EQ(CpnLoss(other_global, keypoints).item<double>(), hidden);
  keypoints.visible[0][2] = 1;
  EXPECT_GT(CpnLoss(maps, keypoints).item<double>(), hidden);
  EXPECT_NE(CpnLoss(other_global, keypoints).item<double>(), CpnLoss(maps, keypoints).item<double>());
}

// Swapped orders are a known mistake (pytorch-cpn#23): the coarsest level must get the widest Gaussian.
TEST(CpnLoss, EachLevelHasItsOwnGaussian) {
  const CpnKeypoints keypoints = RandomKeypoints();
  std::vector<at::Tensor> maps(5);
  for (size_t i = 0; i < 4; ++i) maps[i + 1] = Heatmaps(keypoints, kHeight, kWidth, kSigmas[i]);
  maps[0] = maps[4];
  EXPECT_NEAR(CpnLoss(maps, keypoints).item<double>(), 0, 1e-12);
  std::swap(maps[1], maps[3]);
  EXPECT_GT(CpnLoss(maps, keypoints).item<double>(), 0.1);
  EXPECT_DOUBLE_EQ(HeatmapSigma(kCpnLevels[0], 64, 48), 2.6);
  EXPECT_DOUBLE_EQ(HeatmapSigma(kCpnLevels[3], 64, 48), 1.4);
  EXPECT_DOUBLE_EQ(HeatmapSigma(kCpnLevels[3], 128, 96), 2.8);
}

TEST(HardKeypoints, AreEightOfSeventeen) {
  for (const auto& [all, hard] : {std::pair{17, 8}, {14, 7}, {68, 32}, {1, 1}, {2, 1}, {4, 2}}) {
    EXPECT_EQ(HardKeypoints(all), hard) << all;
  }
}

TEST(KeypointsInCells, AreAQuarterOfPixels) {
  Object object;
  object.keypoints = {{8, 20, 2}, {0, 0, 0}, {10, 4, 1}};
  const CpnKeypoints keypoints = KeypointsInCells({{object}}, 3);
  EXPECT_EQ(keypoints.x[0][0].item<float>(), 2);
  EXPECT_EQ(keypoints.y[0][0].item<float>(), 5);
  EXPECT_EQ(keypoints.x[0][2].item<float>(), 2.5f);
  EXPECT_TRUE(at::equal(keypoints.labelled, at::tensor({1.0f, 0.0f, 1.0f}).view({1, 3})));
  EXPECT_TRUE(at::equal(keypoints.visible, at::tensor({1.0f, 0.0f, 0.0f}).view({1, 3})));
  // The peak of the target is where decoding finds it.
  const at::Tensor maps = Heatmaps(keypoints, 8, 8, 1.0).contiguous();
  const HeatmapPeak peak = FindPeak({maps.const_data_ptr<float>(), 64}, 8, 8);
  EXPECT_NEAR(peak.x, 2, 0.3);
  EXPECT_NEAR(peak.y, 5, 0.3);
}

TEST(CpnObjective, RefusesANetworkThatIsBuiltToShip) {
  TaskOptions options;
  options.task = "cpn";
  options.input = {3, 32, 32};
  options.keypoints = {"a"};
  const CpnTask task(options);
  const Backbone& net = FindBackbone("mobilenet_v2");
  const auto choices = BaselineChoices(net, 0.35, Precision::kFp32);
  EXPECT_THROW(CpnObjective(task, BuildNetwork(net, 0.35, choices, task)), Error);
  CpnObjective(task, BuildNetwork(net, 0.35, choices, task, Purpose::kTraining));
}

}  // namespace
}  // namespace hot
