#include "pipeline/whole_networks.h"

#include <cmath>
#include <optional>
#include <utility>

#include "core/part_progress.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"

namespace hot {
namespace {

// Of the reference network: neighbours on the shared caches slow it down, and other networks less or more, so that no
// factor makes up for it.
constexpr double kReferenceDrift = 0.03;
constexpr int kMostCalls = 3;

double Distance(const WholeCall& call) { return std::abs(call.drift - 1); }

// The study's baseline as it was measured first.
struct Reference {
  Artifact artifact;
  MeasurementRow first;
};

// Nothing before it was measured, of estimates, and on several boards, of which it would have to be on each.
std::optional<Reference> FindReference(const Workspace& workspace, double reference_canary_ns) {
  const Device& device = workspace.device();
  if (device.Describe().estimates() || device.boards() > 1) return std::nullopt;
  const double width = workspace.baseline_width();
  const Graph graph = GraphOf(workspace, width, BaselineChoices(workspace.backbone(), width, workspace.precision()));
  const LatencyJob job{.graph = &graph, .precision = workspace.precision(), .part = false};
  auto first = FindLatency(workspace, job, reference_canary_ns);
  if (!first) return std::nullopt;
  return Reference{.artifact = CompileUntrained(workspace, job), .first = *std::move(first)};
}

}  // namespace

std::vector<Measurement> MeasureNearReference(const std::function<WholeCall()>& measure) {
  WholeCall nearest = measure();
  for (int calls = 1; calls < kMostCalls && Distance(nearest) > kReferenceDrift; ++calls) {
    WholeCall call = measure();
    if (Distance(call) < Distance(nearest)) nearest = std::move(call);
  }
  for (Measurement& row : nearest.rows) Rescale(row, 1 / nearest.drift);
  return nearest.rows;
}

std::vector<Measurement> ProfileWhole(const Workspace& workspace, std::span<const Artifact* const> artifacts,
                                      const MeasureOptions& options, double reference_canary_ns,
                                      const Context& context) {
  const Device& device = workspace.device();
  if (device.Describe().estimates()) return device.Profile(artifacts, options, reference_canary_ns, context);
  const std::optional<Reference> reference = FindReference(workspace, reference_canary_ns);
  std::vector<const Artifact*> loaded(artifacts.begin(), artifacts.end());
  if (reference) loaded.push_back(&reference->artifact);
  const double share = static_cast<double>(artifacts.size()) / static_cast<double>(loaded.size());
  return MeasureNearReference([&] {
    PartProgress progress(context.progress, 0, share);
    WholeCall call{
        .rows = device.Profile(loaded, options, reference_canary_ns, {context.clock, progress, context.cancelled})};
    if (reference) {
      call.drift = call.rows.back().median_ns / reference->first.median_ns;
      call.rows.pop_back();
    }
    return call;
  });
}

}  // namespace hot
