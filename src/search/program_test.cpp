#include "search/program.h"

#include <functional>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "search/solver.h"

namespace hot {
namespace {

Program TwoSlots() {
  Program program;
  program.slots = {{{"a", 5, {1, 10}}, {"b", 7, {2, 0}}}, {{"c", 1, {4, 4}}, {"d", -2, {3, 9}}, {"e", 0, {0, 0}}}};
  program.budgets = {{"x", 5}, {"y", 14}};
  program.pairs = {{.slot = 0, .budget = 1, .value_weight = -3, .extra = {{0, 1, 2}, {-5, 0, 0}}}};
  return program;
}

TEST(ProgramTest, EvaluatesPicksWithPairs) {
  const Program program = TwoSlots();
  const Solution with_pair = EvaluatePick(program, {0, 1});
  EXPECT_EQ(with_pair.value, 5 - 2 - 3);
  EXPECT_EQ(with_pair.costs, (std::vector<int64_t>{4, 20}));
  EXPECT_FALSE(Feasible(program, with_pair));
  const Solution negative_pair = EvaluatePick(program, {1, 0});
  EXPECT_EQ(negative_pair.value, 7 + 1 + 15);
  EXPECT_EQ(negative_pair.costs, (std::vector<int64_t>{6, -1}));
  EXPECT_FALSE(Feasible(program, negative_pair));
  EXPECT_TRUE(Feasible(program, EvaluatePick(program, {0, 2})));
}

TEST(ProgramTest, SmallestCostsCountPairs) { EXPECT_EQ(SmallestCosts(TwoSlots()), (std::vector<int64_t>{1, -1})); }

TEST(ProgramTest, RefusesWhatDoesNotFit) {
  struct Case {
    const char* message;
    std::function<void(Program&)> spoil;
  };
  const Case cases[] = {
      {"no slots", [](Program& p) { p.slots.clear(); }},
      {"slot 2 has no choice", [](Program& p) { p.slots[1].clear(); }},
      {"slot 1, choice b: has 1 costs for 2 budgets", [](Program& p) { p.slots[0][1].costs.pop_back(); }},
      {"no neighbour", [](Program& p) { p.pairs[0].slot = 1; }},
      {"no neighbour", [](Program& p) { p.pairs[0].slot = -1; }},
      {"budget doesn't exist", [](Program& p) { p.pairs[0].budget = 2; }},
      {"matrix doesn't fit", [](Program& p) { p.pairs[0].extra.pop_back(); }},
      {"matrix doesn't fit", [](Program& p) { p.pairs[0].extra[1].push_back(0); }},
      {"too large", [](Program& p) { p.slots[0][0].value = INT64_MIN; }},
      {"too large", [](Program& p) { p.slots[1][2].costs[1] = INT64_MAX / 4; }},
      {"too large", [](Program& p) { p.pairs[0].value_weight = INT64_MAX / 2; }},
  };
  CheckProgram(TwoSlots());
  for (const Case& c : cases) {
    Program program = TwoSlots();
    c.spoil(program);
    try {
      CheckProgram(program);
      ADD_FAILURE() << "accepted: " << c.message;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      EXPECT_THAT(error.what(), testing::HasSubstr(c.message));
    }
  }
}

}  // namespace
}  // namespace hot
