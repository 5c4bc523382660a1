// Graph -> the source of a PyTorch module, for people who go on with their own training code. Called by hot export.
// Pure function.
#pragma once

#include <string>
#include <vector>

#include "data/image.h"
#include "graph/graph.h"

namespace hot {

struct PytorchOptions {
  std::string title;  // first line of the file's documentation
  Preprocessing preprocessing;
  std::vector<std::string> classes;
};

// One Python file that needs nothing but torch: class Network, whose state dict has exactly the graph's parameter names
// (besides batch norm's counters) and whose forward() returns the graph's outputs in order; load(FILE), which reads
// safetensors; preprocess(). Modules follow the parts of node names; conv + batch norm + activation, chains and
// residual chains are written as one expression, everything else gets a class of its own.
std::string WritePytorch(const Graph& graph, const PytorchOptions& options);

}  // namespace hot
