#include "train/norm_act.h"

#include <gtest/gtest.h>

#include "train/torch_pch.h"

namespace hot {
namespace {

struct Case {
  const char* name;
  std::vector<int64_t> shape;
  float low, high;
};

// LibTorch's separate batch norm and clamp are the oracle.
class NormAct : public testing::TestWithParam<Case> {};

struct Result {
  at::Tensor y, dx, dweight, dbias, mean, variance;
};

// Maps and their gradients of `type`; with values that bfloat16 has, so that rounding of results is all that differs.
Result RunNorm(const Case& c, bool fused, at::ScalarType type = at::kFloat, bool rounded = false) {
  at::manual_seed(3);
  const int64_t channels = c.shape[1];
  const auto given = [&](const at::Tensor& map) { return rounded ? map.to(at::kBFloat16).to(type) : map.to(type); };
  const at::Tensor x =
      given(at::randn(c.shape) * 2 + 3).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  NormParameters parts{.weight = (at::rand({channels}) + 0.5).requires_grad_(true),
                       .bias = at::randn({channels}).requires_grad_(true),
                       .running_mean = at::randn({channels}),
                       .running_var = at::rand({channels}) + 1};
  const at::Tensor upstream = given(at::randn(c.shape));  // NCHW on purpose
  at::Tensor y;
  if (fused) {
    y = BatchNormAct(x, parts, {.momentum = 0.3, .eps = 1e-4, .low = c.low, .high = c.high});
  } else {
    y = BatchNormActByOperations(x, parts, {.momentum = 0.3, .eps = 1e-4, .low = c.low, .high = c.high});
  }
  const auto gradients = torch::autograd::grad({(y * upstream).sum()}, {x, parts.weight, parts.bias});
  return {y.detach(), gradients[0], gradients[1], gradients[2], parts.running_mean, parts.running_var};
}

TEST_P(NormAct, AgreesWithSeparateOperations) {
  const Result ours = RunNorm(GetParam(), true), theirs = RunNorm(GetParam(), false);
  const auto expect_close = [](const char* what, const at::Tensor& a, const at::Tensor& b) {
    ASSERT_EQ(a.sizes(), b.sizes()) << what;
    const double scale = b.abs().max().item<double>() + 1e-6;
    EXPECT_LT((a - b).abs().max().item<double>() / scale, 2e-5) << what;
  };
  expect_close("y", ours.y, theirs.y);
  expect_close("dx", ours.dx, theirs.dx);
  expect_close("dweight", ours.dweight, theirs.dweight);
  expect_close("dbias", ours.dbias, theirs.dbias);
  expect_close("running mean", ours.mean, theirs.mean);
  expect_close("running variance", ours.variance, theirs.variance);
}

TEST_P(NormAct, Bfloat16MapsDifferByTheirRoundingOnly) {
  const Result half = RunNorm(GetParam(), true, at::kBFloat16, true),
               full = RunNorm(GetParam(), true, at::kFloat, true);
  const auto expect_rounded = [](const char* what, const at::Tensor& a, const at::Tensor& b) {
    EXPECT_EQ(a.scalar_type(), at::kBFloat16) << what;
    const at::Tensor allowed = b.abs() / 256 + 1e-5 * b.abs().max();  // half a unit in the last of 8 bits, and a margin
    EXPECT_TRUE(((a.to(at::kFloat) - b).abs() <= allowed).all().item<bool>()) << what;
  };
  expect_rounded("y", half.y, full.y);
  expect_rounded("dx", half.dx, full.dx);
  EXPECT_TRUE(half.mean.equal(full.mean));
  EXPECT_TRUE(half.variance.equal(full.variance));
  EXPECT_LT((half.dweight - full.dweight).abs().max().item<double>(), 1e-4 * full.dweight.abs().max().item<double>());
  EXPECT_LT((half.dbias - full.dbias).abs().max().item<double>(), 1e-4 * full.dbias.abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Shapes, NormAct,
                         testing::Values(Case{"Relu6", {4, 8, 9, 7}, 0, 6}, Case{"Relu", {2, 24, 5, 5}, 0, 1e30f},
                                         Case{"Linear", {3, 16, 4, 4}, -1e30f, 1e30f},
                                         Case{"OddChannels", {2, 7, 11, 3}, 0, 6},
                                         Case{"WideMap", {2, 1280, 3, 3}, 0, 6},
                                         Case{"ManyChunks", {2, 16, 96, 96}, 0, 6},
                                         Case{"OnePixel", {6, 32, 1, 1}, 0, 6}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(NormAct, LargeMeansDoNotEatTheVariance) {
  at::manual_seed(1);
  const at::Tensor x = (at::randn({8, 8, 40, 40}) * 0.01 + 100).contiguous(at::MemoryFormat::ChannelsLast);
  NormParameters parts{at::ones({8}), at::zeros({8}), at::zeros({8}), at::zeros({8})};
  BatchNormAct(x, parts, {.momentum = 1.0});
  const at::Tensor exact = x.to(at::kDouble).var({0, 2, 3}, /*unbiased=*/true);
  EXPECT_LT(((parts.running_var - exact) / exact).abs().max().item<double>(), 1e-3);
}

TEST(NormAct, ThreadsDoNotChangeABit) {
  const Case c{"", {4, 24, 60, 60}, 0, 6};
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = RunNorm(c, true);
  at::set_num_threads(2);
  const Result two = RunNorm(c, true);
  at::set_num_threads(before);
  EXPECT_TRUE(one.y.equal(two.y));
  EXPECT_TRUE(one.dx.equal(two.dx));
  EXPECT_TRUE(one.dweight.equal(two.dweight));
}

}  // namespace
}  // namespace hot
