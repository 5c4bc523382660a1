#include "pipeline/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hot {
namespace {

// `pictures` pictures with one object each; the first `hits` are found.
std::vector<ScoredPicture> Pictures(int pictures, int hits) {
  std::vector<ScoredPicture> list;
  for (int i = 0; i < pictures; ++i) {
    ScoredPicture picture;
    picture.id = i;
    Object object;
    object.box = {10, 10, 50, 50};
    object.area = 1600;
    picture.truth = {object};
    if (i < hits) picture.detections = {{.box = object.box, .label = 0, .score = 0.9f}};
    list.push_back(picture);
  }
  return list;
}

struct Entry {
  std::string id;
  double latency_ns;
  int val_hits, test_hits;
  bool keeps_ram = true;
};

Judgement JudgeEntries(const std::vector<Entry>& entries, std::optional<double> budget_ns) {
  std::vector<Measurement> latencies(entries.size());
  std::vector<std::vector<ScoredPicture>> val, test;
  for (const Entry& entry : entries) {
    val.push_back(Pictures(40, entry.val_hits));
    test.push_back(Pictures(40, entry.test_hits));
  }
  std::vector<Contender> contenders;
  for (size_t i = 0; i < entries.size(); ++i) {
    latencies[i].median_ns = entries[i].latency_ns;
    contenders.push_back({.id = entries[i].id,
                          .baseline = i == 0,
                          .keeps_ram = entries[i].keeps_ram,
                          .latency = &latencies[i],
                          .val = &val[i],
                          .test = &test[i]});
  }
  return Judge(contenders, {.metric = Metric::kAp50}, budget_ns, 1);
}

TEST(Judge, ChoosesOnValAndClaimsOnTest) {
  const Judgement j =
      JudgeEntries({{"base", 10e6, 20, 20}, {"fast", 5e6, 20, 19}, {"good", 9e6, 30, 38}, {"weak", 1e6, 5, 40}}, {});
  EXPECT_EQ(j.latency_winner, "fast");
  EXPECT_EQ(j.accuracy_winner, "good");
  EXPECT_FALSE(j.comparisons.at("fast").test.shown());
  EXPECT_TRUE(j.comparisons.at("good").test.shown());
  EXPECT_DOUBLE_EQ(j.comparisons.at("fast").latency_ratio, 0.5);
  EXPECT_THAT(j.verdict, testing::HasSubstr("no difference shown"));
  EXPECT_THAT(j.verdict, testing::HasSubstr("50.0 % less time than the baseline"));
}

TEST(Judge, ARatioIsToTheBaselineAsMeasured) {
  const Measurement slow{.median_ns = 9e6}, fast{.median_ns = 4e6};
  const std::vector<Contender> contenders{{.id = "good", .latency = &slow},
                                          {.id = "base", .baseline = true, .latency = &fast}};
  EXPECT_EQ(LatencyBudgetNs({}, contenders), std::nullopt);
  EXPECT_EQ(LatencyBudgetNs({.latency_ms = 7}, contenders), 7e6);
  EXPECT_EQ(LatencyBudgetNs({.latency_ratio = 1.5}, contenders), 6e6);
}

TEST(Judge, TheBudgetLimitsTheAccuracyWinner) {
  const std::vector<Entry> entries{{"base", 10e6, 20, 20}, {"good", 12e6, 35, 35}};
  EXPECT_EQ(JudgeEntries(entries, {}).accuracy_winner, std::nullopt);  // slower than the baseline
  EXPECT_EQ(JudgeEntries(entries, 13e6).accuracy_winner, "good");
}

TEST(Judge, WhatNeedsTooMuchRamCannotWin) {
  const Judgement j = JudgeEntries({{"base", 10e6, 20, 20}, {"big", 5e6, 35, 35, false}, {"small", 8e6, 21, 21}}, {});
  EXPECT_EQ(j.latency_winner, "small");
  EXPECT_EQ(j.accuracy_winner, "small");
  EXPECT_TRUE(j.comparisons.contains("big"));
}

TEST(Judge, NobodyWins) {
  const Judgement j = JudgeEntries({{"base", 10e6, 20, 20}, {"bad", 5e6, 10, 10}}, {});
  EXPECT_THAT(j.verdict, testing::HasSubstr("keep the baseline"));
}

}  // namespace
}  // namespace hot
