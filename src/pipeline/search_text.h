// search.json for people. Called by `hot search`.
#pragma once

#include <string>
#include <vector>

#include "pipeline/workspace.h"

namespace hot {

// "width 1: +1 ms buys 12.3 M MACs (+4.1 %), -1 ms costs 15.0 M", one a width with a latency budget that is kept; of
// studies that distill "+1 ms buys 1.52 points of quality (87.3 % now), -1 ms costs 2.10".
std::vector<std::string> PriceLines(const Workspace& workspace);

// The Pareto front as a table with one line a point: latency, MACs, sizes, score where there is one, choices. Latencies
// are of all passes.
std::string FrontTable(const Workspace& workspace);

}  // namespace hot
