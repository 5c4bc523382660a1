#include "deploy/post_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "deploy/calibrate.h"
#include "deploy/quantization_error.h"
#include "deploy/test_networks.h"

namespace hot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PostTraining : public ::testing::Test {
 protected:
  // Smooth, as pictures are: neighbours and channels are alike, which is what rounding can make use of.
  static Tensor Picture(const Network& network, uint64_t seed) {
    Tensor input = RandomInput(network, seed);
    Rng rng(seed);
    const double across = rng.Uniform(-0.5, 0.5), down = rng.Uniform(-0.5, 0.5), phase = rng.Uniform(0, 6);
    for (size_t i = 0; i < input.data.size(); ++i) {
      const auto x = static_cast<double>(i % 32), y = static_cast<double>(i / 32 % 32);
      input.data[i] = static_cast<float>(0.1 * input.data[i] + std::sin(across * x + down * y + phase));
    }
    return input;
  }

  static std::vector<Tensor> Inputs(const Network& network, uint64_t first, int count) {
    std::vector<Tensor> inputs;
    for (int i = 0; i < count; ++i) {
      inputs.push_back(Picture(network, first + static_cast<uint64_t>(i)));
      inputs.back().data[static_cast<size_t>(i)] = 9;  // a speck that no step should be spent on
    }
    return inputs;
  }

  QuantizedNetwork Quantized(const PostTrainingOptions& options) {
    return QuantizeAfterTraining(network_, inputs_, options, context_);
  }

  // On pictures that calibration has not seen.
  double Error(const QuantizedNetwork& quantized) {
    return OutputError(network_, Inputs(network_, 100, 6)).Of(quantized.network, quantized.quantization);
  }

  const std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_ = false;
  const Context context_{SystemClock(), *progress_, cancelled_};
  const Network network_ = SmallMobileNet();
  const std::vector<Tensor> inputs_ = Inputs(network_, 1, 24);
};

TEST_F(PostTraining, AutoTakesTheLeastErrorOfEachTensor) {
  const QuantizedNetwork chosen = Quantized({.ranges = "auto"});
  const OutputError error(network_, {inputs_.begin(), inputs_.begin() + 8});
  const Observations observations = Calibrate(network_, inputs_);
  std::set<std::string> methods;
  for (const auto& [node, method] : chosen.ranges) methods.insert(method);
  for (const char* node : {"image", "stem.act", "block3.add", "block4.project.conv"}) {
    ASSERT_TRUE(chosen.ranges.contains(node)) << node;
    const Quantization own{.activations = {{node, chosen.quantization.activations.at(node)}}, .weight_scales = {}};
    const double ours = error.Of(network_, own);
    for (const std::string& method : RangeMethods()) {
      const Quantization other = Quantize(network_, observations, {.ranges = method});
      const Quantization only{.activations = {{node, other.activations.at(node)}}, .weight_scales = {}};
      EXPECT_LE(ours, error.Of(network_, only) * 1.1 + 1e-9) << node << " " << method;  // near-equal scales are one
    }
  }
  EXPECT_GT(methods.size(), 1u) << "no tensor differs: this test shows nothing";
}

TEST_F(PostTraining, AdaptiveRoundingAndBiasCorrectionLowerTheError) {
  const double nearest = Error(Quantized({}));
  const double corrected = Error(Quantized({.correct_bias = true}));
  const double adaptive = Error(Quantized({.rounding = "adaptive"}));
  const double both = Error(Quantized({.correct_bias = true, .rounding = "adaptive"}));
  std::printf("output error: nearest %.4f, corrected %.4f, adaptive %.4f, both %.4f\n", nearest, corrected, adaptive,
              both);
  EXPECT_LT(corrected, nearest);
  EXPECT_LT(adaptive, nearest);
  EXPECT_LT(both, 0.9 * nearest);
}

TEST_F(PostTraining, RoundsAdaptivelyByItselfWhereActivationsHave16Bits) {
  const auto weights = [&](const PostTrainingOptions& options) {
    return Quantized(options).network.weights.at("block3.project.conv.weight").data;
  };
  EXPECT_EQ(weights({.scheme = "s16s8"}), weights({.scheme = "s16s8", .rounding = "adaptive"}));
  EXPECT_NE(weights({.scheme = "s16s8"}), weights({.scheme = "s16s8", .rounding = "nearest"}));
  EXPECT_EQ(weights({.scheme = "s8s8"}), weights({.scheme = "s8s8", .rounding = "nearest"}));
}

