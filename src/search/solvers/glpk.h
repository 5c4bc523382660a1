// GNU Linear Programming Kit, the source paper's solver: writes a CPLEX-LP file, runs `glpsol`, reads its solution.
// Called through MakeSolver("glpk"). Floating point inside GLPK: picks are verified in integers. Thread rule: as
// Solver.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "search/solver.h"

namespace hot {

// `program` is looked up in PATH at each Solve().
std::unique_ptr<Solver> MakeGlpkSolver(const std::string& program);

// Reads what `glpsol --write` wrote: one index a slot of `program`, or nothing when the program is infeasible. Throws
// Error(kInternal) when the text is cut off or no such solution.
std::optional<std::vector<int>> ParseGlpsolSolution(const std::string& text, const Program& program);

}  // namespace hot
