// Analytic costs of a graph: the numbers the budgets are about. See docs/formats/study.md for the definitions.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "graph/graph.h"
#include "graph/precision.h"

namespace hot {

struct Costs {
  int64_t macs = 0;                   // multiply-accumulates of convolutions and linear layers
  int64_t params = 0;                 // trainable parameters, batch norm's scale and shift included
  int64_t weight_bytes = 0;           // weights and biases after batch norm is folded, at the precision
  int64_t peak_activation_bytes = 0;  // largest sum of live activations, inputs and outputs of the graph included
};

// The number format of a node's weights and of what it gives.
using PrecisionOf = std::function<Precision(const Node&)>;
Costs ComputeCosts(const Graph& graph, const PrecisionOf& precision);
Costs ComputeCosts(const Graph& graph, Precision precision);

// Bytes alive while each node runs, batch norm and activations counted in place (they are fused into what is before
// them): element i belongs to node i. Graph outputs stay alive to the end, graph inputs until their last reader.
std::vector<int64_t> LiveActivationBytes(const Graph& graph, const PrecisionOf& precision);
std::vector<int64_t> LiveActivationBytes(const Graph& graph, Precision precision);

}  // namespace hot
