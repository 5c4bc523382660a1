// A slot that is built of the same layers as the one that weights are of, but with fewer or more channels inside, or
// another kernel: what of the weights it can start with. Used by Inherit and by distillation. Pure function.
#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/tensor.h"

namespace hot {

// Overwrites in `weights`, which fit `graph`, the parameters of section `section` with what `theirs`, by the same
// names, has of them. Of more channels than there is place for those stay that weigh most in what reads them: |gamma|
// of the batch norm before it times the norm of its weights (without batch norm, the norm of the layer's own weights),
// after Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, and Liu et al., "Learning Efficient
// Convolutional Networks through Network Slimming", ICCV 2017. Channels that `theirs` lacks keep their weights, and
// what reads them starts with zeros; a larger kernel is padded with zeros, of a larger one the middle is kept. So a
// slot with no fewer channels and no smaller kernel computes the same. False, with `weights` as they were: the layers
// are others.
bool InheritChannels(const Graph& graph, const std::string& section, const Weights& theirs, Weights& weights);

}  // namespace hot
