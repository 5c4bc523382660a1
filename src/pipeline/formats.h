// Number formats of single slots (`search.precision: slot`, docs/adr/0012): which layers of an integer network are in
// float, and what changes of format cost at the borders between slots. Called by the stages. Pure but for the
// workspace.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "graph/costs.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/workspace.h"
#include "search/lookup_table.h"

namespace hot {

// Whether slots have formats of their own. Then the first of target.precision, that of stem, tail, head and baseline,
// is int8, and the other is fp32.
bool MixesFormats(const Study& study);

// The layers (convolutions, linear layers) of an int8 network that are in float: those of slots whose choice is.
std::set<std::string> FloatLayers(const Graph& graph, const std::vector<Choice>& choices);

// The same of a network that is built at `precision`; none where it is all in one format.
std::set<std::string> FloatLayers(const Workspace& workspace, const StudyNetwork& network, Precision precision);
// Costs of a network that is built at `precision`, slots in another format included.
Costs CostsOf(const Workspace& workspace, const StudyNetwork& network, Precision precision);

// Where these layers stand among all of the graph, first and last of each run: "3-8,12". Does not depend on names.
std::string LayerRanges(const Graph& graph, const std::set<std::string>& layers);

// A whole network of the study.
LatencyJob WholeJob(const Workspace& workspace, const Graph& graph, const std::vector<Choice>& choices);

// Two neighbouring parts of the baseline in one graph, in two formats.
struct BorderPart {
  double width = 1.0;
  int slot = 0;  // FormatBorder::slot
  Precision before = Precision::kFp32, after = Precision::kFp32;
  Graph graph;
};
// All that must be measured at the borders of the study's tables; nothing where slots have no formats of their own.
std::vector<BorderPart> PlanBorders(const Workspace& workspace);
LatencyJob JobOf(const BorderPart& part);

// What changes of format cost. Between slots: half of what both mixed pairs take more than the two pure ones. At stem
// and tail: what the pair takes more than the rows of the baseline's choices say, less what it is in the first format.
// `parts`: PlanBorders()'; `measured`: one row a part. `tables`: with rows filled in, one a width and format.
std::vector<FormatBorder> BordersOf(const Workspace& workspace, double width, std::span<const BorderPart> parts,
                                    std::span<const MeasurementRow> measured, const std::vector<LookupTable>& tables);

// The table of the first format with the rows of the other's slots behind its own. What borders to stem and tail cost
// is in the rows of the slots there.
LookupTable JoinFormats(const LookupTable& first, const LookupTable& other);

}  // namespace hot
