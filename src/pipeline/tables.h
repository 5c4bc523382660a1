// The look-up tables of a study, one a width and precision, as graphs to measure and as rows with latencies.
#pragma once

#include <span>
#include <vector>

#include "pipeline/formats.h"
#include "pipeline/latencies.h"
#include "pipeline/table_networks.h"
#include "pipeline/workspace.h"
#include "search/lookup_table.h"
#include "store/store.h"

namespace hot {

// A table whose latencies are still zero, and the graph of every row in the order AllRows() gives.
struct TablePlan {
  LookupTable table;
  std::vector<Graph> graphs;
  // On a device that estimates: what the rows are parts of.
  TableNetworks networks = {};
};
TablePlan PlanTable(const Workspace& workspace, double width, Precision precision);
// Of every precision and width of the study.
std::vector<TablePlan> PlanTables(const Workspace& workspace);
// What has to be measured for them, in the order of their rows, and then for the borders between formats. Both must
// outlive it.
std::vector<LatencyJob> TableJobs(std::span<const TablePlan> plans, std::span<const BorderPart> borders);

// Takes a measurement's numbers over.
void FillRow(TableRow& row, const MeasurementRow& measured);

// Pointers to all rows: slots in order, then fixed parts.
std::vector<TableRow*> AllRows(LookupTable& table);

// The baseline's width is measured even when it is not searched.
std::vector<double> TableWidths(const Workspace& workspace);

// With the quality of each choice where the study has it measured; where slots have formats of their own, one a width
// with the rows of both (formats.h).
std::vector<LookupTable> ReadTables(const Workspace& workspace);
// Throws Error(kNotFound) when there is none.
const LookupTable& FindTable(const std::vector<LookupTable>& tables, double width, Precision precision);

}  // namespace hot
