// The roundings of an integer network inside a training: outputs, weights and biases keep their type but hold only what
// the integers of a Quantization can say, as the reference interpreter (quantize/interpreter.h) reads them. Gradients
// pass a rounding as if it were not there, and are zero where a value was clipped (Bengio et al., "Estimating or
// propagating gradients through stochastic neurons", 2013; Jacob et al., "Quantization and training of neural networks
// for efficient integer-arithmetic-only inference", CVPR 2018, section 3). Ranges and scales stay as calibrated.
// Called by GraphModule. Thread rule: immutable.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/quantize.h"

namespace hot {

class FakeQuantization {
 public:
  // `folded` has no batch norms behind convolutions. Nodes that `quantization` does not know stay in float: what fell
  // back, and what only a training has. Throws Error(kNotFound) for a layer with weight scales but no input scale.
  FakeQuantization(const Graph& folded, const Quantization& quantization, at::Device device);

  // A node's output [n, c, h, w] as its readers see it: scale * (clamp(round(y / scale) + zero_point) - zero_point),
  // halves to even; `y` itself where the network carries it in float. In float32: what lies within a rounding error of
  // the middle between two steps may become either.
  at::Tensor Output(NodeId id, const at::Tensor& y) const;
  // Rounded to multiples of its channel's scale, within +-127 of them; `weight` itself of a layer in float.
  at::Tensor Weight(NodeId layer, const at::Tensor& weight) const;
  // Rounded to multiples of input scale times weight scale; `bias` itself where it is a float, too.
  at::Tensor Bias(NodeId layer, const at::Tensor& bias) const;

 private:
  struct Layer {
    at::Tensor weight_scales, bias_scales;  // one a channel; bias_scales undefined where the bias is a float
    at::Tensor zeros;                       // their zero points
  };
  int64_t lowest_ = 0, highest_ = 0;                     // of outputs
  std::vector<std::optional<ActivationScale>> outputs_;  // by node
  std::map<NodeId, Layer> layers_;
};

}  // namespace hot
