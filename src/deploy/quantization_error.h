// How far a quantized network is from the float one, on calibration pictures: at its outputs, at every layer, and what
// single layers contribute. For choices of post-training quantization and for its report. Runs on the host, with one
// thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/context.h"
#include "graph/fold.h"
#include "quantize/quantized_network.h"

namespace hot {

// Relative squared error at the outputs: of each output the mean over pictures of |y' - y|^2 / |y|^2, summed over the
// outputs, so that maps of small numbers (box offsets) count as much as those of large ones (logits).
class OutputError {
 public:
  // Runs the float network.
  OutputError(const Network& reference, std::vector<Tensor> inputs);
  double Of(const Network& network, const Quantization& quantization) const;

 private:
  std::vector<std::string> outputs_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> expected_;  // picture-major
};

// Signal to quantization noise, in dB, of every node's output that has a scale, as its readers see it, with all of the
// network quantized. Where nothing differs: kMostSqnr.
inline constexpr double kMostSqnr = 200;
std::map<std::string, double> LayerSqnr(const QuantizedNetwork& quantized, const std::vector<Tensor>& inputs);

// By layer, the error at the outputs when only this one is quantized, worst first.
struct LayerError {
  std::string layer;
  double error = 0;
};
std::vector<LayerError> MeasureSensitivity(const QuantizedNetwork& quantized, const std::vector<Tensor>& inputs,
                                           const Context& context);

}  // namespace hot
