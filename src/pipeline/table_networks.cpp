#include "pipeline/table_networks.h"

#include <algorithm>

#include "core/error.h"
#include "pipeline/networks.h"

namespace hot {
namespace {

// Where a slot's choices begin.
size_t Offset(const LookupTable& table, size_t slot) { return slot * table.slots[slot].size() / table.slots.size(); }

// Layers are named as nodes; one that a toolchain put in and named itself is the head's, so that none gets lost.
std::string PartOf(const Graph& network, const std::string& layer) {
  for (const Section& section : network.sections()) {
    const auto nodes =
        std::span(network.nodes())
            .subspan(static_cast<size_t>(section.first), static_cast<size_t>(section.last - section.first));
    if (std::ranges::count(nodes, layer, &Node::name) > 0) return section.name;
  }
  return "head";
}

}  // namespace

TableNetworks NetworksOf(const Workspace& workspace, const LookupTable& table) {
  TableNetworks networks;
  size_t count = 0;
  for (const auto& rows : table.slots) count = std::max(count, rows.size());
  for (size_t network = 0; network < count; ++network) {
    std::vector<Choice> choices;
    for (size_t slot = 0; slot < table.slots.size(); ++slot) {
      const auto& rows = table.slots[slot];
      choices.push_back(rows[(network + Offset(table, slot)) % rows.size()].choice);
    }
    networks.graphs.push_back(GraphOf(workspace, table.width, choices));
  }
  for (size_t slot = 0; slot < table.slots.size(); ++slot) {
    const size_t rows = table.slots[slot].size();
    for (size_t i = 0; i < rows; ++i) networks.of_row.push_back((i + rows - Offset(table, slot)) % rows);
  }
  networks.of_row.resize(networks.of_row.size() + table.fixed.size(), 0);
  return networks;
}

void PutInto(const TableNetworks& networks, const LookupTable& table, std::span<LatencyJob> jobs) {
  HOT_ASSERT(jobs.size() == networks.of_row.size());
  size_t next = 0;
  const auto put = [&](const TableRow& row) {
    jobs[next].network = &networks.graphs[networks.of_row[next]];
    jobs[next++].name = row.part;
  };
  for (const auto& rows : table.slots) std::ranges::for_each(rows, put);
  std::ranges::for_each(table.fixed, put);
}

double PartNs(const Estimate& estimate, const Graph& network, const std::string& part) {
  if (estimate.layers_ns.empty())
    throw Error(Code::kUnimplemented, "estimate", "has no times of single layers, from which the table is made");
  double sum_ns = 0;
  for (const auto& [layer, ns] : estimate.layers_ns) sum_ns += PartOf(network, layer) == part ? ns : 0;
  return sum_ns;
}

}  // namespace hot
