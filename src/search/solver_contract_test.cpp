// What every solver must do, with exhaustive enumeration as the oracle. To add one: its row in MakeSolver().
#include <cstdlib>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"
#include "core/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "search/solver.h"
#include "search/solvers/exact.h"
#include "search/solvers/glpk.h"
#include "search/testing/enumerate.h"
#include "search/testing/seed_program.h"

namespace hot {
namespace {

struct RandomShape {
  int max_slots = 5, max_choices = 5, max_budgets = 3;
  int64_t spread = 20;  // small: many ties
  bool pairs = false;
};

ProgramPair RandomPair(const Program& program, const RandomShape& shape, Rng& rng) {
  ProgramPair pair;
  pair.slot = static_cast<int>(rng.Below(static_cast<int64_t>(program.slots.size()) - 1));
  pair.budget = static_cast<int>(rng.Below(static_cast<int64_t>(program.budgets.size()) + 1)) - 1;
  pair.value_weight = rng.Below(3) - 1;
  const size_t columns = program.slots[static_cast<size_t>(pair.slot) + 1].size();
  for (size_t i = 0; i < program.slots[static_cast<size_t>(pair.slot)].size(); ++i) {
    auto& row = pair.extra.emplace_back();
    for (size_t j = 0; j < columns; ++j) row.push_back(rng.Below(shape.spread) - shape.spread / 4);
  }
  return pair;
}

// Budgets from hopeless to generous, values of both signs, zero costs, ties.
Program RandomProgram(const RandomShape& shape, Rng& rng) {
  Program program;
  const auto budgets = static_cast<size_t>(rng.Below(shape.max_budgets + 1));
  const int64_t slots = (shape.pairs ? 2 : 1) + rng.Below(shape.max_slots - 1);
  const bool zero_costs = rng.Chance(0.1);
  for (int64_t s = 0; s < slots; ++s) {
    auto& choices = program.slots.emplace_back();
    const int64_t count = 1 + rng.Below(shape.max_choices);
    for (int64_t i = 0; i < count; ++i) {
      ProgramChoice choice{.name = std::to_string(i), .value = rng.Below(shape.spread) - shape.spread / 3, .costs = {}};
      for (size_t b = 0; b < budgets; ++b) choice.costs.push_back(zero_costs ? 0 : rng.Below(shape.spread));
      choices.push_back(choice);
    }
  }
  for (size_t b = 0; b < budgets; ++b) {
    const double tightness = rng.Uniform(-0.05, 1.05);
    program.budgets.push_back(
        {"b" + std::to_string(b), static_cast<int64_t>(tightness * static_cast<double>(shape.spread * slots))});
  }
  const int64_t pairs = shape.pairs ? 1 + rng.Below(3) : 0;
  for (int64_t p = 0; p < pairs; ++p) program.pairs.push_back(RandomPair(program, shape, rng));
  return program;
}

std::vector<int64_t> Values(const std::vector<Solution>& solutions) {
  std::vector<int64_t> values;
  for (const Solution& solution : solutions) values.push_back(solution.value);
  return values;
}

std::vector<std::vector<int>> Picks(const std::vector<Solution>& solutions) {
  std::vector<std::vector<int>> picks;
  for (const Solution& solution : solutions) picks.push_back(solution.choices);
  return picks;
}

class SolverContract : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    solver_ = MakeSolver(GetParam());
    if (GetParam() == "glpk" && !FindProgram("glpsol")) GTEST_SKIP() << "skipped: glpsol is not installed";
  }
  // GLPK may keep other picks among those that tie the k-th value.
  bool FreeTies() const { return GetParam() == "glpk"; }
  // A process a pick: fewer programs.
  int Rounds(int exact) const { return GetParam() == "glpk" ? exact / 15 : exact; }

  void ExpectOracle(const Program& program, int k) const {
    const SolveResult result = solver_->Solve(program, k);
    const std::vector<Solution> oracle = EnumerateBest(program, static_cast<size_t>(k));
    EXPECT_TRUE(result.optimal);
    ASSERT_EQ(Values(result.solutions), Values(oracle));
    if (!FreeTies()) {
      EXPECT_EQ(Picks(result.solutions), Picks(oracle));
    }
    for (size_t i = 0; i < result.solutions.size(); ++i) {
      const Solution& solution = result.solutions[i];
      const Solution again = EvaluatePick(program, solution.choices);
      EXPECT_EQ(again.value, solution.value);
      EXPECT_EQ(again.costs, solution.costs);
      EXPECT_TRUE(Feasible(program, solution));
      if (i == 0) continue;
      EXPECT_TRUE(BetterSolution()(result.solutions[i - 1], solution)) << "sorted and distinct";
    }
  }

