// TFLite in integers = ONNX Runtime on the quantized ONNX file, within the rounding of LiteRT's kernels: for every
// block type and for whole networks of every task.
#include <gtest/gtest.h>

#include "deploy/toolchains/vela/testing/deviation.h"
#include "models/backbone.h"
#include "tasks/task.h"

namespace hot {
namespace {

Graph BlockAlone(const Block& block, const BlockSpec& spec) {
  GraphBuilder builder;
  builder.Output(block.Build(builder, builder.Input("image", {16, 12, 12}), spec, "b"));
  return std::move(builder).Build();
}

Graph Whole(const std::string& task, uint64_t seed, Padding padding) {
  TaskOptions options;
  options.task = task;
  options.convention.style = {.padding = padding};
  options.input = {3, 96, 96};
  options.classes = {"a", "b", "c"};
  options.keypoints = {"head", "hand"};
  const Backbone& net = FindBackbone("mobilenet_v2");
  Rng rng(seed);
  std::vector<Choice> pick;
  for (const Slot& slot : net.Slots(0.35, Precision::kInt8)) {
    pick.push_back(seed == 0 ? slot.baseline : slot.choices[static_cast<size_t>(rng.Below(std::ssize(slot.choices)))]);
  }
  return BuildNetwork(net, 0.35, pick, *MakeTask(options), Purpose::kShipping);
}

std::map<std::string, Graph> Cases() {
  std::map<std::string, Graph> cases;
  for (const Block* block : AllBlocks()) {
    for (int kernel : {3, 5}) {
      for (int stride : {1, 2}) {
        const std::string name =
            std::string(block->type()) + "-k" + std::to_string(kernel) + "-s" + std::to_string(stride);
        cases.emplace(name, BlockAlone(*block, {16, stride, kernel, 3}));
      }
    }
  }
  for (const char* task : {"ssd", "cpn", "classify"}) {
    for (uint64_t seed : {0, 1, 2}) {
      cases.emplace(task + ("-" + std::to_string(seed)), Whole(task, seed, Padding::kSymmetric));
    }
    cases.emplace(task + std::string("-same"), Whole(task, 1, Padding::kSame));
  }
  return cases;
}

TEST(Tflite, IsTheQuantizedOnnxFileWithinTheRoundingOfLiteRt) {
  std::map<std::string, std::string> files;
  for (const auto& [name, graph] : Cases()) {
    files[name] = IntegerOnnx(FoldBatchNorm(graph, TimingWeights(graph, 5)));
  }
  std::string why;
  const auto deviations = MeasureDeviations(files, why);
  if (deviations.empty()) GTEST_SKIP() << "skipped: " << why;
  ASSERT_EQ(deviations.size(), files.size());
  for (const auto& [name, both] : deviations) {
    std::printf("%-16s fixed point: max %2d mean %.4f differing %.4f  XNNPACK: max %2d mean %.4f differing %.4f\n",
                name.c_str(), both.fixed_point.max_lsb, both.fixed_point.mean_lsb, both.fixed_point.differing,
                both.xnnpack.max_lsb, both.xnnpack.mean_lsb, both.xnnpack.differing);
    EXPECT_GT(both.fixed_point.values, 0) << name;
  }
}

}  // namespace
}  // namespace hot
