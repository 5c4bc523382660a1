#include "pipeline/whole_networks.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/part_progress.h"

namespace hot {
namespace {

// Of the reference network: neighbours on the shared caches slow it down, and other networks less or more, so that no
// factor makes up for it. One load alone is a percent off.
constexpr double kReferenceDrift = 0.03;
constexpr int kMostCalls = 2 * kWholeCalls;

double Distance(const WholeCall& call) { return std::abs(call.drift - 1); }

// Of one of kWholeCalls calls, so that together they have what was asked for.
MeasureOptions OfACall(MeasureOptions options) {
  options.min_samples = (options.min_samples + kWholeCalls - 1) / kWholeCalls;
  options.max_samples = std::max(options.max_samples / kWholeCalls, options.min_samples);
  options.target_half_width *= std::sqrt(kWholeCalls);
  options.max_total_ns /= kWholeCalls;
  return options;
}

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

std::vector<Measurement> MeasureInCalls(const std::function<WholeCall(int near)>& measure) {
  std::vector<WholeCall> calls;
  for (int near = 0; near < kWholeCalls && std::ssize(calls) < kMostCalls;) {
    calls.push_back(measure(near));
    if (Distance(calls.back()) <= kReferenceDrift) ++near;
  }
  std::ranges::stable_sort(calls, {}, Distance);
  calls.resize(kWholeCalls);
  std::vector<Measurement> pooled;
  for (size_t row = 0; row < calls.front().rows.size(); ++row) {
    std::vector<Measurement> of_row;
    for (WholeCall& call : calls) {
      Rescale(call.rows[row], 1 / call.drift);
      of_row.push_back(std::move(call.rows[row]));
    }
    pooled.push_back(Pooled(of_row));
  }
  return pooled;
}

std::vector<Measurement> ProfileWhole(const Workspace& workspace, std::span<const Artifact* const> artifacts,
                                      const MeasureOptions& options, double reference_canary_ns,
                                      const Context& context) {
  const Device& device = workspace.device();
  if (device.Describe().estimates()) return device.Profile(artifacts, options, reference_canary_ns, context);
  const std::optional<Reference> reference = FindReference(workspace, reference_canary_ns);
  std::vector<const Artifact*> loaded(artifacts.begin(), artifacts.end());
  if (reference) loaded.push_back(&reference->artifact);
  return MeasureInCalls([&](int near) {
    const double share = 1.0 / kWholeCalls;
    PartProgress progress(context.progress, static_cast<double>(artifacts.size()) * share * near, share);
    WholeCall call{.rows = device.Profile(loaded, OfACall(options), reference_canary_ns,
                                          {context.clock, progress, context.cancelled})};
    if (reference_canary_ns <= 0) reference_canary_ns = CanaryReference(call.rows.front());  // the study's first
    if (reference) {
      call.drift = call.rows.back().median_ns / reference->first.median_ns;
      call.rows.pop_back();
    }
    return call;
  });
}

}  // namespace hot
