#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "train/host_copy.h"

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

  // An optimizer and the values that it moves.
  struct Moved {
    Moved(const std::vector<float>& start, const OptimizerOptions& options)
        : values(at::tensor(start)), gradients(at::zeros_like(values)), optimizer(values, gradients, options) {}
    double Step(const std::vector<float>& along, std::span<const ValueRange> ranges, double lr, double clip_norm) {
      FromHost(along, gradients, "test");
      return optimizer.Step(ranges, lr, clip_norm);
    }
    std::vector<float> now() const { return ToHost(values); }

    at::Tensor values, gradients;
    Optimizer optimizer;
  };
};

TEST_P(OptimizerTest, MovesAsLibTorchsDoes) {
  constexpr int64_t kSize = 1000;
  Rng rng(1);
  std::vector<float> values(kSize), gradients(kSize);
  for (float& value : values) value = static_cast<float>(rng.Normal());
  const at::Tensor expected = at::tensor(values).set_requires_grad(true);
  const auto oracle = Oracle(kind(), expected);
  Moved ours(values, {.kind = kind(), .weight_decay = kDecay});
  const ValueRange all[] = {{.begin = 0, .end = kSize, .decayed = true}};
  for (int step = 0; step < 50; ++step) {
    for (size_t i = 0; i < kSize; ++i) gradients[i] = static_cast<float>(rng.Normal() + 0.1 * values[i]);
    expected.mutable_grad() = at::tensor(gradients);
    oracle->step();
    ours.Step(gradients, all, 0.01, 0);
    values = ours.now();
  }
  for (int64_t i = 0; i < kSize; ++i)
    ASSERT_NEAR(values[static_cast<size_t>(i)], expected.const_data_ptr<float>()[i], 2e-5) << i;
}

TEST_P(OptimizerTest, ClipsByTheNormOfAllGradients) {
  Moved clipped({0, 0}, {.kind = kind()}), scaled({0, 0}, {.kind = kind()});
  EXPECT_DOUBLE_EQ(clipped.Step({30, 40}, kBoth, 0.1, 5.0), 50.0);
  EXPECT_DOUBLE_EQ(scaled.Step({3, 4}, kBoth, 0.1, 5.0), 5.0);
  EXPECT_EQ(clipped.optimizer.state().first, scaled.optimizer.state().first);
  EXPECT_EQ(clipped.now(), scaled.now());
}

TEST_P(OptimizerTest, DecaysOnlyWhatIsToBeDecayed) {
  const ValueRange ranges[] = {{0, 1, true}, {1, 2, false}};
  Moved moved({1, 1}, {.kind = kind(), .weight_decay = 0.1});
  moved.Step({0, 0}, ranges, 0.01, 0);
  EXPECT_LT(moved.now()[0], 1.0f);
  EXPECT_EQ(moved.now()[1], 1.0f);
}

TEST_P(OptimizerTest, LeavesWhatIsOutsideOfTheRanges) {
  const ValueRange ranges[] = {{0, 1, true}, {2, 3, true}};
  Moved moved({1, 2, 3}, {.kind = kind(), .weight_decay = 0.1});
  EXPECT_DOUBLE_EQ(moved.Step({3, std::numeric_limits<float>::infinity(), 4}, ranges, 0.01, 0), 5.0);
  EXPECT_NE(moved.now()[0], 1.0f);
  EXPECT_EQ(moved.now()[1], 2.0f);
  EXPECT_NE(moved.now()[2], 3.0f);
  EXPECT_EQ(moved.optimizer.state().first[1], 0.0f);
}

TEST_P(OptimizerTest, ResetForgetsWhatWas) {
  const std::vector<float> start{1, 2};
  Moved fresh(start, {.kind = kind()}), used(start, {.kind = kind()});
  used.Step({-1, 0.5}, kBoth, 0.1, 0);
  used.optimizer.Reset();
  FromHost(start, used.values, "test");
  fresh.Step({3, 4}, kBoth, 0.1, 0);
  used.Step({3, 4}, kBoth, 0.1, 0);
  EXPECT_EQ(fresh.now(), used.now());
}

TEST_P(OptimizerTest, LeavesEverythingAloneWhenAGradientIsNotFinite) {
  Moved moved({1, 2}, {.kind = kind()});
  EXPECT_FALSE(std::isfinite(moved.Step({0.5, std::numeric_limits<float>::quiet_NaN()}, kBoth, 0.01, 1.0)));
  EXPECT_EQ(moved.now(), (std::vector<float>{1, 2}));
  EXPECT_EQ(moved.optimizer.steps(), 0);
}

TEST_P(OptimizerTest, GoesOnFromASavedState) {
  const std::vector<float> gradients{0.5, 0.25};
  Moved straight({1, -2}, {.kind = kind()}), first({1, -2}, {.kind = kind()});
  first.Step(gradients, kBoth, 0.1, 0);
  Moved resumed(first.now(), {.kind = kind()});
  resumed.optimizer.Restore(first.optimizer.state());
  resumed.Step(gradients, kBoth, 0.1, 0);
  for (int step = 0; step < 2; ++step) straight.Step(gradients, kBoth, 0.1, 0);
  EXPECT_EQ(resumed.now(), straight.now());
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerTest, testing::Values("adam", "adamw", "sgd", "nesterov"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Optimizer, RefusesUnknownNamesAndForeignStates) {
  EXPECT_THROW(ParseOptimizerKind("lion"), Error);
  const at::Tensor two = at::zeros({2}), three = at::zeros({3});
  Optimizer adam(two, two, {}), sgd(two, two, {.kind = OptimizerKind::kSgd}), longer(three, three, {});
  EXPECT_THROW(adam.Restore(sgd.state()), Error);
  EXPECT_THROW(adam.Restore(longer.state()), Error);
}

}  // namespace
}  // namespace hot
