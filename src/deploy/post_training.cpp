#include "deploy/post_training.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/calibrate.h"
#include "deploy/quantization_error.h"
#include "quantize/equalize.h"
#include "quantize/integer_layer.h"
#include "quantize/plan.h"
#include "quantize/rounding.h"

namespace hot {
namespace {

constexpr size_t kProbePictures = 8;  // that choose between ranges
constexpr uint64_t kPatchSeed = 7;

// The largest magnitude in each channel of `nodes`' outputs.
std::map<std::string, std::vector<float>> ChannelMaxima(const Network& network, const std::vector<std::string>& nodes,
                                                        const std::vector<Tensor>& inputs) {
  std::map<std::string, std::vector<float>> maxima;
  ReadActivations(network, nullptr, nodes, inputs, [&](size_t, size_t node, const Tensor& output) {
    std::vector<float>& largest = maxima[nodes[node]];
    largest.resize(static_cast<size_t>(output.shape.at(1)), 0);
    const size_t plane = output.data.size() / largest.size();
    for (size_t i = 0; i < output.data.size(); ++i)
      largest[i / plane] = std::max(largest[i / plane], std::abs(output.data[i]));
  });
  return maxima;
}

// The scales that any of the methods gives a tensor, with the first method of each.
std::vector<std::pair<ActivationScale, std::string>> Candidates(const std::string& node,
                                                                const std::vector<Quantization>& by_method) {
  std::vector<std::pair<ActivationScale, std::string>> candidates;
  for (size_t i = 0; i < by_method.size(); ++i) {
    const ActivationScale scale = by_method[i].activations.at(node);
    const bool known = std::ranges::any_of(candidates, [&](const auto& candidate) {
      return std::abs(candidate.first.scale / scale.scale - 1) < 0.01 &&
             std::abs(candidate.first.zero_point - scale.zero_point) <= 1;
    });
    if (!known) candidates.emplace_back(scale, RangeMethods()[i]);
  }
  return candidates;
}

std::map<std::string, std::string> ChooseRanges(const Network& network, const Observations& observations,
                                                const std::vector<Tensor>& inputs, const std::string& scheme,
                                                const Context& context) {
  std::vector<Quantization> by_method;
  for (const std::string& method : RangeMethods())
    by_method.push_back(Quantize(network, observations, {.ranges = method, .ranges_of = {}, .scheme = scheme}));
  const std::vector<Tensor> probes(
      inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(std::min(inputs.size(), kProbePictures)));
  const OutputError error(network, probes);
  std::map<std::string, std::string> chosen;
  for (const std::string& node : ObservedNodes(network.graph)) {
    context.ThrowIfCancelled();
    const auto candidates = Candidates(node, by_method);
    double least = 0;
    for (const auto& [scale, method] : candidates) {
      const Quantization only{.scheme = scheme, .activations = {{node, scale}}, .weight_scales = {}};
      const double now = candidates.size() == 1 ? 0 : error.Of(network, only);
      if (chosen.contains(node) && now >= least) continue;
      chosen[node] = method;
      least = now;
    }
  }
  return chosen;
}

std::vector<const Node*> Layers(const QuantizedNetwork& quantized) {
  std::vector<const Node*> layers;
  for (const Node& node : quantized.network.graph.nodes()) {
    if (quantized.quantization.weight_scales.contains(node.name)) layers.push_back(&node);
  }
  return layers;
}

// Of what each layer reads in the float network: as it is, and rounded to its scale.
struct InputMoments {
  std::vector<PatchMoments> exact, rounded;
};

InputMoments ObserveInputs(const QuantizedNetwork& quantized, const std::vector<const Node*>& layers,
                           const std::vector<Tensor>& inputs, bool products) {
  const Graph& graph = quantized.exact.graph;
  const Scheme& scheme = SchemeOf(quantized.quantization.scheme);
  const std::vector<QuantPlace> places = PlanQuantization(graph);
  std::vector<std::string> nodes;
  std::vector<ActivationScale> scales;
  InputMoments moments;
  for (const Node* layer : layers) {
    const NodeId source = layer->inputs.at(0);
    nodes.push_back(graph.node(source).name);
    scales.push_back(OutputScale(graph, places, source, quantized.quantization));
    moments.exact.emplace_back(*layer, graph.node(source).shape, false);
    moments.rounded.emplace_back(*layer, graph.node(source).shape, products);
  }
  ReadActivations(quantized.exact, nullptr, nodes, inputs, [&](size_t picture, size_t i, const Tensor& output) {
    const uint64_t seed = MixSeed(kPatchSeed + picture, layers[i]->name);
    moments.exact[i].Observe(output, seed);
    Tensor rounded = output;
    RoundToNearest(scales[i], scheme, rounded);
    moments.rounded[i].Observe(rounded, seed);
  });
  return moments;
}

bool RoundsAdaptively(const PostTrainingOptions& options) {
  if (options.rounding == "adaptive") return true;
  if (options.rounding == "auto") return SchemeOf(options.scheme).precision == Precision::kInt16x8;
  if (options.rounding == "nearest") return false;
  throw Error(Code::kInvalidArgument, "quantize.rounding", "unknown method \"" + options.rounding + "\"",
              "known: auto, nearest, adaptive");
}

void RoundWeights(QuantizedNetwork& result, const std::vector<Tensor>& inputs, const PostTrainingOptions& options,
                  bool adaptive, const Context& context) {
  const std::vector<const Node*> layers = Layers(result);
  const InputMoments moments = ObserveInputs(result, layers, inputs, adaptive);
  for (size_t i = 0; i < layers.size(); ++i) {
    context.ThrowIfCancelled();
    const std::string& name = layers[i]->name;
    const std::vector<float>& scales = result.quantization.weight_scales.at(name);
    Tensor rounded = result.network.weights.at(name + ".weight");
    if (adaptive) {
      RoundByReconstruction(*layers[i], scales, moments.rounded[i], options.correct_bias, rounded);
    } else {
      RoundToNearest(scales, rounded);
    }
    if (options.correct_bias && layers[i]->attrs.bias) {
      CorrectBias(*layers[i], result.network.weights.at(name + ".weight"), moments.exact[i], rounded,
                  moments.rounded[i], result.network.weights.at(name + ".bias"));
    }
    result.network.weights.at(name + ".weight") = std::move(rounded);
  }
}

}  // namespace

QuantizedNetwork QuantizeAfterTraining(const Network& network, const std::vector<Tensor>& inputs,
                                       const PostTrainingOptions& options, const Context& context) {
  const bool adaptive = RoundsAdaptively(options);
  QuantizedNetwork result{.exact = network, .network = {}, .quantization = {}, .ranges = {}};
  if (options.equalize) {
    context.ThrowIfCancelled();
    Equalize(result.exact, ChannelMaxima(network, EqualizableNodes(network.graph), inputs));
  }
  result.network = result.exact;
  const Observations observations = Calibrate(result.exact, inputs, options.ranges != "minmax");
  QuantizeOptions ranges{.ranges = options.ranges, .ranges_of = {}, .scheme = options.scheme};
  if (options.ranges == "auto") {
    ranges.ranges_of = ChooseRanges(result.exact, observations, inputs, options.scheme, context);
    ranges.ranges = "minmax";  // of none
  }
  result.quantization = Quantize(result.exact, observations, ranges);
  for (const auto& [node, scale] : result.quantization.activations) {
    const auto own = ranges.ranges_of.find(node);
    result.ranges[node] = own == ranges.ranges_of.end() ? options.ranges : own->second;
  }
  if (options.correct_bias || adaptive) RoundWeights(result, inputs, options, adaptive, context);
  return result;
}

}  // namespace hot
