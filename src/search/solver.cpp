#include "search/solver.h"

#include <array>

#include "core/error.h"
#include "search/solvers/exact.h"
#include "search/solvers/glpk.h"
#include "search/solvers/scores.h"

namespace hot {
namespace {

struct SolverEntry {
  std::string_view name;
  std::unique_ptr<Solver> (*make)();
};

constexpr std::array<SolverEntry, 2> kSolvers = {{
    {"exact", [] { return MakeExactSolver({}); }},
    {"glpk", [] { return MakeGlpkSolver("glpsol"); }},
}};

constexpr std::array<std::string_view, 2> kNames = {kSolvers[0].name, kSolvers[1].name};

}  // namespace

std::unique_ptr<Solver> MakeSolver(std::string_view name) {
  for (const SolverEntry& entry : kSolvers) {
    if (entry.name == name) return entry.make();
  }
  throw Error(Code::kInvalidArgument, "solver", "unknown solver \"" + std::string(name) + "\"", "known: exact, glpk");
}

std::span<const std::string_view> SolverNames() { return kNames; }

void CheckCount(int k) {
  if (k < 1) throw Error(Code::kInvalidArgument, "solver", "expected at least 1 candidate, got " + std::to_string(k));
}

std::vector<int64_t> SmallestCosts(const Program& program) {
  CheckProgram(program);
  std::vector<int64_t> smallest;
  for (size_t b = 0; b < program.budgets.size(); ++b) {
    Weights weights{.value = 0, .costs = std::vector<int64_t>(program.budgets.size())};
    weights.costs[b] = -1;
    smallest.push_back(-Scores(program, IdentityOrder(program), weights).Best());
  }
  return smallest;
}

}  // namespace hot
