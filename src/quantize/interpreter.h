// The reference: what a quantized network computes, bit for bit, whoever compiles it. Toolchains are compared with it
// when an artifact is made (deploy/deviation.h), and it is what tests believe. Clear, not fast.
//
// An ONNX file with QuantizeLinear/DequantizeLinear pairs names float32 operators, whose sums have no defined order.
// Here it is read over the real numbers: the only roundings are those of QuantizeLinear, halves to even, then the zero
// point is added, then it saturates. In detail (docs/adr/0008):
//   DequantizeLinear   scale (q - zero_point), exact
//   Conv, linear       (s_x s_w[c]) sum + s_b[c] b[c]: the sum of (q - zero_point) w over the window is an exact
//   integer,
//                      padding adds nothing, and s_b is the float32 in the file
//                      (of 16-bit activations a bias is a float32); a layer without weight scales: the float sum
//   other operators    on those reals: Add, ReLU, ReLU6, pools, concatenation, upsampling, sigmoid, softmax
//   QuantizeLinear     saturate(round_half_even(x / s_y) + zero_point)
// Reals are float64, every operation rounded on its own (no fused multiply-add): 2^-52 relative an operation, so that
// only values that near to the middle between two steps could be rounded to the other one. Outputs are rounded to
// float32 once, at the end; the exponentials of sigmoid and softmax are the C library's.
// Thread rule: immutable, share freely.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/fold.h"
#include "quantize/integer_layer.h"
#include "quantize/plan.h"
#include "quantize/quantize.h"
#include "quantize/scheme.h"

namespace hot {

// What a network reads and writes at its borders.
enum class Borders {
  kFloat,     // floats; an output is rounded only where a layer reads it, too
  kRounded,   // floats that are rounded on their way in and out: of a device whose borders are integers
  kIntegers,  // those integers themselves, as OnnxOptions::int8_borders
};

class Interpreter {
 public:
  // `network` has its batch norms folded and outlives this. Throws Error(kNotFound) when the quantization lacks a
  // scale.
  Interpreter(const Network& network, const Quantization& quantization, Borders borders = Borders::kFloat);

  // What a node gives, in the order [channel, row, column]. Where it is rounded: reals = scale * steps, steps = q -
  // zero_point; else there are no steps.
  struct Value {
    std::vector<double> reals;
    std::vector<int16_t> steps;
  };
  // Sees what each node gives before others read it. Steps that it changes are what they read: so a toolchain is
  // compared operator by operator, each on the integers that the toolchain itself gave it.
  using Visit = std::function<void(const Node& node, Value& value)>;

  // One tensor a graph input, batch 1; the graph's outputs in its order. Throws Error(kInvalidArgument) when an input
  // has another size or holds NaN or infinity.
  std::vector<Tensor> Run(std::span<const Tensor> inputs, const Visit& visit = {}) const;

 private:
  std::vector<double> Evaluate(NodeId id, const std::vector<Value>& values) const;
  std::vector<double> Convolve(NodeId id, const Value& input) const;
  std::vector<double> ConvolveFloat(const Node& node, const Value& input) const;
  std::vector<double> InputReals(NodeId id, const Tensor& tensor) const;
  void Round(NodeId id, Value& value) const;
  void Scale(NodeId id, Value& value) const;
  Tensor OutputTensor(NodeId id, const Value& value) const;
  const ActivationScale& ScaleAt(NodeId id) const { return scales_.at(id); }
  bool IsRounded(NodeId id) const { return rounded_[static_cast<size_t>(id)]; }

  const Graph& graph_;
  const Weights& weights_;
  const Scheme& scheme_;
  const Borders borders_;
  std::vector<bool> rounded_;                 // by node
  std::vector<NodeId> last_readers_;          // by node; itself where nobody reads it
  std::map<NodeId, ActivationScale> scales_;  // of the rounded nodes
  std::map<NodeId, IntegerLayer> layers_;     // of the layers that have weight scales
};

}  // namespace hot
