// Where a network's numbers are rounded to 8 bits: which node outputs carry a scale. Read by the quantizer and the ONNX
// writer, so that both agree. Pure functions of the folded graph.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace hot {

enum class QuantPlace {
  kScaled,       // the output has its own scale
  kFusedAway,    // conv, linear or add whose only reader is an activation: that node's output is the scaled one
  kPassThrough,  // max pool, upsample, flatten: same numbers, the scale of the input
  kFloat,        // sigmoid, softmax at the end, and what only they read: never rounded
};

// What one step computes with the layer before it: ReLU, ReLU6, hard sigmoid and hard swish.
bool IsActivation(Op op);

// By node id. Graph outputs are kScaled (a block measured alone needs their scale), even though a whole network's
// writer leaves them in float.
std::vector<QuantPlace> PlanQuantization(const Graph& folded);

// The node whose scale describes `id`'s output: itself or, through pass-through nodes, the one before.
NodeId ScaleOwner(const Graph& folded, const std::vector<QuantPlace>& places, NodeId id);

}  // namespace hot
