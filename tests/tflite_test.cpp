// TFLite in integers = ONNX Runtime on the quantized ONNX file, within the rounding of LiteRT's kernels: for every
// block type and for whole networks of every task.
#include <gtest/gtest.h>

#include "deploy/toolchain.h"
#include "deploy/toolchains/vela/ethos_npu.h"
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

void Print(const std::string& name, const Deviations& deviations) {
  const auto& [operators, outputs] = deviations.fixed_point;
  std::printf("%-16s an operator: max %d, %.3f %% differ (XNNPACK %.4f %%); outputs: max %d, mean %.3f\n", name.c_str(),
              operators.max_lsb, 100 * operators.differing, 100 * deviations.xnnpack.operators.differing,
              outputs.max_lsb, outputs.mean_lsb);
}

// No more than that share of the operators' values may be rounded to the other neighbour. Additions and resized maps in
// the pyramid of CPN have many values halfway between two integers.
constexpr double kRoundedOtherwise = 0.06;

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
    Print(name, both);
    for (const KernelDeviations& kernels : {both.fixed_point, both.xnnpack}) {
      EXPECT_GT(kernels.operators.values, kernels.outputs.values) << name;
      EXPECT_LE(kernels.operators.max_lsb, 1) << name;
      EXPECT_LT(kernels.operators.differing, kRoundedOtherwise) << name;
    }
    const bool block = name.find("-k") != std::string::npos;
    if (block) EXPECT_LE(both.fixed_point.outputs.max_lsb, 2) << name;
    if (block) EXPECT_EQ(both.xnnpack.outputs.max_lsb, 0) << name;
  }
}

TEST(Vela, EveryTaskRunsWholeOnEveryNpu) {
  for (const EthosNpu& npu : kEthosNpus) {
    std::unique_ptr<Toolchain> toolchain;
    try {
      toolchain = MakeToolchain("vela", npu.name);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
    for (const char* task : {"ssd", "cpn", "classify"}) {
      const Graph graph = Whole(task, 1, Padding::kSymmetric);
      const Network network = FoldBatchNorm(graph, TimingWeights(graph, 1));
      const Quantization quantization = SyntheticQuantization(network);
      const Artifact artifact = toolchain->Compile({.network = network,  // throws when something is left to the CPU
                                                    .precision = Precision::kInt8,
                                                    .quantization = &quantization,
                                                    .timing_only = true});
      EXPECT_GT(artifact.estimate->latency_ns, 0) << npu.name << " " << task;
    }
  }
}

// What no block or task has, but the graph: pools with padding, concatenation of maps of different scales, groups, a
// flattened map, activations by themselves.
TEST(Tflite, EveryOperatorThatIntegersHave) {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {4, 16, 16});
  const NodeId relu = builder.ConvBn("a", x, 8, 5, 2, 4, Op::kRelu);
  const NodeId pooled = builder.Pool(Op::kMaxPool, "max", relu, 3, 2, 1);
  const NodeId averaged = builder.Pool(Op::kAvgPool, "avg", relu, 2, 2, 0);
  const NodeId both = builder.Concat("both", {pooled, averaged});
  const NodeId up = builder.Upsample("up", builder.Unary(Op::kRelu6, "both.act", both), 2);
  const NodeId linear = builder.ConvBn("mix", up, 8, 3, 1, 1, Op::kInput);
  const NodeId padded = builder.Pool(Op::kMaxPool, "negative", linear, 3, 2, 1);
  const NodeId sum = builder.Unary(Op::kRelu, "sum.act", builder.Add("sum", linear, relu));
  builder.Output(builder.Linear("hidden", builder.Unary(Op::kFlatten, "flat", padded), 10));
  builder.Output(builder.Linear("means", builder.Unary(Op::kGlobalAvgPool, "mean", sum), 10, false));
  const Graph graph = std::move(builder).Build();
  std::string why;
  const auto deviations =
      MeasureDeviations({{"every", IntegerOnnx(FoldBatchNorm(graph, TimingWeights(graph, 6)))}}, why);
  if (deviations.empty()) GTEST_SKIP() << "skipped: " << why;
  Print("every operator", deviations.at("every"));
  EXPECT_LE(deviations.at("every").fixed_point.operators.max_lsb, 2) << "averages are rounded, then scaled";
  EXPECT_LT(deviations.at("every").fixed_point.operators.differing, kRoundedOtherwise);
}

}  // namespace
}  // namespace hot
