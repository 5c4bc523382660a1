// Against the reference interpreter and by hand, and what it is for: a network that rounding spoiled, trained on.
#include "train/fake_quantization.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "graph/fold.h"
#include "quantize/integer_layer.h"
#include "quantize/interpreter.h"
#include "tasks/task.h"
#include "train/graph_module.h"
#include "train/optimizer.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

at::Tensor ToTorch(const Tensor& tensor) { return at::tensor(tensor.data).view(tensor.shape); }

std::vector<float> Values(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().contiguous(at::MemoryFormat::Contiguous);
  return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
}

Tensor RandomTensor(std::vector<int64_t> shape, uint64_t seed, double size = 1) {
  Tensor tensor(std::move(shape));
  Rng rng(seed);
  for (float& value : tensor.data) value = static_cast<float>(rng.Uniform(-size, size));
  return tensor;
}

// With such scales float32 sums of integers below 2^24 are exact, so that nothing but a wrong rounding differs.
Quantization PowersOfTwo(Quantization quantization) {
  const auto up = [](float& scale) { scale = std::exp2(std::ceil(std::log2(scale))); };
  int zero_point = -20;
  for (auto& [node, scale] : quantization.activations) {
    up(scale.scale);
    if (scale.zero_point == 0 && quantization.scheme == "s8s8") scale.zero_point = zero_point = -zero_point;
  }
  for (auto& [layer, scales] : quantization.weight_scales) std::ranges::for_each(scales, up);
  return quantization;
}

std::unique_ptr<Task> SmallTask(const std::string& name) {
  TaskOptions options;
  options.task = name;
  options.input = {3, 64, 64};
  options.classes = {"dark", "bright"};
  options.keypoints = {"left", "right"};
  options.pyramid_channels = 16;
  return MakeTask(options);
}

Graph SmallNet(const Task& task, Purpose purpose) {
  const Backbone& net = FindBackbone("mobilenet_v2");
  return BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), task, purpose);
}

// Including those outputs that only the loss of a pose reads.
TEST(FakeQuantization, GivesWhatTheInterpreterGivesToTheLastBit) {
  for (const char* name : {"ssd", "cpn"}) {
    for (const char* scheme : {"s8s8", "u8s8"}) {
      SCOPED_TRACE(std::string(name) + " " + scheme);
      const auto task = SmallTask(name);
      const Graph training = SmallNet(*task, Purpose::kTraining), shipping = SmallNet(*task, Purpose::kShipping);
      const Weights weights = TimingWeights(training, 3);
      const Network trained = FoldBatchNorm(training, weights), shipped = FoldBatchNorm(shipping, weights);
      const Quantization quantization = PowersOfTwo(SyntheticQuantization(shipped, scheme));
      const Tensor input = RandomTensor({1, 3, 64, 64}, 5);
      const std::vector<Tensor> expected = Interpreter(shipped, quantization).Run(std::span(&input, 1));

      GraphModule module(trained.graph);
      module.Load(trained.weights);
      module.Quantize(quantization);
      const std::vector<at::Tensor> outputs = module.Forward(ToTorch(input));
      ASSERT_GE(outputs.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(Values(outputs[i]), expected[i].data) << i;
    }
  }
}

// input -> 3x3 convolution -> output, with `channels` of both.
Network OneConv(int channels, uint64_t seed) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {channels, 6, 6});
  builder.Output(builder.Conv("conv", x, {.out_channels = channels, .kernel = 3, .pads = {1, 1, 1, 1}, .bias = true}));
  Network network{.graph = std::move(builder).Build(), .weights = {}};
  network.weights = TimingWeights(network.graph, seed);
  return network;
}

TEST(FakeQuantization, RoundsWeightsAndBiasesToTheIntegersThatShip) {
  const Network network = OneConv(8, 1);
  for (const char* scheme : {"s8s8", "u8s8", "s16s8"}) {
    const Quantization quantization = SyntheticQuantization(network, scheme);
    const FakeQuantization rounding(network.graph, quantization, at::kCPU);
    const IntegerLayer layer =
        RoundLayer(network.graph.node(1), network.weights, quantization, quantization.activations.at("x").scale);
    const std::vector<float> weight = Values(rounding.Weight(1, ToTorch(network.weights.at("conv.weight"))));
    for (size_t i = 0; i < weight.size(); ++i)
      EXPECT_FLOAT_EQ(weight[i], static_cast<float>(layer.weight[i]) * layer.weight_scales[i / 72]);
    const std::vector<float>& exact = network.weights.at("conv.bias").data;
    const std::vector<float> bias = Values(rounding.Bias(1, ToTorch(network.weights.at("conv.bias"))));
    for (size_t c = 0; c < bias.size(); ++c)
      EXPECT_FLOAT_EQ(bias[c],
                      layer.bias.empty() ? exact[c] : static_cast<float>(layer.bias[c]) * layer.bias_scales[c]);
  }
}

TEST(FakeQuantization, LeavesAloneWhatComputesInFloat) {
  const Network network = OneConv(2, 1);
  const FakeQuantization rounding(network.graph, {}, at::kCPU);
  const at::Tensor x = at::randn({2, 2, 3, 3});
  EXPECT_TRUE(rounding.Output(0, x).is_same(x));
  EXPECT_TRUE(rounding.Weight(1, x).is_same(x));
  EXPECT_TRUE(rounding.Bias(1, x).is_same(x));
}

