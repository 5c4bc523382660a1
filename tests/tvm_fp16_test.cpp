// fp16 of toolchain tvm: every kind of layer rounds its float32 sums once, whole networks are as near to the float
// network as roundings allow, on x86-64 and under qemu on Armv8.0; and what becomes of numbers beyond 65504.
#include <limits>

#include "deploy/onnx_writer.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "deploy/test_runtimes.h"
#include "graph/element_type.h"
#include "tvm_fixture.h"
#include "whole_graphs.h"

namespace hot {
namespace {

constexpr double kRelative = 1.0 / 2048;          // half a unit in the last place of 11 bits
constexpr double kSubnormal = kRelative / 16384;  // the same below 2^-14, where places end
constexpr double kSums = 1e-5;                    // float32 sums in another order

// What fp16 keeps of them.
void Halve(std::vector<float>& values) {
  for (float& value : values) {
    const uint16_t half = HalfFromFloat(value);
    ToFloats(ElementType::kF16, reinterpret_cast<const char*>(&half), {&value, 1});
  }
}

// Each output one layer (and what joins it) behind the input, of odd sizes and channels that fill no whole blocks;
// weights are halves.
Network EachLayer() {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {20, 13, 11}), flat = builder.Unary(Op::kFlatten, "flat", x);
  const auto conv = [&](const std::string& name, Attrs spec) {
    spec.bias = true;
    return builder.Conv(name, x, spec);
  };
  builder.Output(conv("k1", {.out_channels = 37}));
  builder.Output(conv("k3", {.out_channels = 18, .kernel = 3, .pads = {1, 1, 1, 1}}));
  builder.Output(conv("k5s2", {.out_channels = 9, .kernel = 5, .stride = 2, .pads = {2, 2, 2, 2}}));
  builder.Output(conv("grouped", {.out_channels = 8, .kernel = 3, .groups = 4, .pads = {1, 1, 1, 1}}));
  builder.Output(conv("dw3", {.out_channels = 20, .kernel = 3, .groups = 20, .pads = {1, 1, 1, 1}}));
  builder.Output(conv("dw5s2", {.out_channels = 20, .kernel = 5, .stride = 2, .groups = 20, .pads = {2, 2, 2, 2}}));
  builder.Output(builder.Add("residual", x, conv("added", {.out_channels = 20})));
  builder.Output(builder.Unary(Op::kRelu6, "relu6", conv("clipped", {.out_channels = 20})));
  builder.Output(builder.Add("twice", x, x));
  builder.Output(builder.Concat("both", {x, x}));
  builder.Output(builder.Upsample("up", x, 2));
  builder.Output(builder.Pool(Op::kMaxPool, "max", x, 3, 2, 1));
  builder.Output(builder.Pool(Op::kAvgPool, "average", x, 3, 2, 1));
  builder.Output(builder.Unary(Op::kGlobalAvgPool, "mean", x));
  builder.Output(builder.Unary(Op::kSigmoid, "sigmoid", x));
  builder.Output(builder.Unary(Op::kSoftmax, "softmax", x));
  builder.Output(builder.Linear("linear", flat, 10));
  const Graph graph = std::move(builder).Build();
  Network network = FoldBatchNorm(graph, TimingWeights(graph, 2));
  for (auto& [name, tensor] : network.weights) Halve(tensor.data);
  return network;
}

struct Case {
  std::string name;
  Network network;
  Tensor input;
};

std::vector<Case> WholeNetworks() {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const Graph& graph) {
    const Network network = FoldBatchNorm(graph, TimingWeights(graph, 3));
    cases.push_back({name, network, RandomInput(network, 5)});
  };
  for (const auto& [name, graph] : BlockGraphs()) add(name, graph);
  for (const char* task : {"ssd", "cpn", "classify"}) add(task, WholeGraph(task, 64, 0));
  add("resnet50", WholeGraph("ssd", 64, 1, {.backbone = "resnet50", .width = 0.25}));
  return cases;
}

