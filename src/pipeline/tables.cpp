#include "pipeline/tables.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/costs.h"
#include "graph/key.h"
#include "pipeline/distilled.h"
#include "pipeline/networks.h"

namespace hot {
namespace {

TableRow MakeRow(const std::string& part, const Choice& choice, const Graph& graph, Precision precision,
                 int64_t carried_bytes) {
  const Costs costs = ComputeCosts(graph, precision);
  TableRow row;
  row.part = part;
  row.choice = choice;
  row.graph_key = GraphKey(graph, precision);
  row.macs = costs.macs;
  row.weight_bytes = costs.weight_bytes;
  row.peak_bytes = costs.peak_activation_bytes;
  row.carried_bytes = carried_bytes;
  return row;
}

// One table a width, with the rows of both formats.
std::vector<LookupTable> Joined(const std::vector<LookupTable>& tables, Precision first) {
  std::vector<LookupTable> joined;
  for (const LookupTable& table : tables) {
    if (table.precision != first) continue;
    joined.push_back(JoinFormats(table, FindTable(tables, table.width, Precision::kFp32)));
  }
  return joined;
}

}  // namespace

TablePlan PlanTable(const Workspace& workspace, double width, Precision precision) {
  const Backbone& backbone = workspace.backbone();
  const Task& task = workspace.task();
  const auto inputs = SlotInputShapes(backbone, width, task.options().input);
  const auto carried = CarriedBytes(backbone, width, task, precision);
  TablePlan plan;
  plan.table.width = width;
  plan.table.precision = precision;
  for (const Slot& slot : backbone.Slots(width, precision)) {
    const std::string part = "slot" + std::to_string(slot.index);
    auto& rows = plan.table.slots.emplace_back();
    const auto add = [&](const Choice& choice, bool searched) {
      plan.graphs.push_back(BuildSlotPart(backbone, width, task, slot.index, choice));
      rows.push_back(MakeRow(part, choice, plan.graphs.back(), precision, carried.at(part)));
      rows.back().searched = searched;
    };
    const auto distinct = DistinctChoices(slot, inputs[static_cast<size_t>(slot.index - 1)]);
    for (const Choice& choice : distinct) add(choice, true);
    if (std::ranges::count(distinct, slot.baseline) == 0) add(slot.baseline, false);
  }
  const auto add_fixed = [&](const std::string& part, Graph graph) {
    plan.table.fixed.push_back(MakeRow(part, {}, graph, precision, carried.at(part)));
    plan.graphs.push_back(std::move(graph));
  };
  add_fixed("stem", BuildStemPart(backbone, width, task));
  if (BuildsTail(backbone, task)) add_fixed("tail", BuildTailPart(backbone, width, task));
  add_fixed("head", BuildHeadPart(backbone, width, task));
  if (workspace.device().Describe().estimates()) plan.networks = NetworksOf(workspace, plan.table);
  return plan;
}

std::vector<TablePlan> PlanTables(const Workspace& workspace) {
  std::vector<TablePlan> plans;
  for (const std::string& precision : workspace.study().target.precision) {
    for (double width : TableWidths(workspace)) plans.push_back(PlanTable(workspace, width, ParsePrecision(precision)));
  }
  return plans;
}

std::vector<LatencyJob> TableJobs(std::span<const TablePlan> plans, std::span<const BorderPart> borders) {
  std::vector<LatencyJob> jobs;
  for (const TablePlan& plan : plans) {
    const size_t first = jobs.size();
    for (const Graph& graph : plan.graphs)
      jobs.push_back({.graph = &graph, .precision = plan.table.precision, .part = true});
    if (!plan.networks.graphs.empty()) PutInto(plan.networks, plan.table, std::span(jobs).subspan(first));
  }
  for (const BorderPart& border : borders) jobs.push_back(JobOf(border));
  return jobs;
}

void FillRow(TableRow& row, const MeasurementRow& measured) {
  row.latency_ns = measured.median_ns;
  row.low_ns = measured.low_ns;
  row.high_ns = measured.high_ns;
  row.raw_median_ns = measured.raw_median_ns;
  row.samples = static_cast<int>(measured.samples_ns.size());
  row.steady = measured.steady;
}

std::vector<TableRow*> AllRows(LookupTable& table) {
  std::vector<TableRow*> rows;
  for (auto& slot : table.slots) {
    for (TableRow& row : slot) rows.push_back(&row);
  }
  for (TableRow& row : table.fixed) rows.push_back(&row);
  return rows;
}

std::vector<double> TableWidths(const Workspace& workspace) {
  std::vector<double> widths = workspace.study().model.width;
  if (std::count(widths.begin(), widths.end(), workspace.baseline_width()) == 0)
    widths.push_back(workspace.baseline_width());
  return widths;
}

std::vector<LookupTable> ReadTables(const Workspace& workspace) {
  std::vector<LookupTable> tables;
  const auto file = ReadRunJson(workspace, "table.json");
  for (const auto& json : file.at("tables")) {
    tables.push_back(LookupTableFromJson(json.dump(), (workspace.folder() / "table.json").string()));
  }
  if (Distills(workspace.study())) AddQuality(workspace, tables);
  return MixesFormats(workspace.study()) ? Joined(tables, workspace.precision()) : tables;
}

const LookupTable& FindTable(const std::vector<LookupTable>& tables, double width, Precision precision) {
  for (const LookupTable& table : tables) {
    if (table.width == width && table.precision == precision) return table;
  }
  throw Error(Code::kNotFound, "table.json", "has no table of this width and precision", "run hot profile");
}

}  // namespace hot
