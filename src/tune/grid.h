// Grid search: every combination of the listed values, in the order of the lists (source paper, sections 3 and 5).
// Values.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace hot {

struct GridPoint {
  std::map<std::string, double> values;
  // "gamma0.5-lr0.0005": names in alphabetical order; unique within a grid.
  std::string Name() const;
};

// Throws Error(kInvalidArgument) when a list is empty.
std::vector<GridPoint> Grid(const std::vector<std::pair<std::string, std::vector<double>>>& axes);

}  // namespace hot
