// GNU Linear Programming Kit, the source paper's solver: writes a CPLEX-LP file, runs `glpsol`, reads its solution.
// Called through MakeSolver("glpk"). Floating point inside GLPK: picks are verified in integers. Thread rule: as
// Solver.
#pragma once

#include <memory>
#include <string>

#include "search/solver.h"

namespace hot {

// `program` is looked up in PATH at each Solve().
std::unique_ptr<Solver> MakeGlpkSolver(const std::string& program);

}  // namespace hot
