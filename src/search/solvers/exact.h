// Our own branch and bound: the k best picks with proof. Called through MakeSolver("exact"). Thread rule: as Solver.
#pragma once

#include <cstdint>
#include <memory>

#include "search/solver.h"

namespace hot {

struct ExactOptions {
  // The search ends here with the best picks found so far and optimal = false; a count, not a time, so that it is the
  // same on every machine. About a minute.
  int64_t max_nodes = 4'000'000'000;
};

std::unique_ptr<Solver> MakeExactSolver(const ExactOptions& options);

}  // namespace hot
