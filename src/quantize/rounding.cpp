#include "quantize/rounding.h"

#include <algorithm>
#include <cmath>

#include "quantize/integer_layer.h"

namespace hot {
namespace {

constexpr double kWeightMax = 127;
constexpr int kMostSweeps = 20;
constexpr double kRidge = 0.01;  // of the mean variance, added to each: what few patches do not show still counts

size_t GroupOf(const Node& layer, size_t channel) {
  const int groups = layer.op == Op::kConv ? layer.attrs.groups : 1;
  return channel * static_cast<size_t>(groups) / static_cast<size_t>(layer.shape.c);
}

// With the ridge; symmetric.
std::vector<double> Importance(const PatchMoments& moments, size_t group, bool free_mean) {
  std::vector<double> matrix = free_mean ? moments.Covariance(group) : moments.SecondMoments(group);
  const size_t n = moments.patch_size();
  double trace = 0;
  for (size_t i = 0; i < n; ++i) trace += matrix[i * n + i];
  const double ridge = trace > 0 ? kRidge * trace / static_cast<double>(n) : 1;
  for (size_t i = 0; i < n; ++i) matrix[i * n + i] += ridge;
  return matrix;
}

// One output channel: integers that start at the nearest and end where no single step up or down lowers the error.
class Channel {
 public:
  Channel(const float* weight, double scale, const std::vector<double>& importance, size_t size)
      : weight_(weight), scale_(scale), importance_(importance), steps_(size), gradient_(size, 0) {
    for (size_t i = 0; i < size; ++i) {
      steps_[i] = std::clamp(std::nearbyint(weight[i] / scale), -kWeightMax, kWeightMax);
      Spread(i, steps_[i] * scale - weight[i]);
    }
  }

  std::vector<double> Descend() {
    for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
      bool changed = false;
      for (size_t i = 0; i < steps_.size(); ++i) changed |= Improve(i);
      if (!changed) break;
    }
    return std::move(steps_);
  }

 private:
  void Spread(size_t i, double change) {
    const double* row = importance_.data() + i * steps_.size();
    for (size_t j = 0; j < gradient_.size(); ++j) gradient_[j] += change * row[j];
  }

  // The other of the two integers around the weight.
  bool Improve(size_t i) {
    const double exact = weight_[i] / scale_;
    const double other = steps_[i] > exact ? std::floor(exact) : std::ceil(exact);
    if (other == steps_[i] || std::abs(other) > kWeightMax) return false;
    const double change = (other - steps_[i]) * scale_;
    const double curvature = importance_[i * steps_.size() + i];
    if (2 * change * gradient_[i] + change * change * curvature >= -1e-12 * curvature * scale_ * scale_) return false;
    steps_[i] = other;
    Spread(i, change);
    return true;
  }

  const float* weight_;
  double scale_;
  const std::vector<double>& importance_;
  std::vector<double> steps_, gradient_;  // half the gradient of the error
};

double DotRow(const Tensor& weight, size_t channel, const std::vector<double>& values) {
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += values[i] * weight.data[channel * values.size() + i];
  return sum;
}

}  // namespace

void RoundToNearest(const ActivationScale& scale, const Scheme& scheme, Tensor& activation) {
  for (float& value : activation.data)
    value = static_cast<float>(NearestStep(value, scale, scheme) * static_cast<double>(scale.scale));
}

void RoundToNearest(const std::vector<float>& scales, Tensor& weight) {
  const size_t row = weight.data.size() / scales.size();
  for (size_t i = 0; i < weight.data.size(); ++i) {
    const double scale = scales[i / row];
    const double steps = std::clamp(std::nearbyint(weight.data[i] / scale), -kWeightMax, kWeightMax);
    weight.data[i] = static_cast<float>(steps * scale);
  }
}

void RoundByReconstruction(const Node& layer, const std::vector<float>& scales, const PatchMoments& moments,
                           bool free_mean, Tensor& weight) {
  const size_t n = moments.patch_size();
  std::vector<double> importance;
  size_t group = static_cast<size_t>(-1);
  for (size_t channel = 0; channel < scales.size(); ++channel) {
    if (GroupOf(layer, channel) != group) {
      group = GroupOf(layer, channel);
      importance = Importance(moments, group, free_mean);
    }
    float* row = weight.data.data() + channel * n;
    const std::vector<double> steps = Channel(row, scales[channel], importance, n).Descend();
    for (size_t i = 0; i < n; ++i) row[i] = static_cast<float>(steps[i] * static_cast<double>(scales[channel]));
  }
}

void CorrectBias(const Node& layer, const Tensor& weight, const PatchMoments& before, const Tensor& rounded,
                 const PatchMoments& after, Tensor& bias) {
  std::vector<double> mean_before, mean_after;
  size_t group = static_cast<size_t>(-1);
  for (size_t channel = 0; channel < bias.data.size(); ++channel) {
    if (GroupOf(layer, channel) != group) {
      group = GroupOf(layer, channel);
      mean_before = before.Mean(group);
      mean_after = after.Mean(group);
    }
    bias.data[channel] +=
        static_cast<float>(DotRow(weight, channel, mean_before) - DotRow(rounded, channel, mean_after));
  }
}

}  // namespace hot
