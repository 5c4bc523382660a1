#include "quantize/rounding.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "graph/fold.h"

namespace hot {
namespace {

struct Layer {
  Graph graph;
  Node node;
  Tensor weight, bias;
  std::vector<float> scales;
};

Layer MakeLayer(int in, int out, int kernel, int groups, int stride = 1) {
  GraphBuilder builder;
  const int pad = kernel / 2;
  const NodeId conv = builder.Conv("conv", builder.Input("x", {in, 9, 9}),
                                   {.out_channels = out,
                                    .kernel = kernel,
                                    .stride = stride,
                                    .groups = groups,
                                    .pads = {pad, pad, pad, pad},
                                    .bias = true});
  builder.Output(conv);
  Layer layer{.graph = std::move(builder).Build(), .node = {}, .weight = {}, .bias = {}, .scales = {}};
  layer.node = layer.graph.node(conv);
  const Weights weights = TimingWeights(layer.graph, 5);
  layer.weight = weights.at("conv.weight");
  layer.bias = weights.at("conv.bias");
  layer.scales.assign(static_cast<size_t>(out), 0.08f);  // coarse: some 20 steps
  return layer;
}

// Channels that are mixtures of few signals, with a mean: as trained networks have them, and where rounding up or down
// matters.
Tensor Picture(int channels, Rng& rng, double mean = 1) {
  Tensor input({1, channels, 9, 9});
  double a = 0, b = 0;
  for (size_t at = 0; at < 81; ++at) {
    a = 0.8 * a + 0.6 * rng.Normal();  // neighbours are alike
    b = 0.8 * b + 0.6 * rng.Normal();
    for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
      const double mix = a * std::cos(static_cast<double>(c)) + b * std::sin(2.0 * static_cast<double>(c));
      input.data[c * 81 + at] = static_cast<float>(mean + mix + 0.2 * rng.Normal());
    }
  }
  return input;
}

// The convolution itself, written once more without regard to speed: the oracle.
std::vector<double> Convolve(const Layer& layer, const Tensor& weight, const Tensor& bias, const Tensor& x) {
  const Attrs& a = layer.node.attrs;
  const int in = static_cast<int>(weight.shape[1]), per_group = layer.node.shape.c / a.groups;
  std::vector<double> y;
  for (int o = 0; o < layer.node.shape.c; ++o) {
    for (int row = 0; row < layer.node.shape.h; ++row) {
      for (int column = 0; column < layer.node.shape.w; ++column) {
        double sum = bias.data[static_cast<size_t>(o)];
        for (int i = 0; i < in * a.kernel * a.kernel; ++i) {
          const int c = o / per_group * in + i / (a.kernel * a.kernel);
          const int yy = row * a.stride - a.pads[0] + i / a.kernel % a.kernel;
          const int xx = column * a.stride - a.pads[1] + i % a.kernel;
          if (yy < 0 || xx < 0 || yy > 8 || xx > 8) continue;
          sum += static_cast<double>(weight.data[static_cast<size_t>(o * in * a.kernel * a.kernel + i)]) *
                 x.data[static_cast<size_t>(c * 81 + yy * 9 + xx)];
        }
        y.push_back(sum);
      }
    }
  }
  return y;
}

struct Difference {
  double mean = 0, variance = 0;  // of one output channel's error, averaged over channels: |mean|, variance
};

Difference Compare(const Layer& layer, const std::vector<std::vector<double>>& a,
                   const std::vector<std::vector<double>>& b) {
  const size_t plane = a[0].size() / static_cast<size_t>(layer.node.shape.c);
  Difference result;
  for (size_t c = 0; c < static_cast<size_t>(layer.node.shape.c); ++c) {
    double sum = 0, squares = 0, count = 0;
    for (size_t picture = 0; picture < a.size(); ++picture) {
      for (size_t i = c * plane; i < (c + 1) * plane; ++i, ++count) {
        sum += b[picture][i] - a[picture][i];
        squares += std::pow(b[picture][i] - a[picture][i], 2);
      }
    }
    result.mean += std::abs(sum / count) / layer.node.shape.c;
    result.variance += (squares / count - std::pow(sum / count, 2)) / layer.node.shape.c;
  }
  return result;
}

std::vector<std::vector<double>> Outputs(const Layer& layer, const Tensor& weight, const Tensor& bias, uint64_t seed) {
  std::vector<std::vector<double>> outputs;
  Rng rng(seed);
  for (int picture = 0; picture < 20; ++picture)
    outputs.push_back(Convolve(layer, weight, bias, Picture(layer.graph.node(0).shape.c, rng)));
  return outputs;
}

PatchMoments Observed(const Layer& layer, bool covariances, uint64_t seed, double mean = 1) {
  PatchMoments moments(layer.node, layer.graph.node(0).shape, covariances);
  Rng rng(seed);
  for (uint64_t picture = 0; picture < 60; ++picture)
    moments.Observe(Picture(layer.graph.node(0).shape.c, rng, mean), picture);
  return moments;
}

const std::vector<std::array<int, 5>> kLayers{{12, 8, 1, 1, 1}, {6, 6, 3, 6, 1}, {8, 4, 3, 2, 2}, {3, 8, 3, 1, 2}};

TEST(PatchMoments, PredictTheErrorOfRoundedWeights) {
  for (const auto& [in, out, kernel, groups, stride] : kLayers) {
    const Layer layer = MakeLayer(in, out, kernel, groups, stride);
    Tensor rounded = layer.weight;
    RoundToNearest(layer.scales, rounded);
    const Difference seen =
        Compare(layer, Outputs(layer, layer.weight, layer.bias, 1), Outputs(layer, rounded, layer.bias, 1));
    const PatchMoments moments = Observed(layer, true, 2);
    const size_t n = moments.patch_size();
    double variance = 0;
    for (size_t c = 0; c < static_cast<size_t>(out); ++c) {
      const std::vector<double> covariance =
          moments.Covariance(c * static_cast<size_t>(groups) / static_cast<size_t>(out));
      for (size_t i = 0; i < n * n; ++i) {
        const double ei = rounded.data[c * n + i / n] - layer.weight.data[c * n + i / n];
        const double ej = rounded.data[c * n + i % n] - layer.weight.data[c * n + i % n];
        variance += ei * ej * covariance[i] / out;
      }
    }
    EXPECT_NEAR(variance / seen.variance, 1, 0.15) << in << " " << kernel;
  }
}

TEST(RoundByReconstruction, ErrsLessThanNearestOnOtherPictures) {
  for (const auto& [in, out, kernel, groups, stride] : kLayers) {
    const Layer layer = MakeLayer(in, out, kernel, groups, stride);
    Tensor nearest = layer.weight, adaptive = layer.weight;
    RoundToNearest(layer.scales, nearest);
    RoundByReconstruction(layer.node, layer.scales, Observed(layer, true, 2), true, adaptive);
    const auto expected = Outputs(layer, layer.weight, layer.bias, 9);
    const double before = Compare(layer, expected, Outputs(layer, nearest, layer.bias, 9)).variance;
    const double after = Compare(layer, expected, Outputs(layer, adaptive, layer.bias, 9)).variance;
    const double won = kernel == 1 ? 0.6 : 1;  // the more weights see alike channels, the more
    EXPECT_LE(after, won * before) << in << " " << kernel;
    for (size_t i = 0; i < adaptive.data.size(); ++i) {
      const float steps = adaptive.data[i] / 0.08f;
      EXPECT_NEAR(steps, std::nearbyint(steps), 1e-3);
      EXPECT_LT(std::abs(adaptive.data[i] - layer.weight.data[i]), 0.08f) << "up or down";
    }
  }
}

TEST(RoundByReconstruction, KeepsTheMeanWhereNobodyCorrectsIt) {
  const Layer layer = MakeLayer(12, 8, 1, 1);
  const PatchMoments moments = Observed(layer, true, 2, 3.0);  // a mean that outweighs the variance
  Tensor kept = layer.weight, left = layer.weight;
  RoundByReconstruction(layer.node, layer.scales, moments, false, kept);
  RoundByReconstruction(layer.node, layer.scales, moments, true, left);
  const std::vector<double> mean = moments.Mean(0);
  const auto shift = [&](const Tensor& weight) {
    double sum = 0;
    for (size_t c = 0; c < 8; ++c) {
      double of_channel = 0;
      for (size_t i = 0; i < 12; ++i) of_channel += mean[i] * (weight.data[c * 12 + i] - layer.weight.data[c * 12 + i]);
      sum += std::abs(of_channel);
    }
    return sum;
  };
  EXPECT_LT(shift(kept), 0.5 * shift(left));
}

TEST(RoundByReconstruction, RandomChangesOfOneWeightNeverHelp) {
  const Layer layer = MakeLayer(12, 8, 1, 1);
  const PatchMoments moments = Observed(layer, true, 2);
  Tensor adaptive = layer.weight;
  RoundByReconstruction(layer.node, layer.scales, moments, true, adaptive);
  const auto covariance = moments.Covariance(0);
  const auto error = [&](const Tensor& weight, size_t c) {
    double sum = 0, trace = 0;
    for (size_t i = 0; i < 12; ++i) trace += covariance[i * 13];
    for (size_t i = 0; i < 144; ++i) {
      const double ei = weight.data[c * 12 + i / 12] - layer.weight.data[c * 12 + i / 12];
      const double ej = weight.data[c * 12 + i % 12] - layer.weight.data[c * 12 + i % 12];
      sum += ei * ej * (covariance[i] + (i % 13 == 0 ? 0.01 * trace / 12 : 0));
    }
    return sum;
  };
  for (size_t i = 0; i < adaptive.data.size(); ++i) {
    Tensor other = adaptive;
    other.data[i] += adaptive.data[i] > layer.weight.data[i] ? -0.08f : 0.08f;
    EXPECT_GE(error(other, i / 12), error(adaptive, i / 12) * (1 - 1e-6)) << i;
  }
}

TEST(CorrectBias, BringsTheMeanBack) {
  for (const auto& [in, out, kernel, groups, stride] : kLayers) {
    const Layer layer = MakeLayer(in, out, kernel, groups, stride);
    Tensor rounded = layer.weight, bias = layer.bias;
    RoundToNearest(layer.scales, rounded);
    const PatchMoments moments = Observed(layer, false, 2);
    CorrectBias(layer.node, layer.weight, moments, rounded, moments, bias);
    const auto expected = Outputs(layer, layer.weight, layer.bias, 9);
    const double before = Compare(layer, expected, Outputs(layer, rounded, layer.bias, 9)).mean;
    const double after = Compare(layer, expected, Outputs(layer, rounded, bias, 9)).mean;
    EXPECT_LT(after, 0.35 * before) << in << " " << kernel;
  }
}

TEST(CorrectBias, MakesUpForAShiftedInput) {
  const Layer layer = MakeLayer(12, 8, 1, 1);
  Tensor bias = layer.bias;
  CorrectBias(layer.node, layer.weight, Observed(layer, false, 2, 1.0), layer.weight, Observed(layer, false, 2, 1.5),
              bias);
  for (size_t c = 0; c < 8; ++c) {
    double row = 0;
    for (size_t i = 0; i < 12; ++i) row += layer.weight.data[c * 12 + i];
    EXPECT_NEAR(bias.data[c], layer.bias.data[c] - 0.5 * row, 1e-3) << c;
  }
}

TEST(PatchMoments, RefusesCovariancesThatItDidNotKeep) {
  const Layer layer = MakeLayer(3, 4, 1, 1);
  EXPECT_THROW(Observed(layer, false, 1).Covariance(0), Error);
}

}  // namespace
}  // namespace hot
