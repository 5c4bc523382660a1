#include "train/fake_quantization.h"

#include <limits>

#include "quantize/integer_layer.h"
#include "quantize/plan.h"
#include "quantize/scheme.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

constexpr int64_t kWeightMax = 127;

at::Tensor OnDevice(const std::vector<float>& values, at::Device device) {
  const auto size = static_cast<int64_t>(values.size());
  return at::from_blob(const_cast<float*>(values.data()), {size}).to(device, at::kFloat, false, /*copy=*/true);
}

}  // namespace

FakeQuantization::FakeQuantization(const Graph& folded, const Quantization& quantization, at::Device device) {
  const Scheme& scheme = SchemeOf(quantization.scheme);
  lowest_ = scheme.lowest;
  highest_ = scheme.highest;
  const std::vector<QuantPlace> places = PlanQuantization(folded);
  const std::vector<bool> rounded = RoundedOutputs(folded, places, quantization, /*int8_borders=*/false);
  for (NodeId id = 0; id < folded.size(); ++id) {
    outputs_.emplace_back();
    if (rounded[static_cast<size_t>(id)]) outputs_.back() = OutputScale(folded, places, id, quantization);
    const Node& node = folded.node(id);
    const auto scales = quantization.weight_scales.find(node.name);
    if (scales == quantization.weight_scales.end()) continue;
    Layer layer{.weight_scales = OnDevice(scales->second, device), .bias_scales = {}, .zeros = {}};
    layer.zeros = at::zeros(layer.weight_scales.sizes(), layer.weight_scales.options().dtype(at::kInt));
    if (scheme.precision != Precision::kInt16x8)
      layer.bias_scales = layer.weight_scales * OutputScale(folded, places, node.inputs[0], quantization).scale;
    layers_.emplace(id, std::move(layer));
  }
}

at::Tensor FakeQuantization::Output(NodeId id, const at::Tensor& y) const {
  const std::optional<ActivationScale>& scale = outputs_[static_cast<size_t>(id)];
  if (!scale) return y;
  return at::fake_quantize_per_tensor_affine(y, scale->scale, scale->zero_point, lowest_, highest_);
}

at::Tensor FakeQuantization::Weight(NodeId layer, const at::Tensor& weight) const {
  const auto found = layers_.find(layer);
  if (found == layers_.end()) return weight;
  const Layer& scales = found->second;
  return at::fake_quantize_per_channel_affine(weight, scales.weight_scales, scales.zeros, /*axis=*/0, -kWeightMax,
                                              kWeightMax);
}

at::Tensor FakeQuantization::Bias(NodeId layer, const at::Tensor& bias) const {
  const auto found = layers_.find(layer);
  if (found == layers_.end() || !found->second.bias_scales.defined()) return bias;
  using Limits = std::numeric_limits<int32_t>;
  return at::fake_quantize_per_channel_affine(bias, found->second.bias_scales, found->second.zeros, /*axis=*/0,
                                              Limits::min(), Limits::max());
}

}  // namespace hot