TEST(FakeQuantization, GradientsPassRoundingsAndStopWhereValuesAreClipped) {
  const Network network = OneConv(1, 1);
  const Quantization quantization{.activations = {{"x", {0.5f, -28}}}, .weight_scales = {{"conv", {0.1f}}}};
  const FakeQuantization rounding(network.graph, quantization, at::kCPU);
  // In [-50, 77.5].
  at::Tensor x = at::tensor({-60.0f, -50.2f, -0.25f, 0.3f, 77.6f, 78.0f}).set_requires_grad(true);
  const at::Tensor slope = at::tensor({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f});
  const at::Tensor y = rounding.Output(0, x);
  EXPECT_EQ(Values(y), (std::vector<float>{-50, -50, 0, 0.5f, 77.5f, 77.5f})) << "halves to even";
  (y * slope).sum().backward();
  EXPECT_EQ(Values(x.grad()), (std::vector<float>{0, 2, 3, 4, 5, 0}));
  // In [-12.7, 12.7].
  at::Tensor weight = at::tensor({-13.0f, -12.72f, 0.04f, 12.7f, 12.8f, 40.0f}).view({1, 6}).set_requires_grad(true);
  (rounding.Weight(1, weight) * slope).sum().backward();
  EXPECT_EQ(Values(weight.grad()), (std::vector<float>{0, 2, 3, 4, 0, 0}));
}

// Relative squared error of the integers, as the interpreter computes them, against `expected`.
double ErrorOf(const Network& network, const Quantization& quantization, const std::vector<Tensor>& inputs,
               const std::vector<Tensor>& expected) {
  const Interpreter interpreter(network, quantization);
  double error = 0, size = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor output = interpreter.Run(std::span(&inputs[i], 1))[0];
    for (size_t k = 0; k < output.data.size(); ++k) {
      error += std::pow(output.data[k] - expected[i].data[k], 2);
      size += std::pow(expected[i].data[k], 2);
    }
  }
  return error / size;
}

// pointwise - depthwise - pointwise. The first channel that either pointwise convolution reads is dead but has weights
// thirty times as large as the others, to which its scales leave a few integers; depthwise channels differ by 2^7.
Network Lopsided() {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {8, 6, 6});
  const NodeId wide = builder.Unary(Op::kRelu6, "a1", builder.Conv("c1", x, {.out_channels = 16, .bias = true}));
  const NodeId depth =
      builder.Conv("c2", wide, {.out_channels = 16, .kernel = 3, .groups = 16, .pads = {1, 1, 1, 1}, .bias = true});
  builder.Output(builder.Conv("c3", builder.Unary(Op::kRelu, "a2", depth), {.out_channels = 8, .bias = true}));
  Network network{.graph = std::move(builder).Build(), .weights = {}};
  network.weights = TimingWeights(network.graph, 3);
  for (const char* name : {"c1.weight", "c3.weight"}) {
    Tensor& weight = network.weights.at(name);
    const size_t row = weight.data.size() / static_cast<size_t>(weight.shape[0]);
    for (size_t i = 0; i < weight.data.size(); i += row) weight.data[i] = i / row % 2 == 0 ? 30 : -30;
  }
  Tensor& depthwise = network.weights.at("c2.weight");
  for (size_t i = 0; i < depthwise.data.size(); ++i) depthwise.data[i] *= static_cast<float>(std::exp2(i / 9 % 8)) / 8;
  network.weights.at("c2.bias").data[0] = -100;
  return network;
}

TEST(FakeQuantization, TrainingMendsWhatRoundingSpoiled) {
  at::set_num_threads(1);
  const Network network = Lopsided();
  std::vector<Tensor> inputs, expected;
  const Interpreter exact(network, {});
  for (uint64_t i = 0; i < 16; ++i) inputs.push_back(RandomTensor({1, 8, 6, 6}, i));
  for (Tensor& input : inputs) std::fill_n(input.data.begin(), 36, 0.0f);
  for (const Tensor& input : inputs) expected.push_back(exact.Run(std::span(&input, 1))[0]);
  const Quantization quantization = SyntheticQuantization(network);
  const double before = ErrorOf(network, quantization, inputs, expected);

  GraphModule module(network.graph);
  module.Load(network.weights);
  module.Quantize(quantization);
  module.Train(0.1);
  FlatParameters& parameters = module.parameters();
  Optimizer adam(parameters.values(), parameters.gradients(), {});
  std::vector<at::Tensor> images, targets;
  for (size_t i = 0; i < inputs.size(); ++i) {
    images.push_back(ToTorch(inputs[i]));
    targets.push_back(ToTorch(expected[i]));
  }
  constexpr int kSteps = 200;
  for (int step = 0; step < kSteps; ++step) {
    parameters.gradients().zero_();
    at::mse_loss(module.Forward(at::cat(images))[0], at::cat(targets)).backward();
    adam.Step(parameters.Ranges(0), 1e-2 * (1 - static_cast<double>(step) / kSteps), 0);
  }
  const double after = ErrorOf({network.graph, module.Store()}, quantization, inputs, expected);
  EXPECT_LT(after, before / 4);
}

}  // namespace
}  // namespace hot
