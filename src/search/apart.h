// The best picks of a program that differ from each other: minimum Hamming distance. Called by AutoSearch. Stateless.
#pragma once

#include <vector>

#include "core/error.h"
#include "search/solver.h"

namespace hot {

// In how many slots two picks of one program, or two networks of one space, differ.
template <typename Choice>
int HammingDistance(const std::vector<Choice>& a, const std::vector<Choice>& b) {
  HOT_ASSERT(a.size() == b.size());
  int distance = 0;
  for (size_t slot = 0; slot < a.size(); ++slot) distance += a[slot] != b[slot] ? 1 : 0;
  return distance;
}

// By slot and choice: choices of one kind count as the same where picks are compared. Empty: each is its own kind.
using Kinds = std::vector<std::vector<int>>;

// At most k picks, best first, each the best (in the order of SolveResult) of all feasible picks that differ from every
// one before it in the kinds of at least `distance` slots; with distance 1 and no kinds that is solver.Solve(program,
// k). Proven: the solver is asked again until there are k, with one more budget for every pick so far: at most slots -
// distance of its choices. Fewer than k: every other feasible pick is nearer to one of these. Throws
// Error(kInvalidArgument) for a distance below 1, and what the solver throws.
SolveResult SolveApart(const Solver& solver, const Program& program, int k, int distance, const Kinds& kinds = {});

}  // namespace hot
