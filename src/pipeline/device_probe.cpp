#include "pipeline/device_probe.h"

#include <algorithm>

#include "graph/costs.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/whole_networks.h"

namespace hot {
namespace {

std::vector<Choice> SmallestChoices(const Workspace& workspace, double width) {
  const Backbone& backbone = workspace.backbone();
  const auto inputs = SlotInputShapes(backbone, width, workspace.task().options().input);
  std::vector<Choice> choices;
  for (const Slot& slot : backbone.Slots(width, workspace.precision())) {
    const auto macs = [&](const Choice& choice) {
      return ComputeCosts(BuildSlotPart(backbone, width, workspace.task(), slot.index, choice), workspace.precision())
          .macs;
    };
    const auto distinct = DistinctChoices(slot, inputs[static_cast<size_t>(slot.index - 1)]);
    choices.push_back(*std::ranges::min_element(distinct, {}, macs));
  }
  return choices;
}

ProbedNetwork Costed(const Workspace& workspace, const Graph& graph, const Measurement& measured) {
  const Costs costs = ComputeCosts(graph, workspace.precision());
  return {.latency_ns = measured.median_ns * workspace.task().options().passes(),
          .macs = costs.macs,
          .weight_bytes = costs.weight_bytes,
          .peak_bytes = costs.peak_activation_bytes};
}

}  // namespace

DeviceProbe ProbeDevice(const Workspace& workspace) {
  const double width = workspace.baseline_width();
  const Graph graphs[] = {
      GraphOf(workspace, width, BaselineChoices(workspace.backbone(), width, workspace.precision())),
      GraphOf(workspace, width, SmallestChoices(workspace, width))};
  std::vector<Artifact> artifacts;
  std::vector<const Artifact*> pointers;
  workspace.context().progress.Begin("device", std::size(graphs));
  for (const Graph& graph : graphs) {
    workspace.context().progress.Update(static_cast<double>(artifacts.size()), "compiling the baseline");
    const LatencyJob job{.graph = &graph, .precision = workspace.precision(), .part = false};
    artifacts.push_back(CompileUntrained(workspace, job));
  }
  for (const Artifact& artifact : artifacts) pointers.push_back(&artifact);
  workspace.context().progress.Update(1, "measuring");
  const auto measured = workspace.device().Profile(pointers, kWholeOptions, 0, workspace.context());
  return {.baseline = Costed(workspace, graphs[0], measured.at(0)),
          .smallest = Costed(workspace, graphs[1], measured.at(1))};
}

}  // namespace hot
