#include "search/auto_search.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "search/testing/all_networks.h"

namespace hot {
namespace {

TableRow Row(const std::string& part, const std::string& choice, int64_t macs, int64_t weights, int64_t peak,
             int64_t carried, double ns) {
  TableRow row;
  row.part = part;
  if (!choice.empty()) row.choice = Choice::Parse(choice);
  row.macs = macs;
  row.weight_bytes = weights;
  row.peak_bytes = peak;
  row.carried_bytes = carried;
  row.latency_ns = ns;
  return row;
}

// Two slots, three choices each; fixed parts: 600 us, 100 MACs, 2 KiB of weights, 4 KiB peak at most, M_head = 9 KiB.
LookupTable SmallTable() {
  LookupTable table;
  table.width = 0.7;
  table.slots = {
      {Row("slot1", "irb-k3-e1", 100, 1024, 4096, 0, 100'000),
       Row("slot1", "fused-k3-e1", 300, 3072, 4096, 0, 200'000.4),
       Row("slot1", "sandglass-k5-e1", 200, 2048, 9216, 0, 150'000)},
      {Row("slot2", "irb-k3-e3", 50, 1024, 2048, 1024, 50'000),
       Row("slot2", "irb-k3-e6", 150, 2048, 4096, 1024, 120'000),
       Row("slot2", "fused-k3-e6", 900, 8192, 4096, 1024, 90'000)},
  };
  table.fixed = {Row("stem", "", 50, 1024, 2048, 0, 300'000), Row("tail", "", 25, 512, 1024, 0, 200'000),
                 Row("head", "", 25, 512, 4096, 0, 100'000)};
  return table;
}

bool Within(const Candidate& candidate, const Budgets& budgets) {
  return (!budgets.latency_ms || candidate.latency_ns <= *budgets.latency_ms * 1e6) &&
         (!budgets.flash_kib || static_cast<double>(candidate.flash_bytes) <= *budgets.flash_kib * 1024) &&
         (!budgets.ram_kib || static_cast<double>(candidate.ram_bytes) <= *budgets.ram_kib * 1024) &&
         (!budgets.memory_kib || static_cast<double>(candidate.memory_bytes) <= *budgets.memory_kib * 1024) &&
         (!budgets.min_macs || candidate.macs >= *budgets.min_macs);
}

// All networks, filtered and sorted.
std::vector<Candidate> BruteForce(const LookupTable& table, Objective objective, const Budgets& budgets,
                                  const CostCorrection& correction) {
  std::vector<Candidate> all = AllNetworks(table, correction);
  std::erase_if(all, [&](const Candidate& candidate) { return !Within(candidate, budgets); });
  std::ranges::stable_sort(all, [&](const Candidate& a, const Candidate& b) {
    return objective == Objective::kAccuracy ? a.macs > b.macs : a.latency_ns < b.latency_ns;
  });
  return all;
}

void ExpectBruteForce(const LookupTable& table, Objective objective, const Budgets& budgets,
                      const CostCorrection& correction) {
  const auto expected = BruteForce(table, objective, budgets, correction);
  const SearchResult result = AutoSearch(table, objective, budgets, 100, *MakeSolver("exact"), correction);
  ASSERT_EQ(result.candidates.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const Candidate& candidate = result.candidates[i];
    EXPECT_EQ(candidate.choices, expected[i].choices);
    EXPECT_EQ(candidate.macs, expected[i].macs);
    EXPECT_EQ(candidate.latency_ns, expected[i].latency_ns);
    EXPECT_EQ(candidate.flash_bytes, expected[i].flash_bytes);
    EXPECT_EQ(candidate.ram_bytes, expected[i].ram_bytes);
    EXPECT_EQ(candidate.memory_bytes, expected[i].memory_bytes);
    EXPECT_EQ(candidate.rank, static_cast<int>(i) + 1);
    EXPECT_EQ(candidate.objective, objective);
    EXPECT_EQ(candidate.solver, "exact");
    EXPECT_TRUE(candidate.optimal);
  }
}

// As a table without the row, but for predictions.
TEST(AutoSearchTest, RowsOutsideTheSpaceAreNeverChosen) {
  LookupTable table = SmallTable();
  table.slots[1][2].searched = false;  // the cheapest of its MACs
  LookupTable without = SmallTable();
  without.slots[1].pop_back();
  for (const Objective objective : {Objective::kAccuracy, Objective::kLatency}) {
    const auto solver = MakeSolver("exact");
    const SearchResult found = AutoSearch(table, objective, {}, 100, *solver, {});
    const SearchResult expected = AutoSearch(without, objective, {}, 100, *solver, {});
    ASSERT_EQ(found.candidates.size(), 6u);
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(found.candidates[i].choices, expected.candidates[i].choices);
    const Budgets impossible{.min_macs = 1'000'000};
    EXPECT_EQ(AutoSearch(table, objective, impossible, 1, *solver, {}).largest_macs,
              AutoSearch(without, objective, impossible, 1, *solver, {}).largest_macs);
  }
  EXPECT_EQ(Predict(table, {Choice::Parse("irb-k3-e1"), Choice::Parse("fused-k3-e6")}, {}).macs, 1100);
  for (TableRow& row : table.slots[1]) row.searched = false;
  EXPECT_THROW(AutoSearch(table, Objective::kLatency, {}, 1, *MakeSolver("exact"), {}), Error);
}

TEST(AutoSearchTest, PredictAddsUpByHand) {
  const LookupTable table = SmallTable();
  const Candidate candidate =
      Predict(table, {Choice::Parse("fused-k3-e1"), Choice::Parse("irb-k3-e6")}, {.intercept_ns = -1000, .slope = 1.5});
  EXPECT_EQ(candidate.macs, 300 + 150 + 100);
  EXPECT_DOUBLE_EQ(candidate.latency_ns, -1000 + 1.5 * (200'000 + 120'000 + 600'000));
  EXPECT_EQ(candidate.flash_bytes, 3072 + 2048 + 2048);
  EXPECT_EQ(candidate.ram_bytes, 5120);  // slot 2 with what it carries
  EXPECT_EQ(candidate.memory_bytes, (3072 + 4096) + (2048 + 4096) + 9 * 1024 + 0);
  EXPECT_EQ(candidate.width, 0.7);
}

TEST(AutoSearchTest, PredictRefusesUnknownChoices) {
  const LookupTable table = SmallTable();
  try {
    Predict(table, {Choice::Parse("irb-k3-e1"), Choice::Parse("irb-k7-e3")}, {});
    ADD_FAILURE() << "found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.what(), testing::HasSubstr("slot 2 has no row for irb-k7-e3"));
  }
  EXPECT_THROW(Predict(table, {Choice::Parse("irb-k3-e1")}, {}), Error);
}

TEST(AutoSearchTest, EachBudgetAgainstBruteForce) {
  const LookupTable table = SmallTable();
  const Budgets cases[] = {
      {},
      {.latency_ms = 0.8},  // 600 + 200 us: the rounded 200'000.4 ns row just fits
      {.latency_ms = 0.79},
      {.flash_kib = 6},
      {.flash_kib = 5.999},
      {.ram_kib = 8.9},  // removes sandglass
      {.ram_kib = 5},
      {.memory_kib = 18},
      {.memory_kib = 17},
      {.latency_ms = 1e300, .flash_kib = 1e300, .ram_kib = 1e300, .memory_kib = 1e300},
      {.min_macs = 650},
      {.min_macs = 1301},
      {.latency_ms = 0.85, .flash_kib = 12, .ram_kib = 8, .memory_kib = 30, .min_macs = 300},
  };
  const CostCorrection corrections[] = {
      {}, {.intercept_ns = 12'345.6, .slope = 0.93}, {.intercept_ns = -50'000, .slope = 1.07}};
  for (size_t i = 0; i < std::size(cases); ++i) {
    for (const CostCorrection& correction : corrections) {
      for (const Objective objective : {Objective::kAccuracy, Objective::kLatency}) {
        SCOPED_TRACE("case " + std::to_string(i) + ", " + ObjectiveName(objective));
        ExpectBruteForce(table, objective, cases[i], correction);
      }
    }
  }
}

TEST(AutoSearchTest, RandomTablesAgainstBruteForce) {
  Rng rng(9);
  for (int round = 0; round < 200; ++round) {
    LookupTable table = SmallTable();
    for (auto& slot : table.slots) {
      for (TableRow& row : slot) {
        row.macs = rng.Below(1'000'000);
        row.weight_bytes = rng.Below(10'000);
        row.peak_bytes = rng.Below(10'000);
        row.latency_ns = rng.Uniform(1e4, 1e6);
      }
    }
    const CostCorrection correction{rng.Uniform(-1e4, 1e4), rng.Uniform(0.8, 1.2)};
    const Candidate middle = Predict(table, {table.slots[0][1].choice, table.slots[1][1].choice}, correction);
    // Limits that this network meets exactly: nothing may be lost to rounding.
    const Budgets budgets{
        .latency_ms = middle.latency_ns / 1e6,
        .flash_kib = static_cast<double>(middle.flash_bytes) / 1024,
        .ram_kib = static_cast<double>(middle.ram_bytes) / 1024,
        .memory_kib = rng.Chance(0.5) ? std::optional(static_cast<double>(middle.memory_bytes) / 1024) : std::nullopt,
        .min_macs = rng.Chance(0.5) ? std::optional(middle.macs) : std::nullopt};
    SCOPED_TRACE("round " + std::to_string(round));
    ExpectBruteForce(table, Objective::kAccuracy, budgets, correction);
    ExpectBruteForce(table, Objective::kLatency, budgets, correction);
  }
}

// Scores that turn the order of the MACs round.
LookupTable ScoredTable() {
  LookupTable table = SmallTable();
  const std::vector<double> scores[] = {{0.9, 0.5, 0.8}, {0.7, -0.25, 0.6}};
  for (size_t slot = 0; slot < 2; ++slot) {
    for (size_t i = 0; i < 3; ++i) table.slots[slot][i].quality = scores[slot][i];
  }
  return table;
}

TEST(AutoSearchTest, TheSumOfQualityDecidesWhereTheTableHasIt) {
  const auto solver = MakeSolver("exact");
  const Candidate by_macs = AutoSearch(SmallTable(), Objective::kAccuracy, {}, 1, *solver, {}).candidates.at(0);
  EXPECT_EQ(by_macs.choices[1].Name(), "fused-k3-e6@fp32");
  EXPECT_FALSE(by_macs.quality);
  const auto scored = AutoSearch(ScoredTable(), Objective::kAccuracy, {}, 9, *solver, {}).candidates;
  ASSERT_EQ(scored.size(), 9u);
  EXPECT_EQ(scored[0].choices[0].Name(), "irb-k3-e1@fp32");
  EXPECT_EQ(scored[0].choices[1].Name(), "irb-k3-e3@fp32");
  EXPECT_NEAR(*scored[0].quality, (0.9 + 0.7) / 2, 1e-9);
  EXPECT_EQ(scored[0].optimal, true);
  EXPECT_TRUE(std::ranges::is_sorted(scored, std::greater<>(), QualityOf));
  const Candidate fastest = AutoSearch(ScoredTable(), Objective::kLatency, {}, 1, *solver, {}).candidates.at(0);
  EXPECT_EQ(fastest.latency_ns, 750'000) << "the other objective as ever";
}

TEST(AutoSearchTest, ScoresOfAnySizeAreSearched) {
  LookupTable table = ScoredTable();
  table.slots[0][0].quality = -1e300;
  table.slots[1][2].quality = 1e300;
  const auto found = AutoSearch(table, Objective::kAccuracy, {}, 9, *MakeSolver("exact"), {}).candidates;
  ASSERT_EQ(found.size(), 9u);
  EXPECT_EQ(found[0].choices[1], table.slots[1][2].choice);
  EXPECT_EQ(found[8].choices[0], table.slots[0][0].choice);
}

TEST(AutoSearchTest, LeastQualityKeepsFastNetworksOut) {
  const auto solver = MakeSolver("exact");
  LookupTable table = ScoredTable();
  table.slots[0][0].quality = 0.4;  // the fastest choice is now the worst
  for (const double least : {0.65, 0.75}) {
    const SearchResult found = AutoSearch(table, Objective::kLatency, {.min_quality = least}, 9, *solver, {});
    ASSERT_FALSE(found.candidates.empty());
    for (const Candidate& candidate : found.candidates) {
      EXPECT_GE(*candidate.quality, least - 1e-9);
      EXPECT_TRUE(KeepsBudgets(candidate, 0, {.min_quality = least}));
    }
    EXPECT_EQ(found.candidates[0].choices[0].Name(), "sandglass-k5-e1@fp32");
  }
  EXPECT_FALSE(
      KeepsBudgets(Predict(table, {table.slots[0][0].choice, table.slots[1][0].choice}, {}), 0, {.min_quality = 0.6}));
  EXPECT_TRUE(AutoSearch(table, Objective::kLatency, {.min_quality = 0.76}, 9, *solver, {}).candidates.empty());
}

TEST(AutoSearchTest, InfeasibleSaysWhatWouldDo) {
  const Budgets hopeless[] = {{.latency_ms = 0.7}, {.flash_kib = 3},  {.ram_kib = 3},         {.memory_kib = 10},
                              {.min_macs = 2000},  {.ram_kib = 3.99}, {.latency_ms = -1e300}, {.flash_kib = 0}};
  for (const Budgets& budgets : hopeless) {
    const SearchResult result = AutoSearch(SmallTable(), Objective::kAccuracy, budgets, 8, *MakeSolver("exact"),
                                           {.intercept_ns = 1000, .slope = 2});
    EXPECT_TRUE(result.candidates.empty());
    EXPECT_DOUBLE_EQ(result.smallest_latency_ms, (1000 + 2 * 750'000.0) / 1e6);
    EXPECT_DOUBLE_EQ(result.smallest_flash_kib, 4);
    EXPECT_DOUBLE_EQ(result.smallest_ram_kib, 4);
    EXPECT_DOUBLE_EQ(result.smallest_memory_kib, 9 + 5 + 3);
    EXPECT_EQ(result.largest_macs, 1300);
  }
}

TEST(AutoSearchTest, RanksStopAtK) {
  const SearchResult result = AutoSearch(SmallTable(), Objective::kLatency, {}, 2, *MakeSolver("exact"), {});
  ASSERT_EQ(result.candidates.size(), 2u);
  EXPECT_EQ(result.candidates[1].rank, 2);
  EXPECT_LE(result.candidates[0].latency_ns, result.candidates[1].latency_ns);
}

TEST(AutoSearchTest, CandidatesDifferFromEachOther) {
  const LookupTable table = SmallTable();
  const auto all = BruteForce(table, Objective::kAccuracy, {}, {});
  const auto found = AutoSearch(table, Objective::kAccuracy, {}, 100, *MakeSolver("exact"), {}, 2).candidates;
  ASSERT_EQ(found.size(), 3u) << "three choices a slot";
  EXPECT_EQ(found[0].choices, all[0].choices);
  EXPECT_EQ(found[1].rank, 2);
  for (size_t s = 0; s < 2; ++s) EXPECT_NE(found[1].choices[s], found[0].choices[s]);
  EXPECT_EQ(AutoSearch(table, Objective::kAccuracy, {}, 8, *MakeSolver("exact"), {}, 3).candidates.size(), 1u);
  EXPECT_THROW(AutoSearch(table, Objective::kAccuracy, {}, 8, *MakeSolver("exact"), {}, -1), Error);
}

// SmallTable() in int8 with every block in float, too: half as slow again, with four times the bytes; but for one.
LookupTable TwoFormats() {
  LookupTable table = SmallTable();
  table.precision = Precision::kInt8;
  for (auto& rows : table.slots) {
    for (size_t i = 0; i < 3; ++i) {
      rows.push_back(rows[i]);
      rows.back().latency_ns *= 1.5;
      rows.back().weight_bytes *= 4;
      rows.back().peak_bytes *= 4;
      rows[i].choice.precision = Precision::kInt8;
    }
  }
  table.slots[0][3].latency_ns = 60'000;  // irb-k3-e1, which takes 100 us in int8
  return table;
}

std::vector<Choice> Fastest(const LookupTable& table, const Budgets& budgets = {}) {
  return AutoSearch(table, Objective::kLatency, budgets, 1, *MakeSolver("exact"), {}).candidates.at(0).choices;
}

TEST(AutoSearchTest, ASlotThatIsFasterInFloatIsInFloat) {
  const LookupTable table = TwoFormats();
  const Choice in_float = Choice::Parse("irb-k3-e1@fp32"), in_int8 = Choice::Parse("irb-k3-e1@int8");
  const Choice second = Choice::Parse("irb-k3-e3@int8");
  EXPECT_THAT(Fastest(table), testing::ElementsAre(in_float, second));
  EXPECT_THAT(Fastest(table, {.flash_kib = 6}), testing::ElementsAre(in_int8, second)) << "float has four bytes";
  const auto both = AutoSearch(table, Objective::kLatency, {}, 36, *MakeSolver("exact"), {}).candidates;
  EXPECT_EQ(both.size(), 9u) << "one candidate of networks that differ in formats only";
  // Quality sees no formats where it is MACs: int8, which stands first, unless only float keeps the budget.
  const auto best = [&](double latency_ms) {
    const Budgets budgets{.latency_ms = latency_ms, .flash_kib = 8};
    return AutoSearch(table, Objective::kAccuracy, budgets, 1, *MakeSolver("exact"), {}).candidates.at(0).choices;
  };
  EXPECT_THAT(best(0.75), testing::ElementsAre(in_int8, second));
  EXPECT_THAT(best(0.72), testing::ElementsAre(in_float, second));
}

TEST(AutoSearchTest, BordersBetweenFormatsCount) {
  LookupTable table = TwoFormats();
  const Choice second = Choice::Parse("irb-k3-e3@int8");
  const std::vector<Choice> mixed{Choice::Parse("irb-k3-e1@fp32"), second};
  table.borders = {{1, Precision::kFp32, Precision::kInt8, 39'000}, {1, Precision::kFp32, Precision::kFp32, 30'000}};
  EXPECT_EQ(Fastest(table), mixed);
  EXPECT_EQ(Predict(table, mixed, {}).latency_ns, 749'000);
  table.borders[0].latency_ns = 41'000;
  EXPECT_EQ(Fastest(table), std::vector({Choice::Parse("irb-k3-e1@int8"), second})) << "40 us are not enough";
  table.borders[1].latency_ns = -20'000;
  EXPECT_EQ(Fastest(table), std::vector({Choice::Parse("irb-k3-e1@fp32"), Choice::Parse("irb-k3-e3@fp32")}));
  const SearchResult none = AutoSearch(table, Objective::kAccuracy, {.latency_ms = 0.714}, 1, *MakeSolver("exact"), {});
  EXPECT_TRUE(none.candidates.empty());
  EXPECT_DOUBLE_EQ(none.smallest_latency_ms, 0.715);
}

TEST(AutoSearchTest, RefusesBadInput) {
  const auto solver = MakeSolver("exact");
  LookupTable empty_slot = SmallTable();
  empty_slot.slots[1].clear();
  EXPECT_THROW(AutoSearch(SmallTable(), Objective::kAccuracy, {}, 0, *solver, {}), Error);
  EXPECT_THROW(AutoSearch(SmallTable(), Objective::kAccuracy, {}, 8, *solver, {.intercept_ns = 0, .slope = 0}), Error);
  EXPECT_THROW(AutoSearch(SmallTable(), Objective::kAccuracy, {}, 8, *solver, {.intercept_ns = NAN, .slope = 1}),
               Error);
  EXPECT_THROW(AutoSearch(LookupTable(), Objective::kAccuracy, {}, 8, *solver, {}), Error);
  EXPECT_THROW(AutoSearch(empty_slot, Objective::kAccuracy, {}, 8, *solver, {}), Error);
}

}  // namespace
}  // namespace hot
