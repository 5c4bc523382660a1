// The integer program of a seed-space-like table (seed_table.h) with three budgets. For tests and bench_search.
#pragma once

#include <cmath>

#include "search/solver.h"
#include "search/testing/seed_table.h"

namespace hot {

// Most MACs; each limit is its budget's smallest possible sum times 1 + `tightness`. The first `slots` of the seven.
inline Program SeedProgram(uint64_t seed, double tightness, int slots = 7) {
  Program program;
  for (const auto& rows : MakeSeedTable(seed, slots).slots) {
    auto& choices = program.slots.emplace_back();
    for (const TableRow& row : rows) {
      choices.push_back({row.choice.Name(),
                         row.macs,
                         {std::llround(row.latency_ns), row.weight_bytes, row.weight_bytes + row.peak_bytes}});
    }
  }
  program.budgets = {{"latency_ns", 0}, {"flash_bytes", 0}, {"memory_bytes", 0}};
  const std::vector<int64_t> smallest = SmallestCosts(program);
  for (size_t b = 0; b < smallest.size(); ++b) {
    program.budgets[b].limit = std::llround(static_cast<double>(smallest[b]) * (1 + tightness));
  }
  return program;
}

}  // namespace hot
