#include "search/apart.h"

#include <algorithm>

#include "core/error.h"

namespace hot {
namespace {

constexpr int kAskWithKinds = 16;

std::vector<int> KindsOf(const std::vector<int>& pick, const Kinds& kinds) {
  std::vector<int> of_pick = pick;
  for (size_t slot = 0; slot < kinds.size(); ++slot) of_pick[slot] = kinds[slot][static_cast<size_t>(pick[slot])];
  return of_pick;
}

// A budget on how many choices may be of the kinds of `pick`.
void AddBudgetAround(const std::vector<int>& pick, int distance, const Kinds& kinds, Program& program) {
  const auto slots = static_cast<int64_t>(program.slots.size());
  const std::vector<int> of_pick = KindsOf(pick, kinds);
  program.budgets.push_back({"like_" + std::to_string(program.budgets.size()), slots - distance});
  for (size_t slot = 0; slot < program.slots.size(); ++slot) {
    for (size_t i = 0; i < program.slots[slot].size(); ++i) {
      const int kind = kinds.empty() ? static_cast<int>(i) : kinds[slot][i];
      program.slots[slot][i].costs.push_back(kind == of_pick[slot] ? 1 : 0);
    }
  }
}

bool IsApart(const Solution& pick, const std::vector<Solution>& others, int distance, const Kinds& kinds) {
  return std::ranges::all_of(others, [&](const Solution& other) {
    return HammingDistance(KindsOf(pick.choices, kinds), KindsOf(other.choices, kinds)) >= distance;
  });
}

void CheckDistance(int distance) {
  if (distance >= 1) return;
  throw Error(Code::kInvalidArgument, "solver", "a minimum distance of " + std::to_string(distance) + " slots");
}

}  // namespace

SolveResult SolveApart(const Solver& solver, const Program& program, int k, int distance, const Kinds& kinds) {
  CheckCount(k);
  CheckDistance(distance);
  if ((distance == 1 && kinds.empty()) || k == 1) return solver.Solve(program, k);
  Program rest = program;  // with a budget around every pick of `result`
  // Picks of the same kinds are neighbours in the list, and every budget makes the next call slower.
  const int ask = kinds.empty() ? k : kAskWithKinds * k;
  SolveResult result;
  for (bool any = true; any;) {
    const SolveResult next = solver.Solve(rest, ask);
    result.solve_ns += next.solve_ns;
    result.optimal = result.optimal && next.optimal;
    any = !next.solutions.empty();
    // What the list lacks comes after its last pick, so the first that is far enough is the best that is.
    for (const Solution& pick : next.solutions) {
      if (!IsApart(pick, result.solutions, distance, kinds)) continue;
      result.solutions.push_back(EvaluatePick(program, pick.choices));
      if (std::ssize(result.solutions) == k) return result;
      AddBudgetAround(pick.choices, distance, kinds, rest);
    }
  }
  return result;
}

}  // namespace hot
