// Lagrangian relaxation of a program (M. L. Fisher, "The Lagrangian relaxation method for solving integer programming
// problems", Management Science 27, 1981): budgets move into the objective with a price each, so that slots separate
// and the relaxed optimum bounds every feasible pick from above. Prices are integers, so the bound is exact. Used by
// exact.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "search/program.h"
#include "search/solvers/scores.h"

namespace hot {

// Sizes of the program that keep all sums inside 64 bits.
struct Extent {
  int64_t value = 1;            // largest possible magnitude of a value
  std::vector<int64_t> costs;   // the same, one a budget
  std::vector<int64_t> limits;  // the program's, cut to what can be reached
};
Extent MeasureExtent(const Program& program);

struct Prices {
  int64_t scale = 1;           // weight of the value; a price p is p / scale a unit of cost
  std::vector<int64_t> costs;  // one a budget, >= 0
  int64_t constant = 0;        // sum of price x limit
  Weights AsWeights() const;   // value x scale - costs x prices
};

// Prices with a small relaxed optimum, by subgradient steps with a falling level. Relaxed optima met on the way that
// keep all budgets are added to `feasible_picks`.
Prices FindPrices(const Program& program, const Extent& extent, std::vector<Solution>& feasible_picks);
// A larger price of budget `b` could overflow.
int64_t LargestPrice(const Extent& extent, size_t b);
// All budgets ignored.
Prices ZeroPrices(const Program& program, const Extent& extent);

}  // namespace hot