double Rms(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Root mean square of the differences, as a share of that of the exact values.
double Distance(const std::vector<float>& values, const std::vector<float>& exact) {
  std::vector<float> difference(exact.size());
  for (size_t i = 0; i < exact.size(); ++i) difference[i] = values.at(i) - exact[i];
  return Rms(difference) / Rms(exact);
}

// Behind so many layers, whose weights and values are rounded to within a unit of 2^-10 of their size: independent
// errors of a twelfth of its square each.
double ExpectedDistance(const Graph& graph) {
  const auto layers = std::ranges::count_if(graph.nodes(), [](const Node& node) { return node.op == Op::kConv; });
  return std::sqrt(2.0 * static_cast<double>(layers) / 12) / 1024;
}

class TvmFp16Test : public TvmFixture {
 protected:
  std::vector<std::vector<float>> Run(const std::string& onnx, const std::string& target, const Tensor& input) const {
    if (target.starts_with("aarch64")) return RunOnArm(onnx, target, "cortex-a53", input);  // without fp16 arithmetic
    std::vector<std::vector<float>> values;
    for (Tensor& output : RunHere(onnx, target, input)) values.push_back(std::move(output.data));
    return values;
  }

  Error Refusal(const Network& network, std::span<const Tensor> inputs) const {
    try {
      toolchain_->Compile({.network = network, .precision = Precision::kFp16, .golden_inputs = inputs});
    } catch (const Error& error) {
      return error;
    }
    return Error(Code::kOk, "", "was compiled");
  }
};

TEST_F(TvmFp16Test, EveryLayerRoundsItsSumsOnce) {
  const Network network = EachLayer();
  Tensor input = RandomInput(network, 5);
  Halve(input.data);
  const auto exact = Run(WriteOnnx(network, {}), "host", input);
  std::vector<std::string> targets = {"host", "x86-64-avx2"};
  if (MakeRunner()) targets.push_back("aarch64-neon");
  for (const std::string& target : targets) {
    const auto halves = Run(WriteOnnx(network, {.fp16 = true}), target, input);
    ASSERT_EQ(halves.size(), exact.size());
    for (size_t k = 0; k < exact.size(); ++k) {
      const std::string& name = network.graph.node(network.graph.outputs()[k]).name;
      const double roundings = name == "softmax" ? 2 : 1;  // its exponentials lie in memory before they are divided
      std::vector<float> halved = halves[k];
      Halve(halved);
      EXPECT_EQ(halved, halves[k]) << name;
      for (size_t i = 0; i < exact[k].size(); ++i) {
        const double allowed = roundings * (kRelative * std::abs(exact[k][i]) + kSubnormal) + kSums;
        EXPECT_NEAR(halves[k][i], exact[k][i], allowed) << target << " " << name;
      }
    }
  }
}

// Blocks by what roundings add up to. Deep networks with random weights enlarge them: those are compared with what
// rounding their weights and input alone makes of them, as ONNX Runtime has it, which keeps values in float32. Ours
// is then sqrt(2) times that on average.
TEST_F(TvmFp16Test, WholeNetworksAreAsNearAsRoundingsAllow) {
  const std::vector<Case> cases = WholeNetworks();
  std::vector<ModelRun> floats, halves;
  for (const Case& one : cases) {
    floats.push_back({WriteOnnx(one.network, {}), one.input});
    halves.push_back({WriteOnnx(one.network, {.fp16 = true}), one.input});
  }
  const auto exact = RunElsewhere(Runtime::kOnnxRuntimeUnoptimized, floats);
  const auto weights_only = RunElsewhere(Runtime::kOnnxRuntimeUnoptimized, halves);
  if (!exact || !weights_only) GTEST_SKIP() << "skipped: onnxruntime is not installed in .venv";
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto outputs = Run(halves[i].onnx, "host", cases[i].input);
    const bool block = outputs.size() == 1 && cases[i].network.graph.nodes().size() < 20;
    for (size_t k = 0; k < outputs.size(); ++k) {
      const double distance = Distance(outputs[k], (*exact)[i].at(k));
      const double allowed =
          block ? ExpectedDistance(cases[i].network.graph) : 4 * Distance((*weights_only)[i].at(k), (*exact)[i][k]);
      EXPECT_LE(distance, allowed) << cases[i].name << " output " << k;
      EXPECT_GT(distance, 0) << cases[i].name << " output " << k;
    }
  }
}

TEST_F(TvmFp16Test, GoldenOutputsOnArmUnderQemu) {
  if (!MakeRunner()) GTEST_SKIP() << "skipped: qemu-user or gcc-aarch64-linux-gnu is not installed";
  const Network network = SmallMobileNet();
  const Tensor input = RandomInput(network, 5);
  const std::string onnx = WriteOnnx(network, {.fp16 = true});
  const auto here = Run(onnx, "host", input), arm = Run(onnx, "aarch64-neon", input);
  for (size_t k = 0; k < here.size(); ++k)  // sums in another order round a value here and there to its neighbour
    EXPECT_LE(Distance(arm[k], here[k]), ExpectedDistance(network.graph)) << k;
}

// As IEEE 754 has it: what is stored is infinite from 65520 on, but not what a layer clips before it stores it. NaN
// stays NaN where nothing is clipped; x86's minimum and maximum, in every precision, make the lower bound of it.
TEST_F(TvmFp16Test, NumbersBeyondTheRangeAreInfiniteAndRefusedInArtifacts) {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {4, 3, 3});
  builder.Output(builder.Conv("plain", x, {.out_channels = 4}));
  builder.Output(builder.Unary(Op::kRelu6, "relu6", builder.Conv("clipped", x, {.out_channels = 4})));
  const Graph graph = std::move(builder).Build();
  Network network = FoldBatchNorm(graph, RandomWeights(graph, 1));
  for (auto& [name, tensor] : network.weights) tensor.data.assign(tensor.data.size(), 10000.0f);
  const auto values = [&](float value, const std::string& target) {
    Tensor input({1, 4, 3, 3});
    input.data.assign(input.data.size(), value);
    const auto outputs = Run(WriteOnnx(network, {.fp16 = true}), target, input);
    return std::pair(outputs[0][0], outputs[1][0]);
  };
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  for (const std::string target : {"host", "x86-64-avx2"}) {
    EXPECT_EQ(values(1.5f, target), std::pair(60000.0f, 6.0f));
    EXPECT_EQ(values(2.0f, target), std::pair(kInfinite, 6.0f));
    EXPECT_EQ(values(-2.0f, target), std::pair(-kInfinite, 0.0f));
    EXPECT_EQ(values(1e6f, target), std::pair(kInfinite, 6.0f));
    EXPECT_TRUE(std::isnan(values(std::nanf(""), target).first));
    EXPECT_EQ(values(std::nanf(""), target).second, 0);
  }
  Tensor input({1, 4, 3, 3});
  input.data.assign(input.data.size(), 2.0f);
  const Error overflow = Refusal(network, std::span(&input, 1));
  EXPECT_EQ(overflow.code(), Code::kOutOfRange);
  EXPECT_THAT(overflow.what(), ::testing::AllOf(::testing::HasSubstr("plain"), ::testing::HasSubstr("65504")));
  network.weights.at("clipped.weight").data[3] = -65520;
  const Error weight = Refusal(network, {});
  EXPECT_EQ(weight.code(), Code::kInvalidArgument);
  EXPECT_THAT(weight.what(), ::testing::HasSubstr("clipped.weight"));
}

}  // namespace
}  // namespace hot
