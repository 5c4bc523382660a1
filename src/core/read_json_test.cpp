#include "core/read_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hot {
namespace {

using Json = nlohmann::json;

Json Parse(std::string_view text, int most) {
  return ParseShallow<Json>(
      text, most, [] { throw Error(Code::kDataLoss, "", "nested too deep"); }, /*allow_exceptions=*/false);
}

TEST(ReadJson, DepthIsThatOfBracketsOutsideOfStrings) {
  EXPECT_EQ(NestingDepth(""), 0);
  EXPECT_EQ(NestingDepth("7"), 0);
  EXPECT_EQ(NestingDepth(R"({"a": [1, {"b": []}], "c": [[]]})"), 4);
  EXPECT_EQ(NestingDepth(R"(["[[[", "\"[[", "\\", [1]])"), 2);
  EXPECT_EQ(NestingDepth("[\"cut off [["), 1);
  EXPECT_EQ(NestingDepth("[\"cut off \\"), 1);
}

TEST(ReadJson, WhatIsNestedTooDeepIsRefused) {
  EXPECT_EQ(Parse("[[1]]", 2), Json::parse("[[1]]"));
  EXPECT_THROW(Parse("[[[1]]]", 2), Error);
  EXPECT_THROW(Parse(std::string(1'000'000, '['), 64), Error);
  EXPECT_TRUE(Parse("]]]][[[[", 2).is_discarded());
  EXPECT_THROW(ParseShallow<Json>("{", 2, [] {}), Json::parse_error);
}

// With a time that grows with the square of its length this would take minutes.
TEST(ReadJson, ManyObjectsInAListAreRead) {
  constexpr size_t kObjects = 500'000;
  std::string text = "[{}";
  for (size_t i = 1; i < kObjects; ++i) text += ",{}";
  EXPECT_EQ(Parse(text + "]", 2).size(), kObjects);
}

}  // namespace
}  // namespace hot
