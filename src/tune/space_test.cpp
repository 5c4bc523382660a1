#include "tune/space.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tune/space_json.h"

namespace hot {
namespace {

const HyperSpace kMixed{{.name = "batch", .low = 8, .high = 64, .integer = true},
                        {.name = "lr", .low = 1e-4, .high = 1e-1, .log = true},
                        {.name = "optimizer", .choices = {"adam", "adamw"}}};

TEST(HyperSpace, NamesAreReadable) {
  EXPECT_EQ(PointName({{"lr", 5e-4}, {"gamma", 0.3}, {"optimizer", "adam"}}), "gamma0.3-lr0.0005-optimizeradam");
  EXPECT_EQ(PointName({}), "");
  for (const auto& [value, text] : {std::pair(32.0, "32"), {0.0, "0"}, {1e-7, "1e-07"}, {0.00012345, "0.00012345"}}) {
    EXPECT_EQ(ValueText(value), text);
  }
}

TEST(HyperSpace, ListsAreCountedAndEnumerated) {
  const HyperSpace space{{.name = "gamma", .choices = {0.3, 0.5, 0.7}}, {.name = "lr", .choices = {5e-4, 7e-4}}};
  ASSERT_EQ(PointCount(space), 6u);
  EXPECT_EQ(PointName(PointAt(space, 0)), "gamma0.3-lr0.0005");
  EXPECT_EQ(PointName(PointAt(space, 1)), "gamma0.3-lr0.0007");
  std::set<std::string> names;
  for (size_t i = 0; i < 6; ++i) names.insert(PointName(PointAt(space, i)));
  EXPECT_EQ(names.size(), 6u);
  EXPECT_FALSE(PointCount(kMixed).has_value());
}

TEST(HyperSpace, RoundedValuesHaveFewDigitsAndStayInRange) {
  const HyperParameter lr{.name = "lr", .low = 1.23456e-4, .high = 1e-2, .log = true};
  EXPECT_EQ(RoundedTo(lr, 0.00123449999), 0.001234);
  EXPECT_EQ(RoundedTo(lr, 1.23457e-4), 1.235e-4);
  EXPECT_EQ(RoundedTo(lr, 1.2342e-4), 1.23456e-4);  // never below the range
  EXPECT_EQ(RoundedTo(lr, 0.0100001), 1e-2);
  EXPECT_EQ(RoundedTo({.name = "batch", .low = 8, .high = 64, .integer = true}, 20.6), 21);
}

TEST(HyperSpace, RandomPointsAreUniformOnTheirScale) {
  Rng rng(3);
  int below = 0, adam = 0;
  double batch = 0;
  for (int i = 0; i < 4000; ++i) {
    const HyperPoint point = RandomPoint(kMixed, rng);
    const double lr = std::get<double>(point.at("lr"));
    ASSERT_TRUE(lr >= 1e-4 && lr <= 1e-1);
    below += lr < std::sqrt(1e-5);
    adam += std::get<std::string>(point.at("optimizer")) == "adam";
    batch += std::get<double>(point.at("batch")) / 4000;
    EXPECT_EQ(std::get<double>(point.at("batch")), std::round(std::get<double>(point.at("batch"))));
  }
  EXPECT_NEAR(below, 2000, 150);  // half of a logarithmic range lies below its geometric mean
  EXPECT_NEAR(adam, 2000, 150);
  EXPECT_NEAR(batch, 36, 1);
}

TEST(HyperSpace, PointsGoThroughJson) {
  Rng rng(1);
  const HyperPoint point = RandomPoint(kMixed, rng);
  EXPECT_EQ(PointFromJson(nlohmann::ordered_json::parse(ToJson(point).dump())), point);
  EXPECT_EQ(ToJson(std::span<const HyperParameter>(kMixed)).dump(),
            R"([{"name":"batch","low":8.0,"high":64.0,"log":false,"integer":true},)"
            R"({"name":"lr","low":0.0001,"high":0.1,"log":true,"integer":false},)"
            R"({"name":"optimizer","choices":["adam","adamw"]}])");
  const HyperSpace read = SpaceFromJson(ToJson(std::span<const HyperParameter>(kMixed)));
  EXPECT_EQ(ToJson(std::span<const HyperParameter>(read)), ToJson(std::span<const HyperParameter>(kMixed)));
}

}  // namespace
}  // namespace hot
