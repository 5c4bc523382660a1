// Runs a network over calibration pictures and looks at what its layers give. Used by the steps of post-training
// quantization (post_training.h). Runs on the host, with one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "deploy/device.h"
#include "graph/fold.h"
#include "quantize/quantize.h"

namespace hot {

// A network that shows the outputs of `nodes`, which are names of inputs, outputs and whatever is between: in fp32, or
// as `quantization` says, then as their readers see them: rounded. OpenVINO computes it; activations of 16 bits, which
// it has not, the reference interpreter. `network` outlives this. Throws Error(kNotFound) when there is no such node.
class ActivationReader {
 public:
  ActivationReader(const Network& network, const Quantization* quantization, const std::vector<std::string>& nodes);
  // By node, in the order given; `input` has batch 1.
  std::vector<Tensor> Read(const Tensor& input) const { return read_(input); }

 private:
  std::function<std::vector<Tensor>(const Tensor& input)> read_;
};

// Hands what an ActivationReader reads to `read`, one picture after the other; both count from 0. Throws
// Error(kFailedPrecondition) when there is no picture.
using ReadActivation = std::function<void(size_t picture, size_t node, const Tensor& output)>;
void ReadActivations(const Network& network, const Quantization* quantization, const std::vector<std::string>& nodes,
                     const std::vector<Tensor>& inputs, const ReadActivation& read);

// What every tensor that is to be quantized holds in fp32. `inputs` are of training pictures. Without histograms
// several times as fast, and enough for the ranges "minmax". Throws Error(kFailedPrecondition) when there is no picture
// or all are of one and the same colour.
Observations Calibrate(const Network& network, const std::vector<Tensor>& inputs, bool histograms = true);

}  // namespace hot
