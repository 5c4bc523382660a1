#include "deploy/quantization_error.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "deploy/calibrate.h"

namespace hot {
namespace {

struct Power {
  double signal = 0, noise = 0;
};

Power Compare(const Tensor& expected, const Tensor& got) {
  Power power;
  for (size_t i = 0; i < expected.data.size(); ++i) {
    const double value = expected.data[i], difference = got.data[i] - value;
    power.signal += value * value;
    power.noise += difference * difference;
  }
  return power;
}

std::vector<std::string> OutputNames(const Graph& graph) {
  std::vector<std::string> names;
  for (const NodeId id : graph.outputs()) names.push_back(graph.node(id).name);
  return names;
}

double Decibels(const Power& power) {
  if (power.noise <= 0) return kMostSqnr;
  if (power.signal <= 0) return -kMostSqnr;
  return std::clamp(10 * std::log10(power.signal / power.noise), -kMostSqnr, kMostSqnr);
}

}  // namespace

OutputError::OutputError(const Network& reference, std::vector<Tensor> inputs)
    : outputs_(OutputNames(reference.graph)), inputs_(std::move(inputs)) {
  ReadActivations(reference, nullptr, outputs_, inputs_,
                  [&](size_t, size_t, const Tensor& output) { expected_.push_back(output); });
}

double OutputError::Of(const Network& network, const Quantization& quantization) const {
  double error = 0;
  ReadActivations(network, &quantization, outputs_, inputs_, [&](size_t picture, size_t node, const Tensor& output) {
    const Power power = Compare(expected_[picture * outputs_.size() + node], output);
    error += power.noise / std::max(power.signal, 1e-12);
  });
  return error / static_cast<double>(inputs_.size());
}

std::map<std::string, double> LayerSqnr(const QuantizedNetwork& quantized, const std::vector<Tensor>& inputs) {
  std::vector<std::string> nodes;
  for (const auto& [node, scale] : quantized.quantization.activations) nodes.push_back(node);
  ActivationReader exact(quantized.exact, nullptr, nodes);
  ActivationReader rounded(quantized.network, &quantized.quantization, nodes);
  std::vector<Power> powers(nodes.size());
  for (const Tensor& input : inputs) {
    const std::vector<Tensor> expected = exact.Read(input), got = rounded.Read(input);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const Power power = Compare(expected[i], got[i]);
      powers[i].signal += power.signal;
      powers[i].noise += power.noise;
    }
  }
  std::map<std::string, double> sqnr;
  for (size_t i = 0; i < nodes.size(); ++i) sqnr[nodes[i]] = Decibels(powers[i]);
  return sqnr;
}

std::vector<LayerError> MeasureSensitivity(const QuantizedNetwork& quantized, const std::vector<Tensor>& inputs,
                                           const Context& context) {
  const OutputError error(quantized.exact, inputs);
  std::vector<LayerError> errors;
  for (const std::string& layer : QuantizedLayers(quantized)) {
    context.ThrowIfCancelled();
    const QuantizedNetwork only = OnlyLayer(quantized, layer);
    errors.push_back({layer, error.Of(only.network, only.quantization)});
  }
  std::ranges::stable_sort(errors, std::greater(), &LayerError::error);
  return errors;
}

}  // namespace hot
