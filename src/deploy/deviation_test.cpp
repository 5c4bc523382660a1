#include "deploy/deviation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "deploy/test_networks.h"
#include "quantize/interpreter.h"

namespace hot {
namespace {

// What a perfect toolchain would give.
Artifact Perfect(const Network& network, const Quantization& quantization) {
  Artifact artifact;
  for (uint64_t seed : {1, 2}) {
    const Tensor input = RandomInput(network, seed);
    artifact.golden.push_back({input, Interpreter(network, quantization).Run(std::span(&input, 1))});
  }
  return artifact;
}

TEST(MeasureDeviation, CountsStepsOfEachOutput) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network);
  Artifact artifact = Perfect(network, quantization);
  for (const OutputDeviation& deviation : MeasureDeviation(artifact, network, quantization)) {
    EXPECT_EQ(deviation.max_lsb, 0) << deviation.output;
    EXPECT_EQ(deviation.share, 0) << deviation.output;
  }
  const float step = quantization.activations.at("classes").scale;
  artifact.golden[0].outputs[1].data[0] += 0.25f * step;
  artifact.golden[0].outputs[1].data[1] += step;
  artifact.golden[1].outputs[1].data[2] -= 3 * step;
  const Artifact reference = Perfect(network, quantization);
  std::vector<GoldenPair> far = reference.golden;
  for (GoldenPair& pair : far) {
    for (float& value : pair.outputs[1].data) value += 2 * step;
  }
  const auto deviations = MeasureDeviation(artifact, network, quantization, far);
  ASSERT_EQ(deviations.size(), 2u);
  EXPECT_EQ(deviations[0].output, "boxes");
  EXPECT_EQ(deviations[0].max_lsb, 0);
  EXPECT_EQ(deviations[1].output, "classes");
  EXPECT_FLOAT_EQ(static_cast<float>(deviations[1].step), step);
  EXPECT_NEAR(deviations[1].max_lsb, 3, 1e-3);
  EXPECT_NEAR(deviations[1].rms_lsb, std::sqrt((0.0625 + 1 + 9) / (2 * 12 * 8 * 8)), 1e-3);
  EXPECT_NEAR(deviations[1].noise_lsb, 2, 1e-3);
  EXPECT_NEAR(deviations[0].noise_lsb, 0, 1e-6);
  EXPECT_NEAR(deviations[1].share, 2.0 / (2 * 12 * 8 * 8), 1e-9);
}

TEST(MeasureDeviation, ProbabilitiesHave256Steps) {
  const Network network = EveryOp();
  const Quantization quantization = SyntheticQuantization(network);
  const auto deviations = MeasureDeviation(Perfect(network, quantization), network, quantization);
  ASSERT_EQ(deviations.size(), 2u);
  for (const OutputDeviation& deviation : deviations) EXPECT_EQ(deviation.step, 1.0 / 256) << deviation.output;
}

TEST(MeasureDeviation, RefusesOutputsOfAnotherNetworkAndNoNumbers) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network);
  Artifact artifact = Perfect(network, quantization);
  EXPECT_TRUE(MeasureDeviation(Artifact(), network, quantization).empty());
  Artifact broken = artifact;
  broken.golden[0].outputs[0].data[7] = NAN;
  EXPECT_THROW(MeasureDeviation(broken, network, quantization), Error);
  std::swap(artifact.golden[0].outputs[0], artifact.golden[0].outputs[1]);
  EXPECT_THROW(MeasureDeviation(artifact, network, quantization), Error);
  artifact.golden[0].outputs.pop_back();
  EXPECT_THROW(MeasureDeviation(artifact, network, quantization), Error);
}

}  // namespace
}  // namespace hot
