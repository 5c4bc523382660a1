// What `hot search` says beside its candidates: the price of a millisecond, the front, and what would do when nothing
// fits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "hot_program.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

class SearchOutput : public testing::Test {
 protected:
  void SetUp() override {
    fs::copy(MeasuredStudy(), folder_.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
  HotResult Search(const std::string& arguments) const {
    return RunHot(folder_.path(), "search study.yaml " + arguments);
  }
  Json Found() const { return Json::parse(ReadFile(folder_.path() / "runs/tiny/search.json")); }

  TempFolder folder_;
};

TEST_F(SearchOutput, TellsWhatAMillisecondBuys) {
  const HotResult result = Search("");
  ASSERT_EQ(result.code, 0) << result.output;
  const Json price = Found().at("prices").at(0);
  EXPECT_THAT(result.output, testing::ContainsRegex("width 0.35: .+0.* ms buys [0-9.]+ M MACs"));
  EXPECT_GE(price.at("more_macs"), 0);
  const Json found = Found();
  for (const Json& candidate : found.at("candidates")) EXPECT_LE(candidate.at("macs"), price.at("macs"));
  EXPECT_EQ(Search("--set search.latency_ratio= --set search.flash_kib=4096").code, 0);
  EXPECT_TRUE(Found().at("prices").empty()) << "no latency budget";
}

TEST_F(SearchOutput, PrintsTheFront) {
  const HotResult result = Search("--front --quiet --set search.front=7");
  ASSERT_EQ(result.code, 0) << result.output;
  const Json points = Found().at("fronts").at(0).at("points");
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), std::ssize(points) + 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("latency ms"));
  ASSERT_GE(points.size(), 3u);
  EXPECT_LE(points.size(), 7u);
  for (size_t i = 1; i < points.size(); ++i) {
    EXPECT_GT(points[i].at("latency_ns"), points[i - 1].at("latency_ns"));
    EXPECT_GT(points[i].at("macs"), points[i - 1].at("macs"));
    EXPECT_TRUE(points[i].at("optimal"));
  }
  EXPECT_EQ(Search("--front --json").code, 2);
}

TEST_F(SearchOutput, WhatWouldDoDoes) {
  const std::string tight = "--set search.latency_ratio= --set search.flash_kib=20 --set search.ram_kib=9 ";
  const HotResult result = Search(tight);
  EXPECT_EQ(result.code, 3) << result.output;
  std::smatch factor;
  ASSERT_TRUE(std::regex_search(result.output, factor, std::regex("all budgets times ([0-9.]+) would do")))
      << result.output;
  EXPECT_THAT(result.output, HasSubstr("takes the most of flash_kib, "));
  const auto scaled = [&](double by) {
    return "--set search.latency_ratio= --set search.flash_kib=" + std::to_string(20 * by) +
           " --set search.ram_kib=" + std::to_string(9 * by);
  };
  EXPECT_EQ(Search(scaled(std::stod(factor[1]))).code, 0);
  EXPECT_EQ(Search(scaled(std::stod(factor[1]) - 0.002)).code, 3);
}

TEST_F(SearchOutput, CandidatesDifferInAsManySlotsAsAsked) {
  ASSERT_EQ(Search("--quiet --set search.min_distance=4 --set search.candidates=4").code, 0);
  const Json candidates = Found().at("candidates");
  int pairs = 0;
  for (const Json& a : candidates) {
    for (const Json& b : candidates) {
      if (a.at("objective") != b.at("objective") || a.at("rank") >= b.at("rank")) continue;
      ++pairs;
      int differ = 0;
      for (size_t s = 0; s < 7; ++s) differ += a.at("slots")[s] != b.at("slots")[s] ? 1 : 0;
      EXPECT_GE(differ, 4);
    }
  }
  EXPECT_GT(pairs, 0);
}

}  // namespace
}  // namespace hot
