// Solvers of the integer program. To add one: a file in solvers/, its row in MakeSolver(), and solver_contract_test
// runs it. Thread rule: one call at a time a solver object.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "search/program.h"

namespace hot {

struct SolveResult {
  // At most k, by falling value, ties by choices in lexicographic order; distinct. Empty: no feasible pick exists.
  std::vector<Solution> solutions;
  bool optimal = true;  // proven; false when a time limit ended the search
  int64_t solve_ns = 0;
};

class Solver {
 public:
  virtual ~Solver() = default;
  virtual std::string_view name() const = 0;
  // Throws Error(kInvalidArgument) for k < 1 or a program that CheckProgram() refuses, kUnavailable where the solver
  // is not installed, kUnimplemented for program parts it can't do.
  virtual SolveResult Solve(const Program& program, int k) const = 0;
};

// "exact" or "glpk". Throws Error(kInvalidArgument) on other names.
std::unique_ptr<Solver> MakeSolver(std::string_view name);
std::span<const std::string_view> SolverNames();

// Throws Error(kInvalidArgument) for k < 1.
void CheckCount(int k);

// Smallest possible sum of each budget alone (others ignored): what an infeasible program would need at least.
std::vector<int64_t> SmallestCosts(const Program& program);

}  // namespace hot
