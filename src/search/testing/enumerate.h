// The oracle of the solvers: looks at every pick. Small programs only. For tests and bench_search.
#pragma once

#include "search/solvers/k_best.h"

namespace hot {

// The k best of all feasible picks, in the order that SolveResult promises.
inline std::vector<Solution> EnumerateBest(const Program& program, size_t k) {
  KBest best(k);
  std::vector<int> choices(program.slots.size());
  while (true) {
    Solution solution = EvaluatePick(program, choices);
    if (Feasible(program, solution)) best.Offer(std::move(solution));
    size_t slot = choices.size();
    while (slot > 0 && ++choices[slot - 1] == static_cast<int>(program.slots[slot - 1].size())) choices[--slot] = 0;
    if (slot == 0) return best.Sorted();
  }
}

}  // namespace hot
