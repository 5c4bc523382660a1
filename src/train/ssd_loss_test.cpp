#include "train/ssd_loss.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "train/torch_pch.h"

namespace hot {
namespace {

// The loss of one batch as the paper words it, in plain double loops.
double ByHand(const at::Tensor& scores, const at::Tensor& offsets, const SsdBatchTargets& targets) {
  const auto s = scores.accessor<double, 3>();
  const auto o = offsets.accessor<double, 3>();
  const auto labels = targets.labels.accessor<int64_t, 2>();
  const auto wanted = targets.offsets.accessor<double, 3>();
  double total = 0;
  int64_t all_matched = 0;
  for (int64_t n = 0; n < scores.size(0); ++n) {
    std::vector<double> background;
    int64_t matched = 0;
    for (int64_t a = 0; a < scores.size(1); ++a) {
      double sum = 0;
      for (int64_t c = 0; c < scores.size(2); ++c) sum += std::exp(s[n][a][c]);
      const double loss = std::log(sum) - s[n][a][labels[n][a]];
      if (labels[n][a] == 0) {
        background.push_back(loss);
        continue;
      }
      ++matched;
      total += loss;
      for (int64_t i = 0; i < 4; ++i) {
        const double d = std::abs(o[n][a][i] - wanted[n][a][i]);
        total += d < 1 ? 0.5 * d * d : d - 0.5;
      }
    }
    std::sort(background.rbegin(), background.rend());
    background.resize(std::min(background.size(), static_cast<size_t>(3 * std::max<int64_t>(1, matched))));
    for (double loss : background) total += loss;
    all_matched += matched;
  }
  return total / static_cast<double>(std::max<int64_t>(1, all_matched));
}

struct Problem {
  SsdPredictions predictions;
  SsdBatchTargets targets;
};

Problem RandomProblem(int64_t pictures, int64_t anchors, double matched_share) {
  at::manual_seed(11);
  const auto options = at::TensorOptions(at::kDouble);
  Problem problem;
  problem.predictions = {at::randn({pictures, anchors, 4}, options), at::randn({pictures, anchors, 4}, options) * 2};
  const at::Tensor matched = at::rand({pictures, anchors}, options) < matched_share;
  problem.targets = {at::randint(1, 4, {pictures, anchors}, at::kLong) * matched,
                     at::randn({pictures, anchors, 4}, options) * 2};
  return problem;
}

TEST(SsdLoss, IsThePapersSum) {
  for (double share : {0.0, 0.05, 0.3, 0.9, 1.1}) {
    const Problem p = RandomProblem(3, 40, share);
    EXPECT_NEAR(SsdLoss(p.predictions, p.targets).item<double>(),
                ByHand(p.predictions.scores, p.predictions.offsets, p.targets), 1e-9)
        << share;
  }
}

TEST(SsdLoss, GradientIsItsSlope) {
  Problem p = RandomProblem(2, 30, 0.1);
  p.predictions.scores.requires_grad_(true);
  p.predictions.offsets.requires_grad_(true);
  SsdLoss(p.predictions, p.targets).backward();
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-6;
  for (at::Tensor* input : {&p.predictions.scores, &p.predictions.offsets}) {
    at::Tensor flat = input->detach().view(-1);
    const at::Tensor gradient = input->grad().reshape(-1);
    for (int64_t i = 0; i < flat.numel(); i += 3) {
      const auto at_offset = [&](double offset) {
        const at::Tensor before = flat[i].clone();
        flat[i] += offset;
        const double loss =
            SsdLoss({p.predictions.scores.detach(), p.predictions.offsets.detach()}, p.targets).item<double>();
        flat[i] = before;
        return loss;
      };
      const double slope = (at_offset(kStep) - at_offset(-kStep)) / (2 * kStep);
      ASSERT_NEAR(gradient[i].item<double>(), slope, 1e-6) << i;
    }
  }
}

TEST(SsdLoss, APictureWithoutObjectsIsNoDivisionByZero) {
  const Problem p = RandomProblem(2, 20, 0.0);
  ASSERT_EQ(p.targets.labels.sum().item<int64_t>(), 0);
  EXPECT_TRUE(std::isfinite(SsdLoss(p.predictions, p.targets).item<double>()));
}

TEST(SsdLoss, OffsetsOfUnmatchedAnchorsDoNotCountEvenWhenTheyOverflow) {
  Problem p = RandomProblem(1, 20, 0.2);
  const double before = SsdLoss(p.predictions, p.targets).item<double>();
  const at::Tensor unmatched = (p.targets.labels == 0).unsqueeze(2);
  p.predictions.offsets = p.predictions.offsets.masked_fill(unmatched, INFINITY);
  EXPECT_DOUBLE_EQ(SsdLoss(p.predictions, p.targets).item<double>(), before);
}

TEST(HardNegatives, AreThreeAMatchInEachPictureWorstFirst) {
  // Background log probabilities fall with the anchor's number, so the last anchors are the hardest.
  at::Tensor log_p = at::zeros({2, 10, 3});
  log_p.select(2, 0).copy_(-at::arange(10).to(at::kFloat).expand({2, 10}));
  at::Tensor labels = at::zeros({2, 10}, at::kLong);
  labels[0][9] = 1;  // the hardest one is matched
  labels[1][0] = 2;
  labels[1][1] = 1;
  const at::Tensor negatives = HardNegatives(log_p, labels);
  const auto row = [&](int64_t n) {
    std::string text;
    for (int64_t a = 0; a < 10; ++a) text += negatives[n][a].item<bool>() ? '1' : '0';
    return text;
  };
  EXPECT_EQ(row(0), "0000001110");
  EXPECT_EQ(row(1), "0000111111");
}

TEST(AnchorRows, OrderIsRowColumnAnchor) {
  // Channel = anchor * values + value; the number at each place spells it out.
  at::Tensor map = at::zeros({1, 6, 2, 3});
  for (int64_t c = 0; c < 6; ++c) {
    for (int64_t y = 0; y < 2; ++y) {
      for (int64_t x = 0; x < 3; ++x) map[0][c][y][x] = static_cast<float>(100 * y + 10 * x + c);
    }
  }
  for (const at::Tensor& layout : {map, map.contiguous(at::MemoryFormat::ChannelsLast)}) {
    const at::Tensor rows = AnchorRows(layout, 2);
    ASSERT_EQ(rows.sizes(), (std::vector<int64_t>{1, 18, 2}));
    EXPECT_EQ(rows[0][0][1].item<float>(), 1);     // y 0, x 0, anchor 0, value 1
    EXPECT_EQ(rows[0][2][0].item<float>(), 4);     // anchor 2
    EXPECT_EQ(rows[0][3][0].item<float>(), 10);    // x 1
    EXPECT_EQ(rows[0][17][1].item<float>(), 125);  // y 1, x 2, anchor 2, value 1
  }
}

}  // namespace
}  // namespace hot
