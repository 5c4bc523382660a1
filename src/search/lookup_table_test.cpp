#include "search/lookup_table.h"

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "search/testing/seed_table.h"

namespace hot {
namespace {

void ExpectSame(const TableRow& a, const TableRow& b) {
  EXPECT_EQ(a.part, b.part);
  EXPECT_EQ(a.choice, b.choice);
  EXPECT_EQ(a.graph_key, b.graph_key);
  EXPECT_EQ(a.macs, b.macs);
  EXPECT_EQ(a.weight_bytes, b.weight_bytes);
  EXPECT_EQ(a.peak_bytes, b.peak_bytes);
  EXPECT_EQ(a.carried_bytes, b.carried_bytes);
  EXPECT_EQ(a.latency_ns, b.latency_ns);
  EXPECT_EQ(a.low_ns, b.low_ns);
  EXPECT_EQ(a.high_ns, b.high_ns);
  EXPECT_EQ(a.steady, b.steady);
  EXPECT_EQ(a.raw_median_ns, b.raw_median_ns);
  EXPECT_EQ(a.samples, b.samples);
  EXPECT_EQ(a.searched, b.searched);
  EXPECT_EQ(a.quality, b.quality);
}

TEST(LookupTableTest, JsonKeepsEverything) {
  LookupTable table = MakeSeedTable(3);
  table.width = 0.7;
  table.mean_over_median = 1.01, table.p90_over_median = 1.07;
  table.slots[2][1].carried_bytes = 77;
  table.slots[2][1].steady = false;
  table.slots[2][1].raw_median_ns = 0.1;
  table.slots[2][1].samples = 120;
  table.slots[3][2].searched = false;
  table.borders = {{2, Precision::kInt8, Precision::kFp32, -1500.6}, {2, Precision::kFp32, Precision::kInt8, 300}};
  EXPECT_FALSE(HasQuality(table));
  table.slots[2][1].quality = -0.25;
  EXPECT_TRUE(HasQuality(table));
  const LookupTable back = LookupTableFromJson(ToJson(table), "table.json");
  EXPECT_EQ(back.width, 0.7);
  EXPECT_EQ(back.mean_over_median, 1.01);
  EXPECT_EQ(back.p90_over_median, 1.07);
  EXPECT_EQ(back.precision, Precision::kInt8);
  ASSERT_EQ(back.slots.size(), table.slots.size());
  for (size_t s = 0; s < table.slots.size(); ++s) {
    ASSERT_EQ(back.slots[s].size(), table.slots[s].size());
    for (size_t i = 0; i < table.slots[s].size(); ++i) ExpectSame(back.slots[s][i], table.slots[s][i]);
  }
  EXPECT_EQ(BorderNs(back, 2, Precision::kInt8, Precision::kFp32), -1501) << "whole nanoseconds";
  EXPECT_EQ(BorderNs(back, 2, Precision::kFp32, Precision::kInt8), 300);
  EXPECT_EQ(BorderNs(back, 2, Precision::kFp32, Precision::kFp32), 0) << "not told";
  EXPECT_EQ(BorderNs(back, 3, Precision::kFp32, Precision::kInt8), 0);
  ASSERT_EQ(back.fixed.size(), 3u);
  for (size_t i = 0; i < 3; ++i) ExpectSame(back.fixed[i], table.fixed[i]);
}

TEST(LookupTableTest, DamagedBordersAreOneClearLine) {
  for (const auto& [borders, message] : {std::pair{"3", "borders: has the wrong type"},
                                         {R"([{"slot":1,"before":"int9"}])", "borders[0].before: "},
                                         {R"([{"before":"int8"}])", "borders[0].slot: is missing"}}) {
    try {
      LookupTableFromJson(R"({"width":1.0,"precision":"int8","rows":[],"borders":)" + std::string(borders) + "}", "t");
      ADD_FAILURE() << "accepted: " << borders;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDataLoss);
      EXPECT_THAT(error.what(), testing::HasSubstr(message));
    }
  }
}

TEST(LookupTableTest, DamagedJsonIsOneClearLine) {
  const std::string row =
      R"({"part":"slot1","choice":"irb-k3-e1@int8","graph_key":"g","macs":1,"weight_bytes":2,"peak_bytes":3,)"
      R"("carried_bytes":4,"latency_ns":5.5,"low_ns":5,"high_ns":6,"raw_median_ns":5,"samples":12,"steady":true})";
  const auto table = [](const std::string& rows) {
    return R"({"width":1.0,"precision":"int8","rows":[)" + rows + "]}";
  };
  const auto spoiled = [&](const std::string& from, const std::string& to) {
    std::string text = table(row);
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_EQ(LookupTableFromJson(table(row), "t").slots[0][0].macs, 1);
  const std::pair<std::string, const char*> cases[] = {
      {"{", "no valid JSON"},
      {spoiled("\"steady\":true", "\"steady\":true,\"searched\":false"), "slot1 has none"},
      {spoiled("\"steady\":true", "\"steady\":true,\"searched\":3"), "searched: has the wrong type"},
      {"[]", "width: is missing"},
      {spoiled("\"width\"", "\"p90_over_median\":0,\"width\""), "p90_over_median: must be positive"},
      {spoiled("\"int8\",\"rows\"", "\"int9\",\"rows\""), "precision: "},
      {spoiled("\"macs\":1,", ""), "rows[0].macs: is missing"},
      {spoiled("\"latency_ns\":5.5", "\"latency_ns\":\"fast\""), "rows[0].latency_ns: has the wrong type"},
      {spoiled("irb-k3-e1@int8", "irb-kx"), "rows[0].choice: "},
      {spoiled("irb-k3-e1@int8", ""), "rows[0].choice: a slot's row needs one"},
      {spoiled("slot1", "neck"),
       "rows[0].part: expected slotN, stem, tail, head, decode, resize or output, got \"neck\""},
      {spoiled("slot1", "slot99999999999"), "rows[0].part: "},
      {spoiled("slot1", "slot2"), "slot1 has none"},
      {R"({"width":1.0,"precision":"int8","rows":7})", "rows: has the wrong type"},
  };
  for (const auto& [text, message] : cases) {
    try {
      LookupTableFromJson(text, "runs/a/table.json");
      ADD_FAILURE() << "accepted: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDataLoss);
      EXPECT_EQ(error.where(), "runs/a/table.json");
      EXPECT_THAT(error.what(), testing::HasSubstr(message));
    }
  }
}

}  // namespace
}  // namespace hot
