// The seed space of bench_fidelity: MobileNetV2-1.0 SSD at 320x320, its look-up table, which whole networks are
// measured, and the measuring itself, as a study does it.
#pragma once

#include <string>
#include <vector>

#include "core/rng.h"
#include "pipeline/latencies.h"
#include "search/lookup_table.h"

namespace hot {

using Choices = std::vector<Choice>;  // one a slot

inline constexpr double kFidelityWidth = 1.0;
inline constexpr int kFidelitySide = 320;
inline constexpr int kHeldOut = 50;

struct FidelitySpace {
  Workspace& workspace;
  LookupTable table;

  // Runs stage profile.
  explicit FidelitySpace(Workspace& workspace);

  int64_t Macs(const Choices& choices) const;
  double PlainNs(const Choices& choices) const;
  Choices Baseline() const;
  Choices Random(Rng& rng) const;

  // 25 of the whole space, then 25 of at most 1.6 times the baseline's MACs, where a search works; each one of as many
  // equal parts of the predicted latencies.
  std::vector<Choices> HeldOut() const;
  // As many as a study measures: the baseline, then networks in which each slot goes through its choices in random
  // order; none of `held_out`.
  std::vector<Choices> Fitted(const std::vector<Choices>& held_out) const;

  // Latencies in nanoseconds, from the journal where it has them.
  std::vector<double> Measure(const std::vector<Choices>& networks, const std::string& what) const;
};

// Loaded and measured anew; not into the journal.
std::vector<double> MeasureAgain(Workspace& workspace, const std::vector<Choices>& networks);

}  // namespace hot
