// Whole networks that have every row of a look-up table in them. On a device that estimates, a row's latency is the
// time of its layers in one of these (docs/adr/0016): a part alone would be charged for tensors that only there come
// from, and go to, the slow memory. Made with the plan of a table, read where latencies are estimated. Pure but for the
// workspace.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "deploy/artifact.h"
#include "graph/graph.h"
#include "pipeline/latencies.h"
#include "search/lookup_table.h"

namespace hot {

struct TableNetworks {
  std::vector<Graph> graphs;
  std::vector<size_t> of_row;  // slots in order, then fixed parts: index into graphs
};

// As many networks as the slot with the most choices has; from one to the next every slot goes on to its next choice,
// and slots begin at different ones, so that no network has the heaviest everywhere.
TableNetworks NetworksOf(const Workspace& workspace, const LookupTable& table);

// Says in which network each row is. `jobs`: one a row, in their order.
void PutInto(const TableNetworks& networks, const LookupTable& table, std::span<LatencyJob> jobs);

// What the layers of a section ("slot3") take in the network that was estimated. Throws Error(kUnimplemented) when the
// estimate has no layers.
double PartNs(const Estimate& estimate, const Graph& network, const std::string& part);

}  // namespace hot
