#include "tasks/classify/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace hot {
namespace {

TaskOptions Options(size_t classes) {
  TaskOptions options{.task = "classify", .input = {3, 64, 96}};
  for (size_t i = 0; i < classes; ++i) options.classes.push_back("class" + std::to_string(i));
  return options;
}

Tensor Logits(const std::vector<float>& values) {
  Tensor tensor({1, static_cast<int64_t>(values.size()), 1, 1});
  tensor.data.assign(values.begin(), values.end());
  return tensor;
}

// As published: 1280 * 1000 weights and 1000 biases (Sandler et al., 2018, table 2).
TEST(ClassifyTask, HeadOfAThousandClassesHasThePublishedSize) {
  const auto task = MakeTask(Options(1000));
  const Backbone& backbone = FindBackbone("mobilenet_v2");
  const Graph graph = BuildNetwork(backbone, 1.0, BaselineChoices(backbone, 1.0, Precision::kFp32), *task);
  int64_t head = 0, trainable = 0;
  for (const Parameter& parameter : Parameters(graph)) {
    int64_t size = 1;
    for (const int64_t side : parameter.shape) size *= side;
    if (parameter.name.starts_with("head.")) head += size;
    if (parameter.trainable) trainable += size;
  }
  EXPECT_EQ(head, 1280 * 1000 + 1000);
  EXPECT_EQ(trainable, 3504872) << "MobileNetV2 1.0, as torchvision counts it";
  ASSERT_EQ(graph.outputs().size(), 1u);
  EXPECT_EQ(graph.node(graph.outputs()[0]).shape, (Shape{1000, 1, 1}));
}

TEST(ClassifyTask, DecodesProbabilitiesByFallingScore) {
  const auto task = MakeTask(Options(3));
  const std::vector<Detection> found = task->Decode(std::vector{Logits({1, 3, 1})});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].label, 1);
  EXPECT_EQ(found[1].label, 0) << "of equals the first";
  EXPECT_NEAR(found[0].score, std::exp(2) / (std::exp(2) + 2), 1e-6);
  EXPECT_NEAR(found[0].score + found[1].score + found[2].score, 1, 1e-6);
  EXPECT_EQ(found[0].box.x1, 96);
  EXPECT_EQ(task->Decode(std::vector{Logits({1e30f, -1e30f, 0})})[0].score, 1) << "no overflow";
  EXPECT_TRUE(task->Decode(std::vector{Logits({1, std::numeric_limits<float>::quiet_NaN(), 0})}).empty());
}

TEST(ClassifyTask, RefusesWhatDoesNotFit) {
  EXPECT_THROW(MakeTask(Options(1)), Error);
  EXPECT_THROW(MakeTask(Options(3))->Decode(std::vector{Logits({1, 2})}), Error);
}

TEST(Top1, IsTheShareOfRightPictures) {
  const auto picture = [](int truth, std::vector<std::pair<int, float>> found) {
    ScoredPicture scored;
    scored.truth.push_back({.label = truth});
    for (const auto& [label, score] : found) scored.detections.push_back({.label = label, .score = score});
    return scored;
  };
  const ScoreOptions top1{.metric = Metric::kTop1, .predicted = Predicted::kClasses};
  EXPECT_EQ(Score({picture(1, {{0, 0.4f}, {1, 0.6f}}), picture(0, {{0, 0.4f}, {1, 0.6f}}), picture(2, {}),
                   picture(0, {{0, 0.5f}, {1, 0.5f}})},
                  top1),
            0.5);
  EXPECT_EQ(Score({}, top1), 0);
  for (const ScoreOptions& wrong :
       {ScoreOptions{.metric = Metric::kTop1}, ScoreOptions{.metric = Metric::kAp50, .predicted = Predicted::kClasses}})
    EXPECT_THROW(Score({}, wrong), Error);
}

}  // namespace
}  // namespace hot
