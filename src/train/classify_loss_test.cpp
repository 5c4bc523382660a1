#include "train/classify_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/torch_pch.h"

namespace hot {
namespace {

double ByHand(const at::Tensor& logits, const std::vector<int64_t>& labels) {
  const auto rows = logits.accessor<double, 2>();
  double total = 0;
  for (int64_t n = 0; n < logits.size(0); ++n) {
    double sum = 0;
    for (int64_t c = 0; c < logits.size(1); ++c) sum += std::exp(rows[n][c]);
    total += std::log(sum) - rows[n][labels[static_cast<size_t>(n)]];
  }
  return total / static_cast<double>(logits.size(0));
}

TEST(ClassifyLoss, IsTheMeanCrossEntropy) {
  at::manual_seed(2);
  const std::vector<int64_t> labels{0, 3, 6};
  const at::Tensor logits = at::randn({3, 7}, at::kDouble) * 4;
  EXPECT_NEAR(ClassifyLoss(logits, at::tensor(labels)).item<double>(), ByHand(logits, labels), 1e-12);
  EXPECT_NEAR(ClassifyLoss(logits.view({3, 7, 1, 1}), at::tensor(labels)).item<double>(), ByHand(logits, labels),
              1e-12);
  EXPECT_NEAR(ClassifyLoss(at::zeros({1, 1000}), at::tensor({int64_t{5}})).item<double>(), std::log(1000.0), 1e-5);
}

TEST(ClassifyLoss, GradientIsItsSlope) {
  at::manual_seed(3);
  const at::Tensor labels = at::tensor(std::vector<int64_t>{1, 4});
  at::Tensor logits = at::randn({2, 5}, at::kDouble).requires_grad_(true);
  ClassifyLoss(logits, labels).backward();
  constexpr double kStep = 1e-6;
  const at::NoGradGuard no_grad;
  for (int64_t i = 0; i < logits.numel(); ++i) {
    const auto at_offset = [&](double offset) {
      at::Tensor moved = logits.detach().clone();
      moved.view(-1)[i] += offset;
      return ClassifyLoss(moved, labels).item<double>();
    };
    EXPECT_NEAR(logits.grad().view(-1)[i].item<double>(), (at_offset(kStep) - at_offset(-kStep)) / (2 * kStep), 1e-8);
  }
}

}  // namespace
}  // namespace hot
