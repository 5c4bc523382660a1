// A look-up table like the seed space's at 320x320 (MobileNetV2's seven slots, types x kernels x expansions) from layer
// arithmetic and a made-up machine; the same on every computer. For tests and bench_search.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/rng.h"
#include "search/lookup_table.h"

namespace hot {

struct SeedStage {
  int channels, repeats, stride;
};

// One repeat's layers, summed.
struct SeedCost {
  int64_t macs = 0, weights = 0, peak = 0;
  double ns = 0;

  // `rate`: multiply-accumulates a nanosecond.
  void AddLayer(int64_t area, int64_t in, int64_t out, int64_t filter, double rate) {
    macs += area * filter;
    weights += filter + 4 * out;
    peak = std::max(peak, area * (in + out));
    ns += static_cast<double>(area * filter) / rate + static_cast<double>(area * (in + out)) / 12.0 + 900.0;
  }
};

inline SeedCost SeedRepeat(const Choice& choice, int64_t in, int64_t out, int64_t size, int stride) {
  SeedCost cost;
  const int64_t before = size * size, after = before / stride / stride, taps = choice.kernel * choice.kernel;
  if (choice.block == "sandglass") {
    const int64_t narrow = std::max<int64_t>((in / choice.expansion + 7) / 8 * 8, (out / 6 + 7) / 8 * 8);
    cost.AddLayer(before, in, in, in * taps, 11);
    cost.AddLayer(before, in, narrow, in * narrow, 48);
    cost.AddLayer(before, narrow, out, narrow * out, 48);
    cost.AddLayer(after, out, out, out * taps, 11);
    return cost;
  }
  const int64_t wide = in * choice.expansion;
  if (choice.block == "fused") {
    cost.AddLayer(after, in, wide, in * wide * taps, 70);
  } else {
    if (choice.expansion > 1) cost.AddLayer(before, in, wide, in * wide, 48);
    cost.AddLayer(after, wide, wide, wide * taps, 11);
  }
  cost.AddLayer(after, wide, out, wide * out, 48);
  return cost;
}

inline TableRow SeedRow(const std::string& part, const Choice& choice, const SeedCost& cost, Rng& rng) {
  TableRow row;
  row.part = part;
  row.choice = choice;
  row.graph_key = part + choice.Name();
  row.macs = cost.macs;
  row.weight_bytes = cost.weights;
  row.peak_bytes = cost.peak;
  row.latency_ns = cost.ns * rng.Uniform(0.85, 1.15);  // machines are not that smooth
  row.low_ns = row.latency_ns * 0.995;
  row.high_ns = row.latency_ns * 1.005;
  return row;
}

// The first `slots` of the seven.
inline LookupTable MakeSeedTable(uint64_t seed, int slots = 7) {
  const std::vector<SeedStage> stages = {{16, 1, 1}, {24, 2, 2},  {32, 3, 2}, {64, 4, 2},
                                         {96, 3, 1}, {160, 3, 2}, {320, 1, 1}};
  Rng rng(seed);
  LookupTable table;
  table.precision = Precision::kInt8;
  int64_t in = 32, size = 160;
  for (int s = 0; s < slots; ++s) {
    const SeedStage& stage = stages[static_cast<size_t>(s)];
    std::vector<TableRow>& rows = table.slots.emplace_back();
    for (const char* block : {"irb", "fused", "sandglass"}) {
      for (const int kernel : {3, 5}) {
        for (const int expansion : s == 0 ? std::vector<int>{1} : std::vector<int>{3, 6, 9}) {
          const Choice choice{block, kernel, expansion, Precision::kInt8};
          SeedCost cost = SeedRepeat(choice, in, stage.channels, size, stage.stride);
          for (int r = 1; r < stage.repeats; ++r) {
            const SeedCost more = SeedRepeat(choice, stage.channels, stage.channels, size / stage.stride, 1);
            cost = {cost.macs + more.macs, cost.weights + more.weights, std::max(cost.peak, more.peak),
                    cost.ns + more.ns};
          }
          rows.push_back(SeedRow("slot" + std::to_string(s + 1), choice, cost, rng));
        }
      }
    }
    in = stage.channels;
    size /= stage.stride;
  }
  for (const char* part : {"stem", "tail", "head"}) {
    SeedCost cost;
    cost.AddLayer(100 * 100, 3, 32, 864, 30);
    table.fixed.push_back(SeedRow(part, {}, cost, rng));
    table.fixed.back().choice = {};
  }
  return table;
}

}  // namespace hot
