// Outputs that stand in for a trained network's where there is none yet: for timing what comes behind a network. Called
// by pipeline/. Pure function.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/tensor.h"
#include "tasks/task.h"

namespace hot {

// One tensor an output of `network` (as BuildNetwork() ships it), standard normal noise; where boxes are found, a class
// passes the threshold of scoring with one anchor in a thousand, and the rest is background by far, as in most
// pictures. Noise alone would give each class as many boxes as non-maximum suppression takes.
std::vector<Tensor> StandInOutputs(const Task& task, const Graph& network, uint64_t seed);

}  // namespace hot
