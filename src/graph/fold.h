// Batch norm folded into the convolution before it: what is deployed and quantized.
#pragma once

#include "graph/graph.h"
#include "graph/tensor.h"

namespace hot {

struct Network {
  Graph graph;
  Weights weights;
};

// conv -> batch norm becomes conv with bias: w' = w*gamma/sqrt(var+eps), b' = beta + (b-mean)*gamma/sqrt(var+eps).
// The folded conv keeps the conv's node name. A batch norm without a conv before it (or whose conv has other readers)
// becomes a depthwise 1x1 conv. Throws Error(kNotFound) when a parameter is missing, kInvalidArgument on a wrong shape.
Network FoldBatchNorm(const Graph& graph, const Weights& weights);

// Checks that every parameter is there, of the right shape and finite. Throws Error(kDataLoss) naming the first fault.
void CheckWeights(const Graph& graph, const Weights& weights, const std::string& where);

// He-normal convolutions (He et al., 2015), layers with a bias normal with deviation 0.01, batch norm at identity, zero
// biases; depends on seed and parameter names only.
Weights RandomWeights(const Graph& graph, uint64_t seed);

// The same with random biases, to stand for trained weights where only time is measured. A compiler drops additions of
// zero, and the network would run some percent faster than a trained one ever does.
Weights TimingWeights(const Graph& graph, uint64_t seed);

}  // namespace hot
