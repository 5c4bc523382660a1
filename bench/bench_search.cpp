// exact v glpk (glpsol) v PuLP with its CBC v exhaustive enumeration: the k best of programs like the seed space (7
// slots, 6 + 6 x 18 choices, three budgets) and of 20 slots x 30 choices x 3 precisions. Ours, glpk's top 8 and
// enumeration in every round, the rest in the first, in turns; all must find the same values. Enumeration of the first
// five slots; with `full` once of all seven (204 million picks, about half a minute). Last line: JSON.
// Usage: hot_bench_search [rounds [full]]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/rng.h"
#include "peer.h"
#include "search/solver.h"
#include "search/testing/enumerate.h"
#include "search/testing/seed_program.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kTop = 8, kDeepTop = 64, kLargeTop = 10;
constexpr int kReducedSlots = 5;  // 6 x 18^4 = 629,856 picks; all seven slots have 204 million
constexpr int kPeerSeconds = 60;  // of one solve of PuLP + CBC
constexpr uint64_t kSeeds[] = {1, 2, 3};
constexpr double kTightness[] = {0.15, 0.8, 3.0};  // limit = smallest x (1 + tightness)

// What a number format does to a choice: share of the value kept, and factors of the three costs.
struct Format {
  const char* name;
  double value, costs[3];
};
constexpr Format kFormats[] = {
    {"fp32", 1.0, {1.0, 1.0, 1.0}}, {"int16x8", 0.99, {0.7, 0.25, 0.5}}, {"int8", 0.96, {0.45, 0.25, 0.25}}};

// 20 slots x 30 choices x 3 formats, three budgets; value and costs grow together, +-30 %.
Program LargeProgram(uint64_t seed, double tightness) {
  Rng rng(seed);
  Program program;
  program.budgets = {{"a", 0}, {"b", 0}, {"c", 0}};
  for (int slot = 0; slot < 20; ++slot) {
    auto& choices = program.slots.emplace_back();
    const double scale = rng.Uniform(0.3, 3.0);
    for (int i = 0; i < 30; ++i) {
      const double size = scale * rng.Uniform(0.05, 1.0);
      const auto noisy = [&](double unit) { return static_cast<int64_t>(unit * size * rng.Uniform(0.7, 1.3)); };
      const auto value = static_cast<double>(noisy(1e8));
      for (const Format& format : kFormats) {
        ProgramChoice& choice = choices.emplace_back();
        choice.name = format.name;
        choice.value = static_cast<int64_t>(value * format.value);
        const double units[] = {1e6, 1e5 * (slot + 1), 1e5 * (20 - slot)};
        for (size_t b = 0; b < 3; ++b) choice.costs.push_back(noisy(units[b] * format.costs[b]));
      }
    }
  }
  const std::vector<int64_t> smallest = SmallestCosts(program);
  for (size_t b = 0; b < smallest.size(); ++b) {
    program.budgets[b].limit = std::llround(static_cast<double>(smallest[b]) * (1 + tightness));
  }
  return program;
}

using Values = std::vector<int64_t>;  // of the k best

Values ValuesOf(const std::vector<Solution>& solutions) {
  Values values;
  for (const Solution& solution : solutions) values.push_back(solution.value);
  return values;
}

double Milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// One way to solve the programs of a space.
struct Contender {
  std::string name;
  std::vector<double> times = {};  // ms, over programs and rounds
  int unfinished = 0, different = 0;

  void Add(double ms, const Values& values, const Values& expected) {
    times.push_back(ms);
    different += values == expected ? 0 : 1;
  }
};

struct Space {
  const char* name;
  int k;
  std::vector<Program> programs;
  Contender exact{"exact"}, glpk{"glpsol"}, pulp{"PuLP + CBC"}, exhaustive{"exhaustive"};

  std::vector<const Contender*> All() const { return {&exact, &glpk, &pulp, &exhaustive}; }
};

void RunExact(Space& space) {
  for (const Program& program : space.programs) {
    const double ms = Milliseconds([&] { MakeSolver("exact")->Solve(program, space.k); });
    space.exact.Add(ms, {}, {});
  }
}

Values Expected(const Space& space, size_t i) {
  return ValuesOf(MakeSolver("exact")->Solve(space.programs[i], space.k).solutions);
}

void RunGlpk(Space& space) {
  for (size_t i = 0; i < space.programs.size(); ++i) {
    std::vector<Solution> found;
    const double ms = Milliseconds([&] { found = MakeSolver("glpk")->Solve(space.programs[i], space.k).solutions; });
    space.glpk.Add(ms, ValuesOf(found), Expected(space, i));
  }
}

void RunExhaustive(Space& space) {
  for (size_t i = 0; i < space.programs.size(); ++i) {
    std::vector<Solution> found;
    const double ms = Milliseconds([&] { found = EnumerateBest(space.programs[i], static_cast<size_t>(space.k)); });
    space.exhaustive.Add(ms, ValuesOf(found), Expected(space, i));
  }
}

