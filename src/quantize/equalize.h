// Cross-layer equalisation (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
// ICCV 2019, section 4.1): channels of a tensor between two layers are scaled so that all use the tensor's one scale
// well; the layers' weights take the factors up, and the network computes what it did. Weights here have a scale a
// channel, so what is equalised is not the first layer's weights, as in the paper, but what calibration saw of its
// output.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/fold.h"

namespace hot {

// Names of the nodes whose channels can be scaled: outputs of a convolution, behind its activation if it has one, that
// one other convolution alone reads (of one group, or depthwise).
std::vector<std::string> EqualizableNodes(const Graph& folded);

// `maxima`: by node, the largest magnitude of each channel that calibration saw. Scaled values pass through ReLU and no
// activation unchanged; through ReLU6 only where it does not clip: a channel that reached 6 is left alone, and no
// channel is brought closer to 6 than a margin, so that pictures outside the calibration set are not clipped either.
// Throws Error(kNotFound) when the maxima of a node are missing.
void Equalize(Network& network, const std::map<std::string, std::vector<float>>& maxima);

}  // namespace hot
