#include "tune/grid.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"

namespace hot {
namespace {

TEST(Grid, IsTheCrossProductWithDistinctNames) {
  const auto points = Grid({{"lr", {5e-4, 7e-4}}, {"gamma", {0.3, 0.5, 0.7}}});
  ASSERT_EQ(points.size(), 6u);
  EXPECT_EQ(points[0].Name(), "gamma0.3-lr0.0005");
  EXPECT_EQ(points[5].values.at("lr"), 7e-4);
  std::set<std::string> names;
  for (const GridPoint& point : points) names.insert(point.Name());
  EXPECT_EQ(names.size(), 6u);
}

TEST(Grid, RefusesAnEmptyAxis) { EXPECT_THROW(Grid({{"lr", {}}}), Error); }

}  // namespace
}  // namespace hot
