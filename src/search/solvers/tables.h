// A program in the order in which exact.cpp searches it, with every table that the beam and the branch and bound read.
// Immutable once made; the program outlives it.
#pragma once

#include <cstdint>
#include <vector>

#include "search/solvers/lagrange.h"
#include "search/solvers/scores.h"

namespace hot {

// An upper bound of any pick's value x scale: plain score + suffix + constant - prices x costs spent.
struct PricedBound {
  Prices prices;
  Scores scores;  // value x scale - costs x prices
};

struct Tables {
  const Program& program;
  std::vector<int> order;  // slot at each position
  PricedBound main;        // the best prices at the root
  Scores plain;            // value x scale
  std::vector<PricedBound>
      others;                 // other prices: better where a prefix has spent more or less than the root's optimum
  std::vector<Scores> needs;  // minus the cost, one a budget

  int choices(int position) const {
    return static_cast<int>(program.slots[static_cast<size_t>(order[static_cast<size_t>(position)])].size());
  }

  // Writes the costs after `choice` to `next`; false when these and the least that the positions behind need break a
  // budget.
  bool Fits(const int64_t* spent, int position, int previous, int choice, int64_t* next) const {
    for (size_t b = 0; b < needs.size(); ++b) {
      next[b] = spent[b] - needs[b].item(position, choice) - needs[b].pair(position, previous, choice);
      if (next[b] - needs[b].suffix(position, choice) > program.budgets[b].limit) return false;
    }
    return true;
  }
};

// `feasible_picks`: feasible relaxed optima met while the prices were sought.
Tables MakeTables(const Program& program, std::vector<Solution>& feasible_picks);

}  // namespace hot