  void ExpectOracleOnRandom(const RandomShape& shape, int rounds, uint64_t seed) const {
    Rng rng(seed);
    int infeasible = 0;
    for (int round = 0; round < Rounds(rounds); ++round) {
      const Program program = RandomProgram(shape, rng);
      const int k = static_cast<int>(1 + rng.Below(FreeTies() ? 4 : 12));
      SCOPED_TRACE("round " + std::to_string(round) + ", k " + std::to_string(k));
      ExpectOracle(program, k);
      infeasible += EnumerateBest(program, 1).empty() ? 1 : 0;
      if (HasFailure()) return;
    }
    EXPECT_GT(infeasible, 0) << "the generator must make hopeless budgets too";
  }

  std::unique_ptr<Solver> solver_;
};

TEST_P(SolverContract, SmallProgramsWithTies) { ExpectOracleOnRandom({.spread = 6}, 600, 1); }
TEST_P(SolverContract, SmallPrograms) { ExpectOracleOnRandom({.spread = 1000}, 600, 2); }
TEST_P(SolverContract, PairsBetweenNeighbours) {
  ExpectOracleOnRandom({.max_slots = 4, .spread = 30, .pairs = true}, 600, 3);
}
TEST_P(SolverContract, LargeNumbers) { ExpectOracleOnRandom({.max_slots = 4, .spread = 1'000'000'000}, 300, 4); }

TEST_P(SolverContract, AllTheSame) {
  Program program;
  program.slots.assign(3, {{"a", 0, {0}}, {"b", 0, {0}}, {"c", 0, {0}}});
  program.budgets = {{"x", 0}};
  ExpectOracle(program, 5);
}

TEST_P(SolverContract, MoreAskedThanThereIs) {
  Program program;
  program.slots = {{{"a", 1, {1}}, {"b", 2, {5}}}, {{"c", 3, {1}}, {"d", 9, {9}}}};
  program.budgets = {{"x", 6}};
  ExpectOracle(program, 50);
  EXPECT_EQ(solver_->Solve(program, 50).solutions.size(), 2u);
}

TEST_P(SolverContract, NothingIsFeasible) {
  Program program;
  program.slots = {{{"a", 1, {3, 0}}, {"b", 2, {0, 3}}}};
  program.budgets = {{"x", 1}, {"y", 1}};  // each alone could be kept
  EXPECT_TRUE(solver_->Solve(program, 3).solutions.empty());
  program.budgets[0].limit = -1;  // this one couldn't
  const SolveResult result = solver_->Solve(program, 3);
  EXPECT_TRUE(result.solutions.empty());
  EXPECT_TRUE(result.optimal);
}

TEST_P(SolverContract, LimitsFarAway) {
  Program program;
  program.slots = {{{"a", 1, {3}}, {"b", 2, {-4}}}, {{"c", -7, {0}}}};
  program.budgets = {{"x", INT64_C(1'000'000'000'000)}};
  ExpectOracle(program, 3);
}

TEST_P(SolverContract, MoreBudgetIsNeverWorse) {
  Rng rng(5);
  for (int round = 0; round < Rounds(100); ++round) {
    Program program = RandomProgram({.max_budgets = 2, .spread = 50}, rng);
    const auto tight = solver_->Solve(program, 3).solutions;
    for (ProgramBudget& budget : program.budgets) budget.limit += 1 + rng.Below(20);
    const auto loose = solver_->Solve(program, 3).solutions;
    ASSERT_GE(loose.size(), tight.size());
    for (size_t i = 0; i < tight.size(); ++i) EXPECT_GE(loose[i].value, tight[i].value);
  }
}

TEST_P(SolverContract, OrderOfInputDoesNotMatter) {
  Rng rng(6);
  for (int round = 0; round < Rounds(100); ++round) {
    const Program program = RandomProgram({.spread = 1'000'000}, rng);
    Program permuted = program;
    rng.Shuffle(std::span(permuted.slots));
    for (auto& slot : permuted.slots) rng.Shuffle(std::span(slot));
    EXPECT_EQ(Values(solver_->Solve(program, 4).solutions), Values(solver_->Solve(permuted, 4).solutions));
  }
}

TEST_P(SolverContract, RefusesBadInput) {
  Program program;
  program.slots = {{{"a", 1, {}}}};
  for (const int k : {0, -3}) {
    try {
      solver_->Solve(program, k);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
    }
  }
  EXPECT_THROW(solver_->Solve(Program(), 1), Error);
}

TEST_P(SolverContract, SeedSpaceOfFourSlots) {
  for (const double tightness : {0.1, 1.0, 4.0}) ExpectOracle(SeedProgram(11, tightness, 4), 8);
}

INSTANTIATE_TEST_SUITE_P(Solvers, SolverContract, testing::ValuesIn(SolverNames().begin(), SolverNames().end()),
                         [](const auto& info) { return std::string(info.param); });

// Too many picks to enumerate: two solvers that share no code.
TEST(SolversTest, ExactAndGlpkAgreeOnTheSeedSpace) {
  if (!FindProgram("glpsol")) GTEST_SKIP() << "skipped: glpsol is not installed";
  for (const uint64_t seed : {1, 2, 3}) {
    for (const double tightness : {0.15, 0.8, 3.0}) {
      const Program program = SeedProgram(seed, tightness);
      const SolveResult exact = MakeSolver("exact")->Solve(program, 8);
      ASSERT_EQ(exact.solutions.size(), 8u);
      EXPECT_EQ(Values(exact.solutions), Values(MakeSolver("glpk")->Solve(program, 8).solutions));
    }
  }
}

// The 20 x 90 space is too large for any oracle: what can be checked is that it ends, in order, within the budgets.
TEST(SolversTest, LargeProgramIsProven) {
  Rng rng(7);
  Program program;
  program.budgets = {{"a", 8'000'000}, {"b", 8'000'000}, {"c", 8'000'000}};
  for (int s = 0; s < 20; ++s) {
    auto& choices = program.slots.emplace_back();
    for (int i = 0; i < 90; ++i) {
      const double size = rng.Uniform(0.05, 1.0);
      ProgramChoice choice{
          .name = std::to_string(i), .value = static_cast<int64_t>(1e8 * size * rng.Uniform(0.6, 1.4)), .costs = {}};
      for (int b = 0; b < 3; ++b) choice.costs.push_back(static_cast<int64_t>(1e6 * size * rng.Uniform(0.6, 1.4)));
      choices.push_back(choice);
    }
  }
  const SolveResult result = MakeSolver("exact")->Solve(program, 10);
  EXPECT_TRUE(result.optimal);
  ASSERT_EQ(result.solutions.size(), 10u);
  for (size_t i = 1; i < 10; ++i) EXPECT_TRUE(BetterSolution()(result.solutions[i - 1], result.solutions[i]));
  EXPECT_EQ(Picks(MakeSolver("exact")->Solve(program, 3).solutions).back(), result.solutions[2].choices);
}

TEST(SolversTest, NodeLimitReturnsWhatWasFound) {
  const Program program = SeedProgram(1, 0.8);
  const SolveResult proven = MakeExactSolver({})->Solve(program, 8);
  const SolveResult cut = MakeExactSolver({.max_nodes = 100})->Solve(program, 8);
  EXPECT_TRUE(proven.optimal);
  EXPECT_FALSE(cut.optimal);
  ASSERT_FALSE(cut.solutions.empty());
  EXPECT_TRUE(Feasible(program, cut.solutions[0]));
  EXPECT_LE(cut.solutions[0].value, proven.solutions[0].value);
}

TEST(SolversTest, SolutionsOfGlpsolAreWholeOrRefused) {
  Program program;
  program.slots = {{{"a", 1, {}}, {"b", 2, {}}}, {{"c", 1, {}}, {"d", 0, {}}}};
  const std::string head = "c Status: any\ns mip 2 4 ";
  const std::string columns = "i 1 1\nj 1 0\nj 2 1\nj 3 1\nj 4 0\n";
  EXPECT_EQ(ParseGlpsolSolution(head + "o 3\n" + columns + "e o f\n", program), std::vector<int>({1, 0}));
  EXPECT_EQ(ParseGlpsolSolution(head + "n 0\n" + columns + "e o f\n", program), std::nullopt);
  EXPECT_EQ(ParseGlpsolSolution(head + "u 0\ne o f\n", program), std::nullopt);
  for (const std::string& broken : {std::string(), head + "o 3\n" + columns, head + "n 0\n" + columns,
                                    head + "o 3\nj 1 0\nj 2 1\nj 3 1\ne o f\n", head + "f 3\n" + columns + "e o f\n"}) {
    SCOPED_TRACE(broken);
    EXPECT_THROW(ParseGlpsolSolution(broken, program), Error);
  }
}

TEST(SolversTest, UnknownAndMissingSolvers) {
  try {
    MakeSolver("cplex");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), testing::HasSubstr("exact, glpk"));
  }
  try {
    MakeGlpkSolver("glpsol-that-is-nowhere")->Solve(SeedProgram(1, 1.0), 1);
    ADD_FAILURE() << "solved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_THAT(error.what(), testing::HasSubstr("apt install glpk-utils"));
  }
}

}  // namespace
}  // namespace hot
