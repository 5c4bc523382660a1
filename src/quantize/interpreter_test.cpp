// The interpreter against sums by hand. Whole networks: tests/interpreter_oracle_test.cpp.
#include "quantize/interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "quantize/interpreter_ops.h"

namespace hot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// input [1, 2, 3] -> 1x1 convolution to `out` channels -> output, with round numbers for scales.
Network OneConv(std::vector<float> weight, std::vector<float> bias) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {1, 2, 3});
  builder.Output(builder.Conv("conv", x, {.out_channels = static_cast<int>(weight.size()), .bias = true}));
  Network network{.graph = std::move(builder).Build(), .weights = {}};
  Tensor& w = network.weights["conv.weight"] = Tensor({std::ssize(weight), 1, 1, 1});
  w.data = std::move(weight);
  Tensor& b = network.weights["conv.bias"] = Tensor({std::ssize(bias)});
  b.data = std::move(bias);
  return network;
}

Tensor Input(std::vector<float> values) {
  Tensor input({1, 1, 2, 3});
  input.data = std::move(values);
  return input;
}

TEST(Interpreter, RoundsHalvesToEvenAddsTheZeroPointAndSaturates) {
  const Network network = OneConv({1}, {0});
  const Quantization quantization{.activations = {{"x", {0.5f, -100}}, {"conv", {1, 3}}},
                                  .weight_scales = {{"conv", {1}}}};
  // Steps of 0.5: 0.25 and 0.75 lie between two.
  const Tensor input = Input({0.25f, 0.75f, 1.25f, -0.25f, 1000, -1000});
  const Interpreter interpreter(network, quantization);
  EXPECT_THAT(interpreter.Run(std::span(&input, 1))[0].data, ElementsAre(0, 1, 1, 0, 113.5f, -14));
  const Tensor steps = Input({-100, -98, -99, -97, 127, -128});  // reals 0, 1, 0.5, 1.5, 113.5, -14
  const Interpreter integers(network, quantization, Borders::kIntegers);
  EXPECT_THAT(integers.Run(std::span(&steps, 1))[0].data, ElementsAre(3, 4, 3, 5, 117, -11));
  const Interpreter rounded(network, quantization, Borders::kRounded);  // 0.5 and 113.5 to even: 0 and 114
  EXPECT_THAT(rounded.Run(std::span(&input, 1))[0].data, ElementsAre(0, 1, 1, 0, 114, -14));
}

TEST(Interpreter, AVisitorSeesWhatEachNodeGivesAndMayChangeWhatIsRead) {
  const Network network = OneConv({1}, {0});
  const Quantization quantization{.activations = {{"x", {0.5f, -100}}, {"conv", {1, 3}}},
                                  .weight_scales = {{"conv", {1}}}};
  std::vector<std::string> seen;
  const auto visit = [&](const Node& node, Interpreter::Value& value) {
    seen.push_back(node.name);
    if (node.name == "x") {
      EXPECT_THAT(value.steps, ElementsAre(2, 4, 6, 8, 10, 12));
      EXPECT_THAT(value.reals, ElementsAre(1, 2, 3, 4, 5, 6));
      value.steps[0] = 20;
    } else {
      EXPECT_EQ(value.reals[0], 10);
      if (!value.steps.empty()) value.steps[1] = -7;
    }
  };
  const Tensor input = Input({1, 2, 3, 4, 5, 6});
  const Interpreter interpreter(network, quantization, Borders::kRounded);
  EXPECT_THAT(interpreter.Run(std::span(&input, 1), visit)[0].data, ElementsAre(10, -7, 3, 4, 5, 6));
  EXPECT_THAT(Interpreter(network, quantization).Run(std::span(&input, 1), visit)[0].data,
              ElementsAre(10, 2, 3, 4, 5, 6));
  EXPECT_THAT(seen, ElementsAre("x", "conv", "x", "conv"));
}

TEST(Interpreter, BiasesAreIntegersInTheProductOfBothScales) {
  const Network network = OneConv({2, -1}, {0.3f, 1});
  const Quantization quantization{.activations = {{"x", {0.5f, 0}}, {"conv", {1, 0}}},
                                  .weight_scales = {{"conv", {0.5f, 0.25f}}}};
  const Tensor input = Input({1, 2, 3, 4, 5, 6});
  // 0.3 = 1.2 steps of 0.25 -> 0.25.
  EXPECT_THAT(Interpreter(network, quantization).Run(std::span(&input, 1))[0].data,
              ElementsAre(2.25f, 4.25f, 6.25f, 8.25f, 10.25f, 12.25f, 0, -1, -2, -3, -4, -5));
}

