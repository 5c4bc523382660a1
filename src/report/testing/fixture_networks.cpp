#include "report/testing/fixture_networks.h"

#include <array>

#include "core/hash.h"
#include "core/rng.h"

namespace hot {
namespace {

constexpr std::array<double, kFixtureSlots> kSlotMs{0.35, 0.62, 0.48, 0.44,
                                                    0.33, 0.38, 0.21};  // of the baseline at width 1
constexpr std::array<const char*, 3> kBlocks{"irb", "fused", "sandglass"};

struct Change {
  int block, kernel, expansion;
};

Change MakeChange(bool for_latency, Rng& rng) {
  if (for_latency) return {2, 3, 3};
  const int block = static_cast<int>(rng.Below(3));
  return {block, rng.Chance(0.5) ? 5 : 3, 6};
}

FixtureNetwork MakeNetwork(const std::string& objective, int rank, double width, Rng& rng) {
  FixtureNetwork network{.objective = objective, .rank = rank, .width = width};
  network.sum_ns = 1.07e6 * width;
  for (int slot = 1; slot <= kFixtureSlots; ++slot) {
    const bool change = rank > 0 && rng.Chance(0.55);
    auto [block, kernel, expansion] = change ? MakeChange(objective == "latency", rng) : Change{0, 3, 6};
    if (slot == 1) expansion = 1;
    network.slots.push_back(ChoiceName(block, kernel, expansion) + "@int8");
    network.sum_ns += ChoiceNs(slot, block, kernel, expansion, width);
  }
  network.macs = 9 * network.sum_ns;
  network.score = 0.52 + 0.03 * rng.Normal() + (objective == "accuracy" ? 0.045 : -0.005) + 0.08 * (width - 0.5);
  network.id = Sha256Hex(objective + std::to_string(rank) + std::to_string(width)).substr(0, 12);
  return network;
}

}  // namespace

std::string ChoiceName(int block, int kernel, int expansion) {
  return std::string(kBlocks[static_cast<size_t>(block)]) + "-k" + std::to_string(kernel) + "-e" +
         std::to_string(expansion);
}

double ChoiceNs(int slot, int block, int kernel, int expansion, double width) {
  constexpr std::array<double, 3> kFactor{1.0, 1.5, 0.8};
  const double cost =
      kFactor[static_cast<size_t>(block)] * (kernel == 5 ? 1.3 : 1.0) * (slot == 1 ? 1.0 : expansion / 6.0);
  return 1e6 * kSlotMs[static_cast<size_t>(slot - 1)] * (0.25 + 0.75 * cost) * width;
}

std::vector<FixtureNetwork> FixtureNetworks(int ranks) {
  Rng rng(7);
  std::vector<FixtureNetwork> networks{MakeNetwork("", 0, 0.5, rng)};
  networks[0].score = 0.521;
  for (const char* objective : {"accuracy", "latency"}) {
    for (double width : {0.5, 0.35}) {
      for (int rank = 1; rank <= ranks; ++rank) networks.push_back(MakeNetwork(objective, rank, width, rng));
    }
  }
  return networks;
}

}  // namespace hot
