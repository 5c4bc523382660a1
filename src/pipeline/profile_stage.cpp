// Stage profile: measures what the look-up tables of this device, toolchain and precision lack.
#include <nlohmann/json.hpp>
#include <span>

#include "measure/latency_statistic.h"
#include "pipeline/application.h"
#include "pipeline/formats.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/stages.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

// `measured` are those of PlanBorders(); rows are filled in.
void AddBorders(const Workspace& workspace, std::span<const BorderPart> parts, std::span<const MeasurementRow> measured,
                std::vector<TablePlan>& plans) {
  std::vector<LookupTable> tables;
  for (const TablePlan& plan : plans) tables.push_back(plan.table);
  for (TablePlan& plan : plans) {
    if (plan.table.precision != workspace.precision()) continue;
    plan.table.borders = BordersOf(workspace, plan.table.width, parts, measured, tables);
  }
}

// `measured` are the table's rows.
void LearnStatistics(LookupTable& table, std::span<const MeasurementRow> measured) {
  const auto over_median = [&](LatencyStatistic statistic) {
    std::vector<double> ratios;
    for (const MeasurementRow& row : measured) {
      ratios.push_back(StatisticOverMedian(statistic, row.samples_ns, row.canary_ns));
    }
    return Percentile(std::move(ratios), 0.5);
  };
  table.mean_over_median = over_median(LatencyStatistic::kMean);
  table.p90_over_median = over_median(LatencyStatistic::kP90);
}

// What an application does around the network.
void AddSteps(Workspace& workspace, std::vector<TablePlan>& plans) {
  const std::vector<TableRow> steps = StepRows(workspace);
  for (TablePlan& plan : plans) plan.table.fixed.insert(plan.table.fixed.end(), steps.begin(), steps.end());
}

void WriteTables(const Workspace& workspace, const std::vector<TablePlan>& plans) {
  const DeviceInfo device = workspace.device().Describe();
  Json tables = Json::array();
  for (const TablePlan& plan : plans) tables.push_back(Json::parse(ToJson(plan.table)));
  WriteRunJson(workspace, "table.json",
               {{"version", 1},
                {"device",
                 {{"name", device.name},
                  {"fingerprint", device.fingerprint},
                  {"latency_is", device.latency_is()},
                  {"info", Json::parse(device.json)}}},
                {"toolchain", workspace.toolchain().name()},
                {"toolchain_version", workspace.toolchain().version()},
                {"flags", workspace.toolchain().flags()},
                {"threads", workspace.study().target.threads},
                {"tables", tables}});
}

}  // namespace

std::string ProfileInputs(const Workspace& workspace) {
  const DeviceInfo device = workspace.device().Describe();
  return StudySectionJson(workspace.study(), "model") + StudySectionJson(workspace.study(), "target") +
         device.fingerprint + std::string(workspace.toolchain().name()) + workspace.toolchain().version() +
         workspace.toolchain().flags() + std::to_string(workspace.task().options().classes.size()) + " " +
         std::to_string(workspace.task().options().keypoints.size()) + " " + workspace.study().quantize.scheme +
         (MixesFormats(workspace.study()) ? " borders" : "") +
         (MeasuresEndToEnd(workspace) ? " end_to_end " + StudySectionJson(workspace.study(), "data") : "");
}

std::string RunProfile(Workspace& workspace) {
  std::vector<TablePlan> plans = PlanTables(workspace);
  std::vector<TableRow*> rows;
  for (TablePlan& plan : plans) {
    for (TableRow* row : AllRows(plan.table)) rows.push_back(row);
  }
  const std::vector<BorderPart> borders = PlanBorders(workspace);
  const std::vector<LatencyJob> jobs = TableJobs(plans, borders);
  const LatencyRows measured = MeasureLatencies(workspace, jobs, "profile");
  for (size_t i = 0; i < rows.size(); ++i) FillRow(*rows[i], measured.rows[i]);
  size_t first = 0;
  for (TablePlan& plan : plans) {
    LearnStatistics(plan.table, std::span(measured.rows).subspan(first, plan.graphs.size()));
    first += plan.graphs.size();
  }
  AddBorders(workspace, borders, std::span(measured.rows).subspan(rows.size()), plans);
  if (MeasuresEndToEnd(workspace)) AddSteps(workspace, plans);
  WriteTables(workspace, plans);
  const DeviceInfo device = workspace.device().Describe();
  std::string summary = std::to_string(jobs.size()) + " rows, " + std::to_string(measured.measured) +
                        (device.estimates() ? " estimated (" + device.estimator + "), " : " measured, ") +
                        std::to_string(measured.from_journal) + " from the journal";
  if (measured.unsteady > 0) summary += ", " + std::to_string(measured.unsteady) + " unsteady";
  return summary;
}

}  // namespace hot
