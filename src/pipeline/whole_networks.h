// How whole networks are measured: few are, and budgets are decided on them. Called by the stages that verify and
// evaluate (docs/adr/0014).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "measure/measure.h"
#include "pipeline/workspace.h"

namespace hot {

inline constexpr MeasureOptions kWholeOptions{.min_samples = 40};
// Whole networks in one call, beside the reference network: few, so that their weights find room in the last cache, as
// those of a network that runs alone do.
inline constexpr size_t kWholeAtOnce = 5;
// Calls, each of which loads the networks anew: where a network lies in memory makes it a percent faster or slower.
inline constexpr int kWholeCalls = 3;

// Rows of one call, and what the reference network took in it over what it took first.
struct WholeCall {
  std::vector<Measurement> rows;
  double drift = 1;
};

// Calls `measure` until the reference network was near its first time in kWholeCalls of them, or twice as often, and
// makes one row a network of the nearest: of each call less its drift, then of all samples together. `measure` is given
// how many such calls there are, and returns equally many rows each time.
std::vector<Measurement> MeasureInCalls(const std::function<WholeCall(int near)>& measure);

// Whole networks in kWholeCalls calls, in each beside the reference network: the study's baseline, untrained, at the
// searched precision. What slows down a whole call (caches and memory shared with other jobs) and the canary does not
// see, the reference network does: a call in which it takes another time than when it was measured first is replaced by
// another, and what is left of the difference is taken off all rows as a factor. Without a first time and on several
// boards there is no reference; estimates are made once. At most kWholeAtOnce artifacts a board. Samples and interval
// of `options` are those of all calls together. Progress: one unit a network.
std::vector<Measurement> ProfileWhole(const Workspace& workspace, std::span<const Artifact* const> artifacts,
                                      const MeasureOptions& options, double reference_canary_ns,
                                      const Context& context);

}  // namespace hot