Json ProgramJson(const Program& program) {
  Json limits = Json::array(), slots = Json::array();
  for (const ProgramBudget& budget : program.budgets) limits.push_back(budget.limit);
  for (const auto& slot : program.slots) {
    Json& choices = slots.emplace_back(Json::array());
    for (const ProgramChoice& choice : slot) choices.push_back({{"value", choice.value}, {"costs", choice.costs}});
  }
  return {{"limits", limits}, {"slots", slots}};
}

void RunPulp(Space& space) {
  Json programs = Json::array();
  for (const Program& program : space.programs) programs.push_back(ProgramJson(program));
  const TempFolder folder;
  const fs::path job = folder.path() / "job.json";
  WriteFileAtomic(job, Json{{"k", space.k}, {"seconds", kPeerSeconds}, {"programs", programs}}.dump());
  const nlohmann::json ran = RunPeer("search", "search_peer.py", {job.string()});
  for (size_t i = 0; i < space.programs.size(); ++i) {
    if (ran.at("ms")[i].is_null()) {
      ++space.pulp.unfinished;
    } else {
      space.pulp.Add(ran.at("ms")[i], ran.at("values")[i], Expected(space, i));
    }
  }
}

std::vector<Program> SeedPrograms(int slots) {
  std::vector<Program> programs;
  for (const uint64_t seed : kSeeds) {
    for (const double tightness : kTightness) programs.push_back(SeedProgram(seed, tightness, slots));
  }
  return programs;
}

std::vector<Space> MakeSpaces() {
  std::vector<Space> spaces;
  spaces.push_back({"seed space: 6 x 18^6", kTop, SeedPrograms(7)});
  spaces.push_back({"seed space: 6 x 18^6", kDeepTop, SeedPrograms(7)});
  spaces.push_back({"reduced: 6 x 18^4", kTop, {}});
  for (const uint64_t seed : kSeeds) spaces.back().programs.push_back(SeedProgram(seed, kTightness[1], kReducedSlots));
  spaces.push_back({"large: (30 x 3)^20", kLargeTop, {}});
  for (const uint64_t seed : kSeeds) {
    for (const double tightness : kTightness) spaces.back().programs.push_back(LargeProgram(seed, tightness));
  }
  return spaces;
}

std::vector<Space> RunAll(int rounds, bool full) {
  std::vector<Space> spaces = MakeSpaces();
  Space &top = spaces[0], &deep = spaces[1], &reduced = spaces[2], &large = spaces[3];
  for (int round = 0; round < rounds; ++round) {
    for (Space& space : spaces) RunExact(space);
    RunGlpk(top);
    RunExhaustive(reduced);
    if (round > 0) continue;
    for (Space* space : {&deep, &large}) RunGlpk(*space);
    for (Space* space : {&top, &deep, &large}) RunPulp(*space);
  }
  if (!full) return spaces;
  spaces.push_back({"seed space: 6 x 18^6", kTop, {SeedProgram(kSeeds[0], kTightness[1], 7)}});
  RunExact(spaces.back());
  RunExhaustive(spaces.back());
  return spaces;
}

double Worst(const Contender& contender) { return *std::ranges::max_element(contender.times); }

void PrintRow(const Space& space, const Contender& contender) {
  if (contender.times.empty() && contender.unfinished == 0) return;
  const bool any = !contender.times.empty();
  std::printf("%-22s %4d  %-11s %6zu %6d %11.3f %11.3f  %s\n", space.name, space.k, contender.name.c_str(),
              contender.times.size(), contender.unfinished, any ? Median(contender.times) : 0,
              any ? Worst(contender) : 0, contender.different == 0 ? "equal" : "DIFFERENT");
}

// Prints the table and the line of JSON; whether all found the same.
bool Print(const std::vector<Space>& spaces, int rounds) {
  std::printf("%-22s %4s  %-11s %6s %6s %11s %11s  %s\n", "space", "k", "solver", "solved", "late", "median ms",
              "worst ms", "values");
  bool equal = true;
  Json list = Json::array();
  for (const Space& space : spaces) {
    for (const Contender* contender : space.All()) {
      PrintRow(space, *contender);
      equal = equal && contender->different == 0;
      if (contender->times.empty()) continue;
      list.push_back({{"space", space.name},
                      {"k", space.k},
                      {"solver", contender->name},
                      {"median_ms", Median(contender->times)},
                      {"worst_ms", Worst(*contender)},
                      {"unfinished", contender->unfinished}});
    }
  }
  const double ours = Median(spaces[0].exact.times), peer = Median(spaces[0].glpk.times);
  const Json json{{"bench", "search"}, {"ours", ours},     {"peer", peer},          {"ratio", ours / peer},
                  {"unit", "ms"},      {"rounds", rounds}, {"equal_values", equal}, {"rows", list}};
  std::printf("%s\n", json.dump().c_str());
  return equal;
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 100) : 3;
  try {
    const bool full = argc > 2 && std::string(argv[2]) == "full";
    return hot::Print(hot::RunAll(rounds, full), rounds) ? 0 : 1;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
