#include "pipeline/formats.h"

#include <algorithm>

#include "pipeline/tables.h"

namespace hot {
namespace {

bool IsOfSlot(const Node& node, size_t slot) { return node.name.starts_with("slot" + std::to_string(slot) + "."); }

// Latency of the baseline's row of a slot (1-based); 0 for slot 0, the stem, and behind the last: those are the same
// whatever the slots' formats.
double BaselineNs(const Workspace& workspace, const LookupTable& table, int slot) {
  const auto baseline = BaselineChoices(workspace.backbone(), table.width, table.precision);
  if (slot < 1 || slot > std::ssize(baseline)) return 0;
  const auto& rows = table.slots.at(static_cast<size_t>(slot - 1));
  const auto row = std::ranges::find(rows, baseline[static_cast<size_t>(slot - 1)], &TableRow::choice);
  HOT_ASSERT(row != rows.end());
  return row->latency_ns;
}

void AddToRows(int64_t ns, Precision precision, std::vector<TableRow>& rows) {
  for (TableRow& row : rows) {
    if (row.choice.precision != precision) continue;
    for (double* latency : {&row.latency_ns, &row.low_ns, &row.high_ns}) *latency += static_cast<double>(ns);
  }
}

void AddBorders(const Workspace& workspace, double width, std::vector<BorderPart>& parts) {
  const Precision first = workspace.precision(), other = Precision::kFp32;
  const auto baseline = BaselineChoices(workspace.backbone(), width, first);
  const auto slots = static_cast<int>(baseline.size());
  for (int slot = 0; slot <= slots; ++slot) {
    if (slot == slots && !BuildsTail(workspace.backbone(), workspace.task())) continue;
    for (const Precision before : {first, other}) {
      for (const Precision after : {first, other}) {
        if ((slot == 0 && before != first) || (slot == slots && after != first)) continue;
        Graph graph = BuildBorderPart(workspace.backbone(), width, baseline, workspace.task(), slot);
        parts.push_back({.width = width, .slot = slot, .before = before, .after = after, .graph = std::move(graph)});
      }
    }
  }
}

// Of the three prices of a border between two slots, in the order of PlanBorders(), what a change of format costs: what
// is in them of the rows is as much in the third, for both in the other format, as in the first two together.
void KeepConversions(std::vector<FormatBorder>& borders) {
  for (size_t i = 0; i + 2 < borders.size(); ++i) {
    if (borders[i].slot != borders[i + 2].slot) continue;
    const double both_ns = borders[i].latency_ns + borders[i + 1].latency_ns - borders[i + 2].latency_ns;
    borders[i].latency_ns = borders[i + 1].latency_ns = both_ns / 2;
    borders[i + 2].latency_ns = 0;
  }
}

}  // namespace

bool MixesFormats(const Study& study) { return study.search.precision == "slot"; }

std::set<std::string> FloatLayers(const Graph& graph, const std::vector<Choice>& choices) {
  std::set<std::string> layers;
  for (size_t slot = 0; slot < choices.size(); ++slot) {
    if (choices[slot].precision != Precision::kFp32) continue;
    for (const Node& node : graph.nodes()) {
      if (IsLayer(node.op) && IsOfSlot(node, slot + 1)) layers.insert(node.name);
    }
  }
  return layers;
}

std::set<std::string> FloatLayers(const Workspace& workspace, const StudyNetwork& network, Precision precision) {
  if (precision != workspace.precision()) return {};
  return WholeJob(workspace, GraphOf(workspace, network.width, network.choices), network.choices).float_layers;
}

Costs CostsOf(const Workspace& workspace, const StudyNetwork& network, Precision precision) {
  const Graph graph = GraphOf(workspace, network.width, network.choices);
  if (!MixesFormats(workspace.study()) || precision != workspace.precision()) return ComputeCosts(graph, precision);
  return ComputeCosts(graph, [&](const Node& node) {
    for (size_t slot = 0; slot < network.choices.size(); ++slot) {
      if (IsOfSlot(node, slot + 1)) return network.choices[slot].precision;
    }
    return precision;
  });
}

std::string LayerRanges(const Graph& graph, const std::set<std::string>& layers) {
  std::string text;
  int index = 0, first = 0;  // of all layers, from 1; of the run
  const auto end_run = [&] {
    if (first == 0) return;
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (index > first) text.append(1, '-').append(std::to_string(index));
    first = 0;
  };
  for (const Node& node : graph.nodes()) {
    if (!IsLayer(node.op)) continue;
    if (!layers.contains(node.name)) end_run();
    ++index;
    if (layers.contains(node.name) && first == 0) first = index;
  }
  end_run();
  return text;
}

LatencyJob WholeJob(const Workspace& workspace, const Graph& graph, const std::vector<Choice>& choices) {
  LatencyJob job{.graph = &graph, .precision = workspace.precision(), .part = false};
  if (MixesFormats(workspace.study())) job.float_layers = FloatLayers(graph, choices);
  return job;
}

std::vector<BorderPart> PlanBorders(const Workspace& workspace) {
  std::vector<BorderPart> parts;
  if (!MixesFormats(workspace.study())) return parts;
  for (const double width : TableWidths(workspace)) AddBorders(workspace, width, parts);
  return parts;
}

LatencyJob JobOf(const BorderPart& part) {
  LatencyJob job{.graph = &part.graph, .precision = Precision::kInt8, .part = true};
  if (part.before == Precision::kFp32 && part.after == Precision::kFp32) {
    job.precision = Precision::kFp32;
    return job;
  }
  std::vector<Choice> choices(static_cast<size_t>(part.slot) + 1, Choice{.precision = part.before});
  choices.back().precision = part.after;
  job.float_layers = FloatLayers(part.graph, choices);
  return job;
}

std::vector<FormatBorder> BordersOf(const Workspace& workspace, double width, std::span<const BorderPart> parts,
                                    std::span<const MeasurementRow> measured, const std::vector<LookupTable>& tables) {
  const auto row_ns = [&](int slot, Precision precision) {
    return BaselineNs(workspace, FindTable(tables, width, precision), slot);
  };
  std::vector<FormatBorder> borders;
  double in_first_ns = 0;  // of the pair in the first format, which comes first at every border
  for (size_t i = 0; i < parts.size(); ++i) {
    const BorderPart& part = parts[i];
    if (part.width != width) continue;
    const double rows_ns = row_ns(part.slot, part.before) + row_ns(part.slot + 1, part.after);
    const double more_ns = measured[i].median_ns - rows_ns;
    if (part.before == workspace.precision() && part.after == part.before) {
      in_first_ns = more_ns;
      continue;
    }
    borders.push_back(
        {.slot = part.slot, .before = part.before, .after = part.after, .latency_ns = more_ns - in_first_ns});
  }
  KeepConversions(borders);
  return borders;
}

LookupTable JoinFormats(const LookupTable& first, const LookupTable& other) {
  LookupTable joined = first;
  const auto slots = static_cast<int>(first.slots.size());
  for (size_t slot = 0; slot < joined.slots.size(); ++slot) {
    std::vector<TableRow>& rows = joined.slots[slot];
    const int64_t carried_bytes = rows.front().carried_bytes;  // taps are read in the first format
    for (TableRow row : other.slots.at(slot)) {
      row.carried_bytes = carried_bytes;
      rows.push_back(std::move(row));
    }
  }
  AddToRows(BorderNs(first, 0, first.precision, other.precision), other.precision, joined.slots.front());
  AddToRows(BorderNs(first, slots, other.precision, first.precision), other.precision, joined.slots.back());
  return joined;
}

}  // namespace hot
