// A graph as JSON (docs/formats/graph.md), the way a network without an artifact travels: its weights go beside it as
// safetensors. The reader takes bytes from anyone: GraphBuilder checks every node again. Thread-safe.
#pragma once

#include <string>

#include "core/files.h"
#include "graph/graph.h"

namespace hot {

std::string ToJson(const Graph& graph);

// The same graph: nodes, shapes, wiring, outputs and sections. Throws Error(kDataLoss) for text that is no graph,
// kFailedPrecondition for a newer version, kInvalidArgument naming the node where one does not fit.
Graph ParseGraph(std::string_view json, const std::string& where);
// Also kNotFound.
Graph ReadGraph(const fs::path& file);

}  // namespace hot
