// Beam search: good feasible picks in little time, so that the branch and bound starts with a high threshold. No proof.
#pragma once

#include "search/solvers/k_best.h"
#include "search/solvers/tables.h"

namespace hot {

// Keeps the `width` prefixes of highest Lagrangian bound at each position and offers the picks they end in to `best`.
void BeamSearch(const Tables& tables, size_t width, KBest& best);

}  // namespace hot
