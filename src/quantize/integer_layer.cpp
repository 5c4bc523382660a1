#include "quantize/integer_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"
#include "quantize/scheme.h"

namespace hot {
namespace {

template <typename Integer>
Integer Saturated(double value) {
  const double low = std::numeric_limits<Integer>::min(), high = std::numeric_limits<Integer>::max();
  return static_cast<Integer>(std::clamp(std::nearbyint(value), low, high));
}

const std::vector<float>& Values(const Weights& weights, const std::string& name) {
  const auto found = weights.find(name);
  if (found == weights.end()) throw Error(Code::kNotFound, name, "the weights lack this parameter");
  return found->second.data;
}

}  // namespace

IntegerLayer RoundLayer(const Node& layer, const Weights& weights, const Quantization& quantization,
                        float input_scale) {
  const auto found = quantization.weight_scales.find(layer.name);
  if (found == quantization.weight_scales.end() || std::ssize(found->second) != layer.shape.c) {
    throw Error(Code::kNotFound, "node " + layer.name, "the quantization has no weight scales for it");
  }
  IntegerLayer rounded{.weight_scales = found->second};
  const std::vector<float>& scales = rounded.weight_scales;
  const std::vector<float>& weight = Values(weights, layer.name + ".weight");
  for (size_t i = 0; i < weight.size(); ++i) {
    const double steps = static_cast<double>(weight[i]) / scales[i * scales.size() / weight.size()];
    rounded.weight.push_back(std::max<int8_t>(-127, Saturated<int8_t>(steps)));
  }
  if (!layer.attrs.bias || SchemeOf(quantization.scheme).precision == Precision::kInt16x8) return rounded;
  const std::vector<float>& bias = Values(weights, layer.name + ".bias");
  for (size_t c = 0; c < scales.size(); ++c) {
    rounded.bias_scales.push_back(input_scale * scales[c]);
    rounded.bias.push_back(Saturated<int32_t>(bias.at(c) / static_cast<double>(rounded.bias_scales[c])));
  }
  return rounded;
}

int NearestStep(double real, const ActivationScale& scale, const Scheme& scheme) {
  const double q = std::nearbyint(real / scale.scale) + scale.zero_point;
  return static_cast<int>(std::clamp<double>(q, scheme.lowest, scheme.highest)) - scale.zero_point;
}

const ActivationScale& OutputScale(const Graph& folded, const std::vector<QuantPlace>& places, NodeId id,
                                   const Quantization& quantization) {
  const std::string& name = folded.node(ScaleOwner(folded, places, id)).name;
  const auto found = quantization.activations.find(name);
  if (found == quantization.activations.end()) {
    throw Error(Code::kNotFound, "node " + name, "the quantization has no scale for its output");
  }
  return found->second;
}

std::vector<bool> RoundedOutputs(const Graph& folded, const std::vector<QuantPlace>& places,
                                 const Quantization& quantization, bool int8_borders) {
  const auto consumers = folded.Consumers();
  const auto reads_integers = [&](NodeId reader) {
    return folded.node(reader).op != Op::kSigmoid && folded.node(reader).op != Op::kSoftmax;
  };
  std::vector<bool> rounded;
  for (NodeId id = 0; id < folded.size(); ++id) {
    const QuantPlace place = places[static_cast<size_t>(id)];
    const auto& readers = consumers[static_cast<size_t>(id)];
    const bool output = std::count(folded.outputs().begin(), folded.outputs().end(), id) > 0;
    const bool has_scale = (place == QuantPlace::kScaled || place == QuantPlace::kPassThrough) &&
                           quantization.activations.contains(folded.node(ScaleOwner(folded, places, id)).name);
    rounded.push_back(has_scale &&
                      ((int8_borders && output) || std::any_of(readers.begin(), readers.end(), reads_integers)));
  }
  return rounded;
}

}  // namespace hot
