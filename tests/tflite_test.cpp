// TFLite in integers, run by LiteRT, = the reference interpreter, within the rounding of LiteRT's kernels: for every
// operator in every block type and in whole networks of every task, with activations of 8 and of 16 bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "deploy/calibrate.h"
#include "deploy/toolchain.h"
#include "deploy/toolchains/vela/ethos_npu.h"
#include "deploy/toolchains/vela/testing/litert_tensors.h"
#include "quantize/interpreter.h"
#include "quantize/plan.h"
#include "whole_graphs.h"

namespace hot {
namespace {

// What no block or task has, but the graph: pools with padding, concatenation of maps of different scales, groups, a
// flattened map, activations by themselves.
Graph EveryOperator() {
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
  return std::move(builder).Build();
}

std::map<std::string, Graph> Cases() {
  std::map<std::string, Graph> cases;
  for (auto& [name, graph] : BlockGraphs()) cases.emplace(name, std::move(graph));
  for (const char* task : {"ssd", "cpn", "classify"}) {
    cases.emplace(task, WholeGraph(task, 96, 0));
    cases.emplace(task + std::string("-random"), WholeGraph(task, 96, 2));
    cases.emplace(task + std::string("-same"), WholeGraph(task, 96, 1, {.style = {.padding = Padding::kSame}}));
  }
  cases.emplace("every-operator", EveryOperator());
  return cases;
}

Tensor Normal(const Shape& shape, uint64_t seed) {
  Tensor tensor({1, shape.c, shape.h, shape.w});
  Rng rng(seed);
  for (float& value : tensor.data) value = static_cast<float>(rng.Normal());
  return tensor;
}

// Calibrated (min-max) and run on normal values.
LiteRtRun MakeRun(const Graph& graph, const std::string& scheme_name) {
  LiteRtRun run{.network = FoldBatchNorm(graph, TimingWeights(graph, 5)), .quantization = {}, .input = {}};
  const Shape& shape = run.network.graph.node(run.network.graph.inputs().at(0)).shape;
  std::vector<Tensor> pictures;
  for (uint64_t seed = 1; seed <= 4; ++seed) pictures.push_back(Normal(shape, seed));
  const Observations observed = Calibrate(run.network, pictures, /*histograms=*/false);
  run.quantization = Quantize(run.network, observed, {.ranges = "minmax", .scheme = scheme_name});
  const Scheme& scheme = SchemeOf(scheme_name);
  const ActivationScale& scale = run.quantization.activations.at("image");
  run.input = Normal(shape, 7);
  for (float& value : run.input.data)
    value = std::clamp<float>(std::nearbyint(value / scale.scale) + static_cast<float>(scale.zero_point),
                              static_cast<float>(scheme.lowest), static_cast<float>(scheme.highest));
  return run;
}

struct Differences {
  int64_t values = 0, differing = 0, sum = 0;
  int max_lsb = 0;
  double share() const { return static_cast<double>(differing) / static_cast<double>(values); }
  double mean() const { return static_cast<double>(sum) / static_cast<double>(values); }
  void Add(int lsb) {
    ++values;
    sum += lsb;
    differing += lsb != 0;
    max_lsb = std::max(max_lsb, lsb);
  }
};
using ByOperator = std::map<Op, Differences>;  // convolutions and additions with the activation behind them

void AddTo(ByOperator& all, const ByOperator& more) {
  for (const auto& [op, differences] : more) {
    all[op].values += differences.values;
    all[op].differing += differences.differing;
    all[op].sum += differences.sum;
    all[op].max_lsb = std::max(all[op].max_lsb, differences.max_lsb);
  }
}

// Each operator by itself, on the integers that LiteRT gave it.
ByOperator CompareOperators(const LiteRtRun& run, const Weights& theirs) {
  const Graph& graph = run.network.graph;
  const std::vector<QuantPlace> places = PlanQuantization(graph);
  ByOperator differences;
  const auto visit = [&](const Node& node, Interpreter::Value& value) {
    if (value.steps.empty()) return;
    std::vector<int16_t>& steps = value.steps;
    const bool fused = !node.inputs.empty() && places[static_cast<size_t>(node.inputs[0])] == QuantPlace::kFusedAway;
    Differences& own = differences[fused ? graph.node(node.inputs[0]).op : node.op];
    const NodeId id = static_cast<NodeId>(&node - graph.nodes().data());
    const int zero_point = OutputScale(graph, places, id, run.quantization).zero_point;
    const std::vector<float>& values = theirs.at(node.name).data;
    ASSERT_EQ(values.size(), steps.size()) << node.name;
    for (size_t i = 0; i < steps.size(); ++i) {
      const auto their_steps = static_cast<int16_t>(static_cast<int>(values[i]) - zero_point);
      own.Add(std::abs(steps[i] - their_steps));
      steps[i] = their_steps;
    }
  };
  Interpreter(run.network, run.quantization, Borders::kIntegers).Run(std::span(&run.input, 1), visit);
  EXPECT_EQ(differences[Op::kInput].differing, 0);
  differences.erase(Op::kInput);
  return differences;
}

// The network as a whole: what one operator rounds otherwise has gone through all behind it.
Differences CompareOutputs(const LiteRtRun& run, const Weights& theirs) {
  const auto ours = Interpreter(run.network, run.quantization, Borders::kIntegers).Run(std::span(&run.input, 1));
  Differences differences;
  for (size_t k = 0; k < ours.size(); ++k) {
    const std::vector<float>& values = theirs.at(run.network.graph.node(run.network.graph.outputs()[k]).name).data;
    for (size_t i = 0; i < values.size(); ++i)
      differences.Add(static_cast<int>(std::abs(values[i] - ours[k].data.at(i))));
  }
  return differences;
}

// What LiteRT's kernels may round otherwise than the reference, by operator: the share of values, with 8 and with 16
// bits. About twice what is seen here. An operator that is not listed must give the very integers.
struct Bound {
  int max_lsb = 0;
  double share8 = 0, share16 = 0;
};

const std::map<Op, Bound>& Bounds() {
  static const std::map<Op, Bound> kBounds{
      // Scaled in fixed point: a multiplier of 31 bits and two roundings with 8 bits, one of 15 bits with 16.
      {Op::kConv, {1, 0.006, 0.10}},
      {Op::kLinear, {1, 0.07, 0.48}},  // few values, small sums
      {Op::kAdd, {1, 0.0001, 0.0002}},
      // Inputs with another scale than the output are scaled by QUANTIZE: the same two roundings, of numbers so small
      // that the first one counts. XNNPACK's multiplier has 8 bits.
      {Op::kConcat, {1, 0.10, 0.065}},
      {Op::kGlobalAvgPool, {1, 0.17, 0.20}},
      // An average in the input's scale, then QUANTIZE: two steps.
      {Op::kAvgPool, {2, 0.6, 0.6}},
  };
  return kBounds;
}

bool WithinBounds(Op op, const Differences& d, const std::string& scheme) {
  const auto found = Bounds().find(op);
  const Bound bound = found == Bounds().end() ? Bound{} : found->second;
  return d.values > 0 && d.max_lsb <= bound.max_lsb && d.share() <= (scheme == "s8s8" ? bound.share8 : bound.share16);
}

void Print(const std::string& scheme, const std::string& name, const Differences& d) {
  std::printf("%-6s %-24s max %3d, mean %6.3f LSB, %8.4f %% differ\n", scheme.c_str(), name.c_str(), d.max_lsb,
              d.mean(), 100 * d.share());
}

class Tflite : public ::testing::TestWithParam<const char*> {
 protected:
  std::map<std::string, LiteRtTensors> LiteRt(const std::map<std::string, LiteRtRun>& runs) {
    try {
      return RunInLiteRt(runs);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      why_ = error.what();
      return {};
    }
  }
  const std::string scheme_ = GetParam();
  std::string why_;
};

TEST_P(Tflite, IsTheReferenceWithinTheRoundingOfLiteRt) {
  std::map<std::string, LiteRtRun> runs;
  for (const auto& [name, graph] : Cases()) runs.emplace(name, MakeRun(graph, scheme_));
  const auto litert = LiteRt(runs);
  if (litert.empty()) GTEST_SKIP() << "skipped: " << why_;
  ByOperator fixed_point, xnnpack;
  for (const auto& [name, run] : runs) {
    AddTo(fixed_point, CompareOperators(run, litert.at(name).fixed_point));
    AddTo(xnnpack, CompareOperators(run, litert.at(name).xnnpack));
    const Differences outputs = CompareOutputs(run, litert.at(name).fixed_point);
    Print(scheme_, name, outputs);
    if (name.find("-k") != std::string::npos) {
      EXPECT_LE(outputs.max_lsb, 3) << name << ": few layers deep";
    }
  }
  EXPECT_EQ(fixed_point.size(), 10u) << "an operator is not looked at";
  for (const auto& [op, differences] : fixed_point) {
    Print(scheme_, std::string(OpName(op)), differences);
    Print(scheme_, std::string(OpName(op)) + ", XNNPACK", xnnpack.at(op));
    EXPECT_TRUE(WithinBounds(op, differences, scheme_)) << OpName(op);
    EXPECT_TRUE(WithinBounds(op, xnnpack.at(op), scheme_)) << OpName(op) << ", XNNPACK";
  }
}

// The bounds are narrow enough to see a fault of the writer: here, scales that are 1 % off.
TEST_P(Tflite, AWrongScaleIsSeen) {
  const std::map<std::string, LiteRtRun> runs{
      {"irb", MakeRun(BlockGraph(*AllBlocks().front(), {16, 1, 3, 3}), scheme_)}};
  const auto litert = LiteRt(runs);
  if (litert.empty()) GTEST_SKIP() << "skipped: " << why_;
  LiteRtRun run = runs.at("irb");
  EXPECT_TRUE(WithinBounds(Op::kConv, CompareOperators(run, litert.at("irb").fixed_point).at(Op::kConv), scheme_));
  for (auto& [layer, scales] : run.quantization.weight_scales) {
    for (float& scale : scales) scale *= 1.01f;
  }
  EXPECT_FALSE(WithinBounds(Op::kConv, CompareOperators(run, litert.at("irb").fixed_point).at(Op::kConv), scheme_));
}

INSTANTIATE_TEST_SUITE_P(All, Tflite, ::testing::Values("s8s8", "s16s8"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Vela, EveryTaskRunsWholeOnEveryNpuInEveryPrecision) {
  for (const EthosNpu& npu : kEthosNpus) {
    std::unique_ptr<Toolchain> toolchain;
    try {
      toolchain = MakeToolchain("vela", npu.name);
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
    for (const char* task : {"ssd", "cpn", "classify"}) {
      const Graph graph = WholeGraph(task, 96, 1);
      const Network network = FoldBatchNorm(graph, TimingWeights(graph, 1));
      std::map<Precision, double> latencies;
      for (const Precision precision : {Precision::kInt8, Precision::kInt16x8}) {
        const Quantization quantization = SyntheticQuantization(network, SchemeOf(precision, "s8s8"));
        const Artifact artifact = toolchain->Compile({.network = network,  // throws when something is left to the CPU
                                                      .precision = precision,
                                                      .quantization = &quantization,
                                                      .timing_only = true});
        latencies[precision] = artifact.estimate->latency_ns;
      }
      std::printf("%s %-8s int8 %6.3f ms, int16x8 %6.3f ms\n", std::string(npu.name).c_str(), task,
                  1e-6 * latencies[Precision::kInt8], 1e-6 * latencies[Precision::kInt16x8]);
      EXPECT_GT(latencies[Precision::kInt8], 0);
      EXPECT_GT(latencies[Precision::kInt16x8], latencies[Precision::kInt8]);
    }
  }
}

}  // namespace
}  // namespace hot