TEST(Interpreter, PaddingIsZeroWhateverTheZeroPoint) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {1, 2, 3});
  builder.Output(builder.Conv("conv", x, {.out_channels = 1, .kernel = 3, .stride = 2, .pads = {1, 1, 1, 1}}));
  Network network{.graph = std::move(builder).Build(), .weights = {}};
  network.weights["conv.weight"] = Tensor({1, 1, 3, 3}, 1);
  const Quantization quantization{.activations = {{"x", {1, 90}}}, .weight_scales = {{"conv", {1}}}};
  const Tensor input = Input({1, 2, 3, 4, 5, 6});
  EXPECT_THAT(Interpreter(network, quantization).Run(std::span(&input, 1))[0].data, ElementsAre(12, 16));
}

TEST(Interpreter, DeadChannelsGiveTheirBias) {
  const Network network = OneConv({0, 0}, {0, -2});
  const Quantization quantization{.activations = {{"x", {0.5f, 0}}, {"conv", {1, 0}}},
                                  .weight_scales = {{"conv", {0.5f, 0.25f}}}};
  const Tensor input = Input({1, 2, 3, 4, 5, 6});
  EXPECT_THAT(Interpreter(network, quantization).Run(std::span(&input, 1))[0].data,
              ElementsAre(0, 0, 0, 0, 0, 0, -2, -2, -2, -2, -2, -2));
}

TEST(Interpreter, UnsignedActivationsSaturateAt0And255) {
  const Network network = OneConv({1}, {0});
  const Quantization quantization{
      .scheme = "u8s8", .activations = {{"x", {0.5f, 128}}, {"conv", {1, 0}}}, .weight_scales = {{"conv", {1}}}};
  const Tensor input = Input({0.25f, 0.75f, 1.25f, -0.25f, 1000, -1000});
  EXPECT_THAT(Interpreter(network, quantization).Run(std::span(&input, 1))[0].data,
              ElementsAre(0, 1, 1, 0, 63.5f, -64));
  const Tensor steps = Input({128, 130, 0, 255, 300, -1});  // reals 0, 1, -64, 63.5 and, saturated, 63.5, -64
  EXPECT_THAT(Interpreter(network, quantization, Borders::kIntegers).Run(std::span(&steps, 1))[0].data,
              ElementsAre(0, 1, 0, 64, 64, 0));
}

TEST(Interpreter, SixteenBitActivationsAreSymmetricAndKeepTheirBiasInFloat) {
  const Network network = OneConv({1}, {0.3f});
  const Quantization quantization{
      .scheme = "s16s8", .activations = {{"x", {0.25f, 0}}, {"conv", {1, 0}}}, .weight_scales = {{"conv", {1}}}};
  const Tensor input = Input({0.125f, 0.375f, -0.375f, 100, 1e6f, -1e6f});
  const auto plus_bias = [](double real) { return static_cast<float>(real + static_cast<double>(0.3f)); };
  EXPECT_THAT(Interpreter(network, quantization).Run(std::span(&input, 1))[0].data,
              ElementsAre(plus_bias(0), plus_bias(0.5), plus_bias(-0.5), plus_bias(100), plus_bias(32767 * 0.25),
                          plus_bias(-32768 * 0.25)));
}

