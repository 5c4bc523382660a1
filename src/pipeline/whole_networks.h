// How whole networks are measured: few are, and budgets are decided on them. Called by the stages that verify and
// evaluate (docs/adr/0014).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "measure/measure.h"
#include "pipeline/workspace.h"

namespace hot {

// Sixteen loads, of which one is 1 to 2 % off.
inline constexpr MeasureOptions kWholeOptions{.min_samples = 48, .loads = 16};
// Whole networks in one call, with the reference network: few, so that little time lies between its loads and theirs.
inline constexpr size_t kWholeAtOnce = 5;

// Rows of one call, and what the reference network took in it over what it took first.
struct WholeCall {
  std::vector<Measurement> rows;
  double drift = 1;
};

// Calls `measure` until the reference network is near its first time, three times at most, and returns the nearest
// call's rows less its drift.
std::vector<Measurement> MeasureNearReference(const std::function<WholeCall()>& measure);

// Whole networks beside the reference network: the study's baseline, untrained, at the searched precision. What slows
// down a whole call (caches and memory shared with other jobs) and the canary does not see, the reference network does:
// a call in which it takes another time than when it was measured first is replaced by another, and what is left of the
// difference is taken off all rows as a factor. Without a first time and on several boards there is no reference;
// estimates are made once. At most kWholeAtOnce artifacts a board. Progress: one unit a network.
std::vector<Measurement> ProfileWhole(const Workspace& workspace, std::span<const Artifact* const> artifacts,
                                      const MeasureOptions& options, double reference_canary_ns,
                                      const Context& context);

}  // namespace hot
