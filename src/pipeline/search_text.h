// search.json for people. Called by `hot search`.
#pragma once

#include <string>
#include <vector>

#include "pipeline/workspace.h"

namespace hot {

// "width 1: +1 ms buys 12.3 M MACs (+4.1 %), -1 ms costs 15.0 M", one a width with a latency budget that is kept.
std::vector<std::string> PriceLines(const Workspace& workspace);

// The Pareto front as a table with one line a point: latency, MACs, sizes, choices. Latencies are of all passes.
std::string FrontTable(const Workspace& workspace);

}  // namespace hot
