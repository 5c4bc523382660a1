// From pictures to an int8 network where the pictures or the weights are odd: a right result or one clear line.
#include "deploy/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "deploy/deviation.h"
#include "deploy/test_networks.h"
#include "deploy/toolchain.h"

namespace hot {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<Tensor> Pictures(const Network& network) { return {RandomInput(network, 1), RandomInput(network, 2)}; }

template <typename Function>
std::string Refusal(Code code, const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Calibrate, RefusesPicturesThatShowNothing) {
  const Network network = SmallMobileNet();
  EXPECT_THAT(Refusal(Code::kFailedPrecondition, [&] { Calibrate(network, {}); }), HasSubstr("no pictures"));
  Tensor black({1, 3, 32, 32}, -2.1f);
  std::fill_n(black.data.begin() + 32 * 32, 32 * 32, -2.0f);  // a mean of its own for each channel
  for (const std::vector<Tensor>& pictures : {std::vector{black}, std::vector{black, black}}) {
    EXPECT_THAT(Refusal(Code::kFailedPrecondition, [&] { Calibrate(network, pictures); }),
                AllOf(HasSubstr("show nothing"), HasSubstr("different pictures")));
  }
  Tensor dot = black;
  dot.data.back() = 1;
  EXPECT_FALSE(Calibrate(network, {dot}).empty());
}

// Batch norm and ReLU may have switched all of a layer off: its map is zero, whatever the pictures show.
TEST(Calibrate, ADeadMapIsNoReasonToRefuse) {
  const std::pair<float, std::string> cases[] = {{-1, "s8s8"}, {2, "u8s8"}};  // behind ReLU6: zero, a constant
  for (const auto& [bias, scheme] : cases) {
    Network network = SmallMobileNet();
    std::ranges::fill(network.weights.at("block2.depth.conv.weight").data, 0.0f);
    std::ranges::fill(network.weights.at("block2.depth.conv.bias").data, bias);
    const Quantization quantization = Quantize(network, Calibrate(network, Pictures(network)), {.scheme = scheme});
    const Artifact artifact =
        MakeToolchain("openvino")
            ->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization});
    for (const OutputDeviation& deviation : MeasureDeviation(artifact, network, quantization))
      EXPECT_LE(deviation.max_lsb, 2) << deviation.output << " " << scheme;
    const Tensor& input = artifact.golden[0].input;
    const Artifact fp32 = MakeToolchain("openvino")->Compile({.network = network, .golden_inputs = {&input, 1}});
    const std::vector<float>&exact = fp32.golden[0].outputs[1].data, &got = artifact.golden[0].outputs[1].data;
    for (size_t i = 0; i < exact.size(); ++i) ASSERT_NEAR(got[i], exact[i], 0.2) << scheme;
  }
}

TEST(Calibrate, RefusesWeightsThatAreNotNumbers) {
  for (const float broken : {NAN, INFINITY}) {
    Network network = SmallMobileNet();
    network.weights.at("block1.depth.conv.weight").data[3] = broken;
    EXPECT_THAT(Refusal(Code::kDataLoss, [&] { Calibrate(network, Pictures(network)); }),
                AllOf(HasSubstr("block1.depth.conv.weight"), HasSubstr("not finite")));
    const Quantization quantization = SyntheticQuantization(SmallMobileNet());
    EXPECT_THAT(
        Refusal(Code::kDataLoss,
                [&] {
                  MakeToolchain("openvino")
                      ->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization});
                }),
        HasSubstr("block1.depth.conv.weight"));
  }
}

// Without histograms the network finds them itself.
TEST(Calibrate, ExtremesAreTheSameWithAndWithoutHistograms) {
  for (const Network& network : {SmallMobileNet(), EveryOp()}) {
    const Observations all = Calibrate(network, Pictures(network));
    const Observations extremes = Calibrate(network, Pictures(network), /*histograms=*/false);
    ASSERT_EQ(all.size(), extremes.size());
    for (const auto& [node, observer] : all) {  // fused otherwise, sums are rounded otherwise
      const float near = 1e-5f * std::max(std::abs(observer.min()), std::abs(observer.max()));
      EXPECT_NEAR(extremes.at(node).min(), observer.min(), near) << node;
      EXPECT_NEAR(extremes.at(node).max(), observer.max(), near) << node;
      EXPECT_TRUE(extremes.at(node).histogram().counts.empty());
    }
  }
}

