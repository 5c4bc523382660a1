// Rounding of weights to their integers, and the bias that makes up for what rounding shifts. Called by post-training
// quantization (deploy/post_training.h). Pure functions.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/tensor.h"
#include "quantize/patch_moments.h"
#include "quantize/quantize.h"
#include "quantize/scheme.h"

namespace hot {

// What an activation's readers see of it: each value becomes the nearest integer of `scheme`, times its scale.
void RoundToNearest(const ActivationScale& scale, const Scheme& scheme, Tensor& activation);

// Each weight becomes the nearest multiple of its channel's scale, within +-127 of them: what the ONNX writer would
// make of it. `weight` [out, ...], a scale a channel.
void RoundToNearest(const std::vector<float>& scales, Tensor& weight);

// Up or down, whichever makes the layer's output err least over the patches it sees (Nagel et al., "Up or Down?
// Adaptive Rounding for Post-Training Quantization", ICML 2020, equation 20, without a relaxation): the error of a
// channel's rounded weights w' is (w' - w)^T M (w' - w) with M the patches' second moments or, with `free_mean`, their
// covariance (a shifted mean is left to CorrectBias), and is lowered one weight at a time until no change helps. Needs
// `moments` with products.
void RoundByReconstruction(const Node& layer, const std::vector<float>& scales, const PatchMoments& moments,
                           bool free_mean, Tensor& weight);

// Adds to each bias what the mean of the layer's output loses when its weights are rounded and its input is (Nagel et
// al., 2019, section 4.2): E[W x] - E[W' x']. `before` and `after` are of x and x', at the same positions; x' is x
// after its own rounding, not what a whole quantized network would give here: whatever the layers in front have
// shifted, their own corrections have taken back.
void CorrectBias(const Node& layer, const Tensor& weight, const PatchMoments& before, const Tensor& rounded,
                 const PatchMoments& after, Tensor& bias);

}  // namespace hot
