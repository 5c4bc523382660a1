// The made-up networks and blocks of the run folder that report tests read.
#pragma once

#include <string>
#include <vector>

namespace hot {

constexpr int kFixtureSlots = 7;

// A made-up network of the run folder; latencies in nanoseconds.
struct FixtureNetwork {
  std::string id, objective;
  int rank = 0;
  double width = 0.5;
  std::vector<std::string> slots;
  double sum_ns = 0, score = 0, macs = 0;
  std::string name() const { return objective.empty() ? "baseline" : "candidate"; }
  double measured_ns() const { return 1.06 * sum_ns + 90e3; }
};

// Block 0 to 2: irb, fused, sandglass.
std::string ChoiceName(int block, int kernel, int expansion);
double ChoiceNs(int slot, int block, int kernel, int expansion, double width);

// The baseline first; `ranks` for each of two widths and objectives.
std::vector<FixtureNetwork> FixtureNetworks(int ranks);

}  // namespace hot
