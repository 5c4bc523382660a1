// Post-training quantization of a trained network, step by step, with what each step needs to know measured on
// calibration pictures. Called by the quantize stage. Runs on the host, with one thread.
#pragma once

#include <string>
#include <vector>

#include "core/context.h"
#include "graph/fold.h"
#include "quantize/quantized_network.h"

namespace hot {

struct PostTrainingOptions {
  std::string scheme = "s8s8";
  // One of RangeMethods(), or "auto": of each tensor the one with which the network's outputs err least when only this
  // tensor is rounded, measured on a few of the pictures.
  std::string ranges = "percentile";
  bool equalize = false;      // equalize.h
  bool correct_bias = false;  // rounding.h
  // "nearest"; "adaptive": RoundByReconstruction; "auto": the latter where activations have 16 bits, so that weights
  // are all that is rounded coarsely.
  std::string rounding = "auto";
};

// `network` has its batch norms folded; `inputs` are network inputs of batch 1, of training pictures. Throws what
// Quantize and ReadActivations throw, Error(kInvalidArgument) on an unknown name in `options`, kCancelled.
QuantizedNetwork QuantizeAfterTraining(const Network& network, const std::vector<Tensor>& inputs,
                                       const PostTrainingOptions& options, const Context& context);

}  // namespace hot
