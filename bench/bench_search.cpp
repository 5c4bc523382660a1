// exact v glpk v exhaustive enumeration on programs like the seed space (7 slots, 6 + 6 x 18 choices, three budgets),
// interleaved in this process, medians of several rounds. Exhaustive on the first five slots; with `full` once on all
// seven (204 million picks, about half a minute). Last line: JSON. Usage: hot_bench_search [rounds [full]]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/rng.h"
#include "search/solver.h"
#include "search/testing/enumerate.h"
#include "search/testing/seed_program.h"

namespace hot {
namespace {

constexpr int kTop = 8;
constexpr int kDeepTop = 64;
constexpr int kReducedSlots = 5;  // 6 x 18^4 = 629,856 picks; all seven slots have 204 million
constexpr uint64_t kSeeds[] = {1, 2, 3};
constexpr double kTightness[] = {0.15, 0.8, 3.0};  // limit = smallest x (1 + tightness)

// 20 slots x 90 choices, three budgets; value and costs grow together, +-30 %.
Program LargeProgram(uint64_t seed, double tightness) {
  Rng rng(seed);
  Program program;
  program.budgets = {{"a", 0}, {"b", 0}, {"c", 0}};
  for (int slot = 0; slot < 20; ++slot) {
    auto& choices = program.slots.emplace_back();
    const double scale = rng.Uniform(0.3, 3.0);
    for (int i = 0; i < 90; ++i) {
      const double size = scale * rng.Uniform(0.05, 1.0);
      const auto noisy = [&](double unit) { return static_cast<int64_t>(unit * size * rng.Uniform(0.7, 1.3)); };
      ProgramChoice choice{.name = std::to_string(i), .value = noisy(1e8), .costs = {}};
      for (const double unit : {1e6, 1e5 * (slot + 1), 1e5 * (20 - slot)}) choice.costs.push_back(noisy(unit));
      choices.push_back(choice);
    }
  }
  const std::vector<int64_t> smallest = SmallestCosts(program);
  for (size_t b = 0; b < smallest.size(); ++b) {
    program.budgets[b].limit = std::llround(static_cast<double>(smallest[b]) * (1 + tightness));
  }
  return program;
}

std::vector<int64_t> Values(const std::vector<Solution>& solutions) {
  std::vector<int64_t> values;
  for (const Solution& solution : solutions) values.push_back(solution.value);
  return values;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double Milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// One way to solve; `times` over programs and rounds.
struct Contender {
  std::string name;
  std::vector<double> times = {};

  std::vector<int64_t> Run(const std::function<std::vector<Solution>()>& solve) {
    std::vector<Solution> solutions;
    times.push_back(Milliseconds([&] { solutions = solve(); }));
    return Values(solutions);
  }
  double worst() const { return *std::ranges::max_element(times); }
};

struct Results {
  Contender exact{"exact"}, exact_deep{"exact"}, glpk{"glpk"}, exact_small{"exact"}, exhaustive{"exhaustive"},
      large{"exact"}, full{"exhaustive"};
  bool equal = true;
  bool has_glpk = true;
};

void RunSeedSpace(const Program& program, Results& results) {
  const auto exact = MakeSolver("exact");
  const auto found = results.exact.Run([&] { return exact->Solve(program, kTop).solutions; });
  results.exact_deep.Run([&] { return exact->Solve(program, kDeepTop).solutions; });
  if (!results.has_glpk) return;
  try {
    const auto glpk = MakeSolver("glpk");
    results.equal &= found == results.glpk.Run([&] { return glpk->Solve(program, kTop).solutions; });
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    std::printf("glpk: skipped: %s\n", error.what());
    results.has_glpk = false;
    results.glpk.times.clear();
  }
}

void RunReduced(const Program& program, Results& results) {
  const auto found = results.exact_small.Run([&] { return MakeSolver("exact")->Solve(program, kTop).solutions; });
  results.equal &= found == results.exhaustive.Run([&] { return EnumerateBest(program, kTop); });
}

void RunFull(const Program& program, Results& results) {
  const std::vector<int64_t> found = Values(MakeSolver("exact")->Solve(program, kTop).solutions);
  results.equal &= found == results.full.Run([&] { return EnumerateBest(program, kTop); });
}

Results RunAll(int rounds, bool full) {
  Results results;
  if (full) RunFull(SeedProgram(kSeeds[0], kTightness[1], 7), results);
  for (int round = 0; round < rounds; ++round) {
    for (const uint64_t seed : kSeeds) {
      for (const double tightness : kTightness) {
        RunSeedSpace(SeedProgram(seed, tightness, 7), results);
        if (tightness == kTightness[1]) RunReduced(SeedProgram(seed, tightness, kReducedSlots), results);
      }
      const Program large = LargeProgram(seed, kTightness[static_cast<size_t>(round) % std::size(kTightness)]);
      results.large.Run([&] { return MakeSolver("exact")->Solve(large, 10).solutions; });
    }
  }
  return results;
}

void PrintRow(const char* space, int k, const Contender& contender) {
  if (contender.times.empty()) return;
  std::printf("%-42s %4d  %-11s %10.3f %10.3f\n", space, k, contender.name.c_str(), Median(contender.times),
              contender.worst());
}

void Print(const Results& results, int rounds) {
  std::printf("%-42s %4s  %-11s %10s %10s\n", "space", "k", "solver", "median ms", "worst ms");
  PrintRow("seed space: 6 x 18^6, 3 budgets", kTop, results.exact);
  PrintRow("seed space: 6 x 18^6, 3 budgets", kTop, results.glpk);
  PrintRow("seed space: 6 x 18^6, 3 budgets", kTop, results.full);
  PrintRow("seed space: 6 x 18^6, 3 budgets", kDeepTop, results.exact_deep);
  PrintRow("reduced: 5 slots, 6 x 18^4, 3 budgets", kTop, results.exact_small);
  PrintRow("reduced: 5 slots, 6 x 18^4, 3 budgets", kTop, results.exhaustive);
  PrintRow("large: 20 slots x 90, 3 budgets", 10, results.large);
  if (results.full.times.empty())
    std::printf("exhaustive ran on the reduced space only; `full` runs it on all 204 million picks\n");
  const double ours = Median(results.exact.times);
  nlohmann::ordered_json json = {
      {"bench", "search"}, {"ours", ours}, {"peer", nullptr}, {"ratio", nullptr}, {"unit", "ms"}};
  if (results.has_glpk) {
    json["peer"] = Median(results.glpk.times);
    json["ratio"] = ours / Median(results.glpk.times);
  }
  json["k"] = kTop;
  json["ours_worst"] = results.exact.worst();
  json["ours_k64"] = Median(results.exact_deep.times);
  json["reduced_slots"] = kReducedSlots;
  json["reduced_ours"] = Median(results.exact_small.times);
  json["reduced_exhaustive"] = Median(results.exhaustive.times);
  if (!results.full.times.empty()) json["exhaustive"] = Median(results.full.times);
  json["large_k10"] = Median(results.large.times);
  json["large_k10_worst"] = results.large.worst();
  json["rounds"] = rounds;
  json["equal_values"] = results.equal;
  std::printf("%s\n", json.dump().c_str());
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 100) : 3;
  try {
    const hot::Results results = hot::RunAll(rounds, argc > 2 && std::string(argv[2]) == "full");
    hot::Print(results, rounds);
    return results.equal ? 0 : 1;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
