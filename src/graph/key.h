// Structural identity: two graphs with the same key compile to the same code.
#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/precision.h"

namespace hot {

// SHA-256 (hex) over ops, attributes, shapes and wiring in canonical order from the outputs, plus the precision.
// Names, weights, sections and the order of independent nodes don't matter.
std::string GraphKey(const Graph& graph, Precision precision);

}  // namespace hot
