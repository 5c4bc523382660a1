// Rounding of weights to their integers, and the bias that makes up for what rounding shifts. Called by post-training
// quantization (deploy/post_training.h). Pure functions.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/tensor.h"
#include "quantize/patch_moments.h"

namespace hot {

// Each weight becomes the nearest multiple of its channel's scale, within +-127 of them: what the ONNX writer would
// make of it. `weight` [out, ...], a scale a channel.
void RoundToNearest(const std::vector<float>& scales, Tensor& weight);

// Up or down, whichever makes the layer's output err least over the patches it sees (Nagel et al., "Up or Down?
// Adaptive Rounding for Post-Training Quantization", ICML 2020, equation 20, without a relaxation): the error of a
// channel's rounded weights w' is (w' - w)^T C (w' - w) with C the patches' covariance (its mean is left to
// CorrectBias), and is lowered one weight at a time until no change helps. Needs `moments` with covariances.
void RoundByReconstruction(const Node& layer, const std::vector<float>& scales, const PatchMoments& moments,
                           Tensor& weight);

// Adds to each bias what the mean of the layer's output loses when its weights are rounded and its input is (Nagel et
// al., 2019, section 4.2, empirical): E[W x] - E[W' x']. `before` and `after` are of x and x', at the same positions.
void CorrectBias(const Node& layer, const Tensor& weight, const PatchMoments& before, const Tensor& rounded,
                 const PatchMoments& after, Tensor& bias);

}  // namespace hot
