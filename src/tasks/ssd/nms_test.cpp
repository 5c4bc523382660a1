// Non-maximum suppression and Decode against a plain restatement of their definitions, on random input.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/rng.h"
#include "tasks/ssd/ssd.h"

namespace hot {
namespace {

double Iou(const Box& a, const Box& b) {
  const double w = std::max(0.0, std::min(a.x1, b.x1) - std::max(a.x0, b.x0));
  const double h = std::max(0.0, std::min(a.y1, b.y1) - std::max(a.y0, b.y0));
  const double both = a.area() + b.area() - w * h;
  return both > 0 ? w * h / both : 0;
}

// Takes the best of what is left, strikes out what it covers, and so on.
std::vector<Detection> PlainSuppression(std::vector<Detection> left, double iou, size_t max_detections) {
  std::vector<Detection> kept;
  while (!left.empty() && kept.size() < max_detections) {
    const auto best =
        std::max_element(left.begin(), left.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
    const Detection chosen = *best;
    left.erase(best);
    std::erase_if(left, [&](const Detection& d) { return d.label == chosen.label && Iou(d.box, chosen.box) > iou; });
    kept.push_back(chosen);
  }
  return kept;
}

void ExpectSame(const std::vector<Detection>& a, const std::vector<Detection>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].label, b[i].label) << i;
    EXPECT_FLOAT_EQ(a[i].score, b[i].score) << i;
    EXPECT_NEAR(a[i].box.x0, b[i].box.x0, 1e-3) << i;
    EXPECT_NEAR(a[i].box.y1, b[i].box.y1, 1e-3) << i;
  }
}

TEST(NonMaximumSuppressionOracle, RandomHeapsWithTies) {
  Rng rng(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<Detection> detections;
    for (int64_t i = rng.Below(60); i > 0; --i) {
      Box box{rng.Uniform(0, 40), rng.Uniform(0, 40), 0, 0};
      box.x1 = box.x0 + rng.Uniform(0, 30);
      box.y1 = box.y0 + rng.Uniform(0, 30);
      detections.push_back({box, static_cast<int>(rng.Below(3)), static_cast<float>(rng.Below(20)) / 20});
    }
    const double iou = rng.Uniform(0.1, 0.9);
    const int most = static_cast<int>(rng.Below(30));
    SCOPED_TRACE(round);
    ExpectSame(NonMaximumSuppression(detections, iou, most),
               PlainSuppression(detections, iou, static_cast<size_t>(most)));
  }
}

class DecodeTest : public testing::Test {
 protected:
  DecodeTest() : task_(Options()) {}

  static TaskOptions Options() {
    TaskOptions options;
    options.input = {3, 64, 96};
    options.classes = {"a", "b", "c"};
    return options;
  }

  std::vector<Tensor> RandomOutputs(uint64_t seed) const {
    Rng rng(seed);
    std::vector<Tensor> outputs;
    for (const auto& [rows, columns] : task_.Maps()) {
      const int channels = task_.anchors_per_cell() * 4;  // of both: three classes and background, four offsets
      for (int output = 0; output < 2; ++output) {
        outputs.emplace_back(std::vector<int64_t>{1, channels, rows, columns});
        for (float& value : outputs.back().data) value = static_cast<float>(2 * rng.Normal());
      }
    }
    return outputs;
  }

  SsdTask task_;
};

// Every anchor and class, straight from the header's description of the layout; no limit on what enters suppression.
std::vector<Detection> PlainDecode(const SsdTask& task, const std::vector<Tensor>& outputs) {
  std::vector<Detection> all;
  size_t next = 0;
  const int per_cell = task.anchors_per_cell(), logits = 4;
  for (size_t map = 0; map < task.Maps().size(); ++map) {
    const auto [rows, columns] = task.Maps()[map];
    const auto at = [&, r = rows, c = columns](const Tensor& t, int channel, int row, int column) {
      return t.data[static_cast<size_t>((channel * r + row) * c + column)];
    };
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        for (int anchor = 0; anchor < per_cell; ++anchor, ++next) {
          double sum = 0;
          std::array<float, 4> offsets;
          for (int i = 0; i < 4; ++i) {
            sum += std::exp(at(outputs[2 * map], anchor * logits + i, row, column));
            offsets[static_cast<size_t>(i)] = at(outputs[2 * map + 1], anchor * 4 + i, row, column);
          }
          Box box = DecodeBox(offsets, task.anchors()[next]);
          box = {std::clamp(box.x0, 0.0, 1.0) * 96, std::clamp(box.y0, 0.0, 1.0) * 64,
                 std::clamp(box.x1, 0.0, 1.0) * 96, std::clamp(box.y1, 0.0, 1.0) * 64};
          for (int c = 1; c < logits; ++c) {
            const double score = std::exp(at(outputs[2 * map], anchor * logits + c, row, column)) / sum;
            if (score > task.options().score_threshold) all.push_back({box, c - 1, static_cast<float>(score)});
          }
        }
      }
    }
  }
  return PlainSuppression(all, task.options().nms_iou, static_cast<size_t>(task.options().max_detections));
}

TEST_F(DecodeTest, EqualsThePlainDefinition) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const std::vector<Tensor> outputs = RandomOutputs(seed);
    const std::vector<Detection> found = task_.Decode(outputs);
    EXPECT_GT(found.size(), 10u);
    ExpectSame(found, PlainDecode(task_, outputs));
  }
}

bool IsSane(const Detection& d) {
  const Box& b = d.box;
  const bool inside = b.x0 >= 0 && b.x1 <= 96 && b.y0 >= 0 && b.y1 <= 64;
  return inside && b.x0 <= b.x1 && b.y0 <= b.y1 && d.score > 0.01f && d.score <= 1.0f;
}

TEST_F(DecodeTest, WhatIsNotANumberIsNoDetection) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()}) {
    for (size_t step : {1, 7}) {
      std::vector<Tensor> outputs = RandomOutputs(3);
      for (Tensor& tensor : outputs) {
        for (size_t i = 0; i < tensor.data.size(); i += step) tensor.data[i] = bad;
      }
      for (const Detection& detection : task_.Decode(outputs)) EXPECT_TRUE(IsSane(detection)) << bad;
    }
  }
}

}  // namespace
}  // namespace hot
