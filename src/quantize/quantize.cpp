#include "quantize/quantize.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "quantize/plan.h"

namespace hot {
namespace {

constexpr double kWeightMax = 127;     // symmetric: -128 is not used
constexpr double kTinyChannel = 1e-6;  // smallest weight scale, relative to the layer's largest
constexpr double kBiasMax = 1 << 30;   // int32 with headroom for the accumulator

[[noreturn]] void BadRange(const std::string& node, const std::string& why) {
  throw Error(Code::kFailedPrecondition, "node " + node, "can't quantize its output: " + why,
              "calibrate with more and different pictures, and check that the network works in fp32");
}

ActivationScale ObservedScale(const std::string& name, const Observations& observations,
                              const QuantizeOptions& options) {
  const auto found = observations.find(name);
  if (found == observations.end()) {
    throw Error(Code::kNotFound, "node " + name, "its output was not observed during calibration");
  }
  const RangeObserver& observer = found->second;
  if (observer.empty()) BadRange(name, "no values were observed");
  if (!std::isfinite(observer.min()) || !std::isfinite(observer.max())) BadRange(name, "it holds NaN or infinity");
  const Scheme& scheme = SchemeOf(options.scheme);
  // A map that training switched off is zero, which every range holds: with 1 as its end, sums that read it get no odd
  // scales. Any other constant is an end of its range.
  if (observer.min() == observer.max())
    return ScaleOf(observer.min(), observer.max() == 0 ? 1 : observer.max(), scheme);
  const auto own = options.ranges_of.find(name);
  const std::string& method = own == options.ranges_of.end() ? options.ranges : own->second;
  const auto [low, high] = EstimateRange(observer, method, scheme);
  return ScaleOf(low, high, scheme);
}

const Tensor* FindTensor(const Weights& weights, const std::string& name) {
  const auto found = weights.find(name);
  return found == weights.end() ? nullptr : &found->second;
}

std::vector<double> ChannelMaxima(const Tensor& weight, const std::string& name) {
  const auto channels = static_cast<size_t>(weight.shape.at(0));
  const size_t per_channel = weight.data.size() / channels;
  std::vector<double> maxima(channels, 0);
  for (size_t i = 0; i < weight.data.size(); ++i) {
    if (!std::isfinite(weight.data[i])) BadRange(name, "its weights hold NaN or infinity");
    maxima[i / per_channel] = std::max(maxima[i / per_channel], std::abs(static_cast<double>(weight.data[i])));
  }
  return maxima;
}

// One scale a channel. A channel without weights, or with a bias that int32 could not hold at scale s_x * s_w, gets a
// larger scale than its weights need. (With 16-bit activations biases are 64 bits wide: `input_scale` is nullptr.)
std::vector<float> WeightScales(const Node& node, const Weights& weights, const float* input_scale) {
  const Tensor* weight = FindTensor(weights, node.name + ".weight");
  if (weight == nullptr) throw Error(Code::kNotFound, "node " + node.name, "the weights lack " + node.name + ".weight");
  const Tensor* bias = FindTensor(weights, node.name + ".bias");
  const std::vector<double> maxima = ChannelMaxima(*weight, node.name);
  const double largest = *std::max_element(maxima.begin(), maxima.end());
  const double whole = largest > 0 ? largest / kWeightMax : 1 / kWeightMax;
  std::vector<float> scales;
  for (size_t channel = 0; channel < maxima.size(); ++channel) {
    double scale = maxima[channel] > 0 ? std::max(maxima[channel] / kWeightMax, whole * kTinyChannel) : whole;
    if (bias != nullptr && input_scale != nullptr)
      scale = std::max(scale, std::abs(static_cast<double>(bias->data.at(channel))) / (*input_scale * kBiasMax));
    scales.push_back(static_cast<float>(scale));
  }
  return scales;
}

void AddWeightScales(const Network& network, const std::vector<QuantPlace>& places, Quantization& result) {
  const bool wide_bias = SchemeOf(result.scheme).precision == Precision::kInt16x8;
  for (const Node& node : network.graph.nodes()) {
    if (node.op != Op::kConv && node.op != Op::kLinear) continue;
    const NodeId source = ScaleOwner(network.graph, places, node.inputs[0]);
    const float& input_scale = result.activations.at(network.graph.node(source).name).scale;
    result.weight_scales[node.name] = WeightScales(node, network.weights, wide_bias ? nullptr : &input_scale);
  }
}

}  // namespace

std::vector<std::string> ObservedNodes(const Graph& folded) {
  const std::vector<QuantPlace> places = PlanQuantization(folded);
  std::vector<std::string> names;
  for (NodeId id = 0; id < folded.size(); ++id) {
    if (places[static_cast<size_t>(id)] == QuantPlace::kScaled) names.push_back(folded.node(id).name);
  }
  return names;
}

Quantization Quantize(const Network& network, const Observations& observations, const QuantizeOptions& options) {
  Quantization result{.scheme = options.scheme, .activations = {}, .weight_scales = {}};
  for (const std::string& name : ObservedNodes(network.graph)) {
    result.activations[name] = ObservedScale(name, observations, options);
  }
  AddWeightScales(network, PlanQuantization(network.graph), result);
  return result;
}

Quantization SyntheticQuantization(const Network& network, const std::string& scheme) {
  const std::vector<QuantPlace> places = PlanQuantization(network.graph);
  const Scheme& integers = SchemeOf(scheme);
  Quantization result{.scheme = scheme, .activations = {}, .weight_scales = {}};
  for (NodeId id = 0; id < network.graph.size(); ++id) {
    const Node& node = network.graph.node(id);
    if (places[static_cast<size_t>(id)] != QuantPlace::kScaled) continue;
    result.activations[node.name] = node.op == Op::kRelu6 ? ScaleOf(0, 6, integers) : ScaleOf(-4, 4, integers);
  }
  AddWeightScales(network, places, result);
  return result;
}

}  // namespace hot
