#include "tune/grid.h"

#include <sstream>

#include "core/error.h"

namespace hot {

std::string GridPoint::Name() const {
  std::ostringstream text;
  for (const auto& [name, value] : values) text << (text.tellp() > 0 ? "-" : "") << name << value;
  return text.str();
}

std::vector<GridPoint> Grid(const std::vector<std::pair<std::string, std::vector<double>>>& axes) {
  std::vector<GridPoint> points(1);
  for (const auto& [name, values] : axes) {
    if (values.empty()) throw Error(Code::kInvalidArgument, "train.hpo." + name, "needs at least one value");
    std::vector<GridPoint> longer;
    for (const GridPoint& point : points) {
      for (double value : values) {
        longer.push_back(point);
        longer.back().values[name] = value;
      }
    }
    points = std::move(longer);
  }
  return points;
}

}  // namespace hot
