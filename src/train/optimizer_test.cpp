#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"

namespace hot {
namespace {

constexpr double kDecay = 0.02;
constexpr ValueRange kBoth[] = {{.begin = 0, .end = 2, .decayed = true}};  // of two values

std::unique_ptr<torch::optim::Optimizer> Oracle(OptimizerKind kind, const at::Tensor& values) {
  using namespace torch::optim;
  const std::vector<at::Tensor> parameters{values};
  switch (kind) {
    case OptimizerKind::kAdam:
      return std::make_unique<Adam>(parameters, AdamOptions(0.01).weight_decay(kDecay));
    case OptimizerKind::kAdamW:
      return std::make_unique<AdamW>(parameters, AdamWOptions(0.01).weight_decay(kDecay));
    case OptimizerKind::kSgd:
      return std::make_unique<SGD>(parameters, SGDOptions(0.01).momentum(0.9).weight_decay(kDecay));
    case OptimizerKind::kNesterov:
      break;
  }
  return std::make_unique<SGD>(parameters, SGDOptions(0.01).momentum(0.9).weight_decay(kDecay).nesterov(true));
}

class OptimizerTest : public testing::TestWithParam<const char*> {
 protected:
  OptimizerKind kind() const { return ParseOptimizerKind(GetParam()); }
};

TEST_P(OptimizerTest, MovesAsLibTorchsDoes) {
  constexpr int64_t kSize = 1000;
  Rng rng(1);
  std::vector<float> values(kSize), gradients(kSize);
  for (float& value : values) value = static_cast<float>(rng.Normal());
  const at::Tensor expected = at::from_blob(values.data(), {kSize}).clone().set_requires_grad(true);
  const auto oracle = Oracle(kind(), expected);
  Optimizer optimizer(kSize, {.kind = kind(), .weight_decay = kDecay});
  const ValueRange all[] = {{.begin = 0, .end = kSize, .decayed = true}};
  for (int step = 0; step < 50; ++step) {
    for (size_t i = 0; i < kSize; ++i) gradients[i] = static_cast<float>(rng.Normal() + 0.1 * values[i]);
    expected.mutable_grad() = at::from_blob(gradients.data(), {kSize}).clone();
    oracle->step();
    optimizer.Step(values, gradients, all, 0.01, 0);
  }
  for (int64_t i = 0; i < kSize; ++i)
    ASSERT_NEAR(values[static_cast<size_t>(i)], expected.const_data_ptr<float>()[i], 2e-5) << i;
}

TEST_P(OptimizerTest, ClipsByTheNormOfAllGradients) {
  std::vector<float> clipped(2, 0.0f), scaled(2, 0.0f);
  Optimizer a(2, {.kind = kind()}), b(2, {.kind = kind()});
  const std::vector<float> large{30.0f, 40.0f}, small{3.0f, 4.0f};
  EXPECT_DOUBLE_EQ(a.Step(clipped, large, kBoth, 0.1, 5.0), 50.0);
  EXPECT_DOUBLE_EQ(b.Step(scaled, small, kBoth, 0.1, 5.0), 5.0);
  EXPECT_EQ(a.state().first, b.state().first);
  EXPECT_EQ(clipped, scaled);
}

TEST_P(OptimizerTest, DecaysOnlyWhatIsToBeDecayed) {
  std::vector<float> values{1.0f, 1.0f};
  const std::vector<float> gradients{0.0f, 0.0f};
  const ValueRange ranges[] = {{0, 1, true}, {1, 2, false}};
  Optimizer optimizer(2, {.kind = kind(), .weight_decay = 0.1});
  optimizer.Step(values, gradients, ranges, 0.01, 0);
  EXPECT_LT(values[0], 1.0f);
  EXPECT_EQ(values[1], 1.0f);
}

TEST_P(OptimizerTest, LeavesWhatIsOutsideOfTheRanges) {
  std::vector<float> values{1.0f, 2.0f, 3.0f};
  const std::vector<float> gradients{3.0f, std::numeric_limits<float>::infinity(), 4.0f};
  const ValueRange ranges[] = {{0, 1, true}, {2, 3, true}};
  Optimizer optimizer(3, {.kind = kind(), .weight_decay = 0.1});
  EXPECT_DOUBLE_EQ(optimizer.Step(values, gradients, ranges, 0.01, 0), 5.0);
  EXPECT_NE(values[0], 1.0f);
  EXPECT_EQ(values[1], 2.0f);
  EXPECT_NE(values[2], 3.0f);
  EXPECT_EQ(optimizer.state().first[1], 0.0f);
}

TEST_P(OptimizerTest, ResetForgetsWhatWas) {
  std::vector<float> fresh{1.0f, 2.0f}, used = fresh;
  const std::vector<float> gradients{3.0f, 4.0f}, others{-1.0f, 0.5f};
  Optimizer a(2, {.kind = kind()}), b(2, {.kind = kind()});
  std::vector<float> ignored = fresh;
  b.Step(ignored, others, kBoth, 0.1, 0);
  b.Reset();
  a.Step(fresh, gradients, kBoth, 0.1, 0);
  b.Step(used, gradients, kBoth, 0.1, 0);
  EXPECT_EQ(fresh, used);
}

TEST_P(OptimizerTest, LeavesEverythingAloneWhenAGradientIsNotFinite) {
  std::vector<float> values{1.0f, 2.0f};
  const std::vector<float> gradients{0.5f, std::numeric_limits<float>::quiet_NaN()};
  Optimizer optimizer(2, {.kind = kind()});
  EXPECT_FALSE(std::isfinite(optimizer.Step(values, gradients, kBoth, 0.01, 1.0)));
  EXPECT_EQ(values, (std::vector<float>{1.0f, 2.0f}));
  EXPECT_EQ(optimizer.state().steps, 0);
}

TEST_P(OptimizerTest, GoesOnFromASavedState) {
  std::vector<float> straight{1.0f, -2.0f}, resumed = straight;
  const std::vector<float> gradients{0.5f, 0.25f};
  Optimizer a(2, {.kind = kind()}), b(2, {.kind = kind()}), c(2, {.kind = kind()});
  b.Step(resumed, gradients, kBoth, 0.1, 0);
  c.Restore(b.state());
  c.Step(resumed, gradients, kBoth, 0.1, 0);
  for (int step = 0; step < 2; ++step) a.Step(straight, gradients, kBoth, 0.1, 0);
  EXPECT_EQ(resumed, straight);
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerTest, testing::Values("adam", "adamw", "sgd", "nesterov"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Optimizer, RefusesUnknownNamesAndForeignStates) {
  EXPECT_THROW(ParseOptimizerKind("lion"), Error);
  Optimizer adam(2, {}), sgd(2, {.kind = OptimizerKind::kSgd}), longer(3, {});
  EXPECT_THROW(adam.Restore(sgd.state()), Error);
  EXPECT_THROW(adam.Restore(longer.state()), Error);
}

}  // namespace
}  // namespace hot
