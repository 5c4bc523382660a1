#include "search/apart.h"

#include <algorithm>

#include "core/error.h"

namespace hot {
namespace {

// A budget on how many choices may be those of `pick`.
void AddBudgetAround(const std::vector<int>& pick, int distance, Program& program) {
  const auto slots = static_cast<int64_t>(program.slots.size());
  program.budgets.push_back({"like_" + std::to_string(program.budgets.size()), slots - distance});
  for (size_t slot = 0; slot < program.slots.size(); ++slot) {
    for (size_t i = 0; i < program.slots[slot].size(); ++i) {
      program.slots[slot][i].costs.push_back(static_cast<int>(i) == pick[slot] ? 1 : 0);
    }
  }
}

bool IsApart(const Solution& pick, const std::vector<Solution>& others, int distance) {
  return std::ranges::all_of(
      others, [&](const Solution& other) { return HammingDistance(pick.choices, other.choices) >= distance; });
}

}  // namespace

SolveResult SolveApart(const Solver& solver, const Program& program, int k, int distance) {
  CheckCount(k);
  if (distance < 1)
    throw Error(Code::kInvalidArgument, "solver", "a minimum distance of " + std::to_string(distance) + " slots");
  if (distance == 1 || k == 1) return solver.Solve(program, k);
  Program rest = program;  // with a budget around every pick of `result`
  SolveResult result;
  for (bool any = true; any && std::ssize(result.solutions) < k;) {
    const SolveResult next = solver.Solve(rest, k);
    result.solve_ns += next.solve_ns;
    result.optimal = result.optimal && next.optimal;
    any = !next.solutions.empty();
    // What the list lacks comes after its last pick, so the first that is far enough is the best that is.
    for (const Solution& pick : next.solutions) {
      if (std::ssize(result.solutions) == k || !IsApart(pick, result.solutions, distance)) continue;
      result.solutions.push_back(EvaluatePick(program, pick.choices));
      AddBudgetAround(pick.choices, distance, rest);
    }
  }
  return result;
}

}  // namespace hot