TEST_F(PostTraining, WeightsComeOutAsMultiplesOfTheirScales) {
  const QuantizedNetwork quantized = Quantized({.rounding = "adaptive"});
  for (const auto& [layer, scales] : quantized.quantization.weight_scales) {
    const Tensor& weight = quantized.network.weights.at(layer + ".weight");
    for (size_t i = 0; i < weight.data.size(); ++i) {
      const double steps = weight.data[i] / static_cast<double>(scales[i * scales.size() / weight.data.size()]);
      EXPECT_NEAR(steps, std::nearbyint(steps), 1e-3) << layer;
      EXPECT_LE(std::abs(steps), 127.001) << layer;
    }
  }
}

TEST_F(PostTraining, EqualisationLeavesTheFloatNetworkAsItWas) {
  const QuantizedNetwork equalized = Quantized({.equalize = true});
  std::vector<Tensor> expected;
  ReadActivations(network_, nullptr, {"boxes", "classes"}, inputs_,
                  [&](size_t, size_t, const Tensor& output) { expected.push_back(output); });
  ReadActivations(equalized.exact, nullptr, {"boxes", "classes"}, inputs_,
                  [&](size_t picture, size_t node, const Tensor& output) {
                    const Tensor& was = expected[picture * 2 + node];
                    for (size_t i = 0; i < output.data.size(); ++i) EXPECT_NEAR(output.data[i], was.data[i], 2e-3);
                  });
  EXPECT_NE(equalized.exact.weights.at("block1.depth.conv.weight").data,
            network_.weights.at("block1.depth.conv.weight").data);
}

TEST_F(PostTraining, SensitivityPutsTheBrokenLayerFirst) {
  QuantizedNetwork quantized = Quantized({});
  for (float& scale : quantized.quantization.weight_scales.at("block3.project.conv")) scale *= 40;
  const std::vector<LayerError> errors = MeasureSensitivity(quantized, inputs_, context_);
  ASSERT_EQ(errors.size(), 15u);
  EXPECT_EQ(errors[0].layer, "block3.project.conv");
  EXPECT_GT(errors[0].error, 5 * errors[1].error);
  EXPECT_TRUE(std::ranges::is_sorted(errors, std::greater(), &LayerError::error));
  const QuantizedNetwork repaired = WithFloatLayers(quantized, {"block3.project.conv"});
  EXPECT_LT(Error(repaired), 0.5 * Error(quantized));
}

TEST_F(PostTraining, SqnrTellsHowMuchOfEachTensorIsLeft) {
  const QuantizedNetwork quantized = Quantized({.ranges = "minmax"});
  const std::map<std::string, double> sqnr = LayerSqnr(quantized, inputs_);
  EXPECT_EQ(sqnr.size(), quantized.quantization.activations.size());
  for (const auto& [node, decibels] : sqnr) {
    EXPECT_GT(decibels, 8) << node;
    EXPECT_LT(decibels, 60) << node;
  }
  // Rounding alone: the noise is uniform within a step, of variance scale^2 / 12; a wave's power is a half.
  const double scale = quantized.quantization.activations.at("image").scale;
  EXPECT_NEAR(sqnr.at("image"), 10 * std::log10(6 / (scale * scale)), 1);
  QuantizedNetwork wide = Quantized({.scheme = "u8s8"});
  EXPECT_NEAR(LayerSqnr(wide, inputs_).at("image"), LayerSqnr(Quantized({}), inputs_).at("image"), 0.3);
}

TEST_F(PostTraining, RefusesWhatItDoesNotKnowAndAnEmptySet) {
  const auto code = [&](const PostTrainingOptions& options, const std::vector<Tensor>& inputs) {
    try {
      QuantizeAfterTraining(network_, inputs, options, context_);
    } catch (const hot::Error& error) {
      return error.code();
    }
    return Code::kOk;
  };
  EXPECT_EQ(code({.ranges = "guess"}, inputs_), Code::kInvalidArgument);
  EXPECT_EQ(code({.rounding = "upwards"}, inputs_), Code::kInvalidArgument);
  EXPECT_EQ(code({.scheme = "s4s4"}, inputs_), Code::kInvalidArgument);
  EXPECT_EQ(code({}, {}), Code::kFailedPrecondition);
  EXPECT_EQ(code({.ranges = "minmax"}, {Tensor({1, 3, 32, 32})}), Code::kFailedPrecondition) << "one black picture";
  cancelled_ = true;
  EXPECT_EQ(code({.ranges = "auto"}, inputs_), Code::kCancelled);
}

TEST_F(PostTraining, AnUnknownNodeIsNamed) {
  try {
    ReadActivations(network_, nullptr, {"image", "nowhere"}, inputs_, [](size_t, size_t, const Tensor&) {});
    FAIL();
  } catch (const hot::Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("nowhere"));
  }
}

}  // namespace
}  // namespace hot