// image x -> first -> second -> output; only one of both is in integers.
TEST(Interpreter, ALayerWithoutWeightScalesComputesInFloat) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {1, 2, 3});
  const NodeId first = builder.Conv("first", x, {.out_channels = 1, .bias = true});
  builder.Output(builder.Conv("second", first, {.out_channels = 1, .bias = true}));
  Network network{.graph = std::move(builder).Build(), .weights = {}};
  for (const char* layer : {"first", "second"}) {
    network.weights[std::string(layer) + ".weight"] = Tensor({1, 1, 1, 1}, 0.75f);
    network.weights[std::string(layer) + ".bias"] = Tensor({1}, 0.125f);
  }
  const Tensor input = Input({1, 0.25f, -1.75f, 100, 0, 0});
  // Steps of 1 for x: 1, 0, -2, 100; weight 0.75 is 2 steps of 0.5, halves to even: 1.0; bias 0.125 is 0 steps of 0.5.
  // Then 0.75 y + 0.125.
  const Quantization only_first{.activations = {{"x", {1, 0}}, {"first", {1, 0}}, {"second", {1, 0}}},
                                .weight_scales = {{"first", {0.5f}}}};
  EXPECT_THAT(Interpreter(network, only_first).Run(std::span(&input, 1))[0].data,
              ElementsAre(0.875f, 0.125f, -1.375f, 75.125f, 0.125f, 0.125f));
  // 0.75 x + 0.125 exactly, then in steps of 1: 1 (0.875), 0 (0.3125), -1 (-1.1875), 75 (75.125), 0, 0.
  const Quantization only_second{.activations = {{"first", {1, 0}}, {"second", {1, 0}}},
                                 .weight_scales = {{"second", {0.5f}}}};
  EXPECT_THAT(Interpreter(network, only_second).Run(std::span(&input, 1))[0].data, ElementsAre(1, 0, -1, 75, 0, 0));
}

// 70000 products of 255 and 127 are more than an int32 holds.
TEST(WindowSums, AreExactBeyond32Bits) {
  constexpr int kChannels = 70'000;
  GraphBuilder builder;
  builder.Conv("conv", builder.Input("x", {kChannels, 1, 1}), {.out_channels = 2});
  builder.Output(1);
  const Graph graph = std::move(builder).Build();
  std::vector<int8_t> weight(2 * kChannels, 127);
  std::fill(weight.begin() + kChannels, weight.end(), int8_t{-127});
  const std::vector<int16_t> steps(kChannels, 255);
  EXPECT_THAT(WindowSums(graph.node(1), {kChannels, 1, 1}, steps, weight),
              ElementsAre(int64_t{kChannels} * 255 * 127, -int64_t{kChannels} * 255 * 127));
}

TEST(InterpreterOps, PoolsLeaveThePaddingOut) {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {1, 2, 3});
  const NodeId max = builder.Pool(Op::kMaxPool, "max", x, 3, 2, 1);
  const NodeId mean = builder.Pool(Op::kAvgPool, "mean", x, 3, 2, 1);
  builder.Output(builder.Add("add", max, mean));
  const Graph graph = std::move(builder).Build();
  const Shape in{1, 2, 3};
  const Reals values = {-1, -2, -3, -4, -5, -6};
  EXPECT_THAT(MaxPoolReals(graph.node(max), in, values), ElementsAre(-1, -2));
  EXPECT_THAT(AveragePoolReals(graph.node(mean), in, values), ElementsAre(-3, -4));
  EXPECT_THAT(ChannelMeans(in, values), ElementsAre(-3.5));
  EXPECT_THAT(UpsampleReals({1, 1, 2}, 2, {1, 2}), ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
  EXPECT_THAT(SoftmaxReals({2, 1, 1}, {1000, 1000}), ElementsAre(0.5, 0.5));
}

template <typename Function>
std::string Thrown(Code code, const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Interpreter, RefusesWhatItCanNotRun) {
  const Network network = OneConv({1}, {0});
  Quantization quantization{.activations = {{"x", {0.5f, 0}}, {"conv", {1, 0}}}, .weight_scales = {{"conv", {1}}}};
  const Interpreter interpreter(network, quantization);
  EXPECT_THAT(Thrown(Code::kInvalidArgument, [&] { interpreter.Run({}); }), HasSubstr("0 inputs"));
  const Tensor small({1, 1, 1, 1}), nan = Input({1, 2, NAN, 4, 5, 6});
  EXPECT_THAT(Thrown(Code::kInvalidArgument, [&] { interpreter.Run(std::span(&small, 1)); }), HasSubstr("wants 6"));
  EXPECT_THAT(Thrown(Code::kInvalidArgument, [&] { interpreter.Run(std::span(&nan, 1)); }), HasSubstr("NaN"));
  quantization.activations.erase("x");
  EXPECT_THAT(Thrown(Code::kNotFound, [&] { Interpreter(network, quantization); }), HasSubstr("node x"));
  quantization.activations["x"] = {0.5f, 0};
  quantization.weight_scales["conv"].push_back(1);
  EXPECT_THAT(Thrown(Code::kNotFound, [&] { Interpreter(network, quantization); }), HasSubstr("node conv"));
}

}  // namespace
}  // namespace hot