TEST(Calibrate, ValuesThatOverflowAreNoRange) {
  Network network = SmallMobileNet();
  std::ranges::fill(network.weights.at("block1.project.conv.weight").data, 3e38f);
  for (const bool histograms : {false, true}) {
    const Observations observations = Calibrate(network, Pictures(network), histograms);
    EXPECT_THAT(Refusal(Code::kFailedPrecondition, [&] { Quantize(network, observations, {.ranges = "minmax"}); }),
                HasSubstr("NaN or infinity"));
  }
}

// OpenVINO would not round them.
TEST(ActivationReader, ShowsActivationsOf16BitsAsTheirReadersSeeThem) {
  const Network network = SmallMobileNet();
  const Quantization quantization =
      Quantize(network, Calibrate(network, Pictures(network)), {.ranges = "minmax", .scheme = "s16s8"});
  const std::vector<std::string> nodes = {"classes", "image", "block1.add", "image"};
  const Tensor input = RandomInput(network, 1);
  const std::vector<Tensor> rounded = ActivationReader(network, &quantization, nodes).Read(input);
  const std::vector<Tensor> exact = ActivationReader(network, nullptr, nodes).Read(input);
  ASSERT_EQ(rounded.size(), nodes.size());
  for (size_t node = 0; node < nodes.size(); ++node) {
    ASSERT_EQ(rounded[node].shape, exact[node].shape);
    const double scale = quantization.activations.at(nodes[node]).scale;
    for (size_t i = 0; i < rounded[node].data.size(); ++i) {
      const double steps = rounded[node].data[i] / scale;
      if (nodes[node] != "classes") {  // an output is not rounded
        EXPECT_NEAR(steps, std::nearbyint(steps), 1e-2);
      }
      EXPECT_NEAR(rounded[node].data[i], exact[node].data[i], 0.1) << nodes[node];
    }
  }
  EXPECT_THAT(Refusal(Code::kNotFound, [&] { ActivationReader(network, &quantization, {"nobody"}); }),
              HasSubstr("nobody"));
}

// Channels that training has switched off: weights and bias are zero, or only the weights.
TEST(Calibrate, DeadChannelsStayWhatTheyAre) {
  Network network = SmallMobileNet();
  const auto kill = [&](const std::string& layer, size_t channels) {
    std::vector<float>& weight = network.weights.at(layer + ".weight").data;
    const size_t row = weight.size() / network.weights.at(layer + ".bias").data.size();
    std::fill_n(weight.begin(), channels * row, 0.0f);
  };
  kill("block1.depth.conv", 5);
  std::fill_n(network.weights.at("block1.depth.conv.bias").data.begin(), 3, 0.0f);
  kill("block2.project.conv", 24);  // all of them
  kill("classes", 2);
  network.weights.at("classes.bias").data = {0.75f, -0.5f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const Quantization quantization = Quantize(network, Calibrate(network, Pictures(network)), {.ranges = "minmax"});
  const Artifact artifact =
      MakeToolchain("openvino")
          ->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization});
  const Tensor& classes = artifact.golden.at(0).outputs.at(1);
  for (size_t cell = 0; cell < 64; ++cell) {
    EXPECT_NEAR(classes.data[cell], 0.75f, 1e-4);
    EXPECT_NEAR(classes.data[64 + cell], -0.5f, 1e-4);
  }
  for (const OutputDeviation& deviation : MeasureDeviation(artifact, network, quantization))
    EXPECT_LE(deviation.max_lsb, 2) << deviation.output;
}

}  // namespace
}  // namespace hot
