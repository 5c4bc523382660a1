// Properties that hold for every program and table, on random ones that RapidCheck makes and makes smaller when one
// fails; the oracle is exhaustive enumeration.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"
#include "search/apart.h"
#include "search/front.h"
#include "search/relaxation.h"
#include "search/testing/all_networks.h"
#include "search/testing/enumerate.h"

namespace hot {

// What RapidCheck prints of a program that breaks a property.
void showValue(const Program& program, std::ostream& out) {
  for (const auto& slot : program.slots) {
    out << "slot:";
    for (const ProgramChoice& choice : slot) {
      out << ' ' << choice.value << " (";
      for (const int64_t cost : choice.costs) out << ' ' << cost;
      out << " )";
    }
    out << '\n';
  }
  for (const ProgramBudget& budget : program.budgets) out << "limit " << budget.limit << '\n';
  for (const ProgramPair& pair : program.pairs) out << "pair at " << pair.slot << " of " << pair.budget << '\n';
}

void showValue(const Budgets& budgets, std::ostream& out) {
  out << "latency_ms " << budgets.latency_ms.value_or(-1) << ", flash_kib " << budgets.flash_kib.value_or(-1)
      << ", ram_kib " << budgets.ram_kib.value_or(-1) << ", memory_kib " << budgets.memory_kib.value_or(-1)
      << ", min_macs " << budgets.min_macs.value_or(-1);
}

void showValue(const LookupTable& table, std::ostream& out) {
  const auto show = [&](const TableRow& row) {
    out << row.part << ' ' << row.choice.Name() << ": " << row.latency_ns << " ns, " << row.macs << " MACs, "
        << row.weight_bytes << " + " << row.peak_bytes << " bytes\n";
  };
  for (const auto& slot : table.slots) std::ranges::for_each(slot, show);
  std::ranges::for_each(table.fixed, show);
}

namespace {

// From the whole range in every case, not only in late ones.
int64_t Number(int64_t least, int64_t most) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, most + 1));
}

ProgramPair MakePair(const Program& program, int slot) {
  ProgramPair pair{.slot = slot,
                   .budget = static_cast<int>(Number(-1, std::ssize(program.budgets) - 1)),
                   .value_weight = Number(-1, 1)};
  const auto at = static_cast<size_t>(slot);
  for (size_t i = 0; i < program.slots[at].size(); ++i) {
    auto& row = pair.extra.emplace_back();
    for (size_t j = 0; j < program.slots[at + 1].size(); ++j) row.push_back(Number(-4, 9));
  }
  return pair;
}

Program MakeProgram() {
  Program program;
  const int64_t slots = Number(1, 4), budgets = Number(0, 3);
  for (int64_t b = 0; b < budgets; ++b) program.budgets.push_back({"b", Number(-5, 20 * slots)});
  for (int64_t s = 0; s < slots; ++s) {
    auto& choices = program.slots.emplace_back(static_cast<size_t>(Number(1, 4)));
    for (ProgramChoice& choice : choices) {
      choice.value = Number(-5, 15);
      for (int64_t b = 0; b < budgets; ++b) choice.costs.push_back(Number(0, 20));
    }
  }
  if (slots > 1 && *rc::gen::arbitrary<bool>()) {
    program.pairs.push_back(MakePair(program, static_cast<int>(Number(0, slots - 2))));
  }
  return program;
}

// Some of the blocks in float, too: as many MACs, four bytes for one.
void AddFormat(std::vector<TableRow>& rows) {
  for (int64_t i = Number(0, std::ssize(rows) - 1); i >= 0; --i) {
    TableRow in_float = rows[static_cast<size_t>(i)];
    in_float.choice.precision = Precision::kFp32;
    in_float.latency_ns = 1e3 * static_cast<double>(Number(1, 60)) + 0.3;
    in_float.weight_bytes *= 4;
    rows.push_back(std::move(in_float));
  }
}

// Small, in one number format or two. Weights and latencies are of the kind that do not divide evenly.
LookupTable MakeTable() {
  LookupTable table;
  const auto row = [](const std::string& part) {
    return TableRow{.part = part,
                    .macs = Number(0, 30),
                    .weight_bytes = Number(0, 4000),
                    .peak_bytes = Number(0, 4000),
                    .latency_ns = 1e3 * static_cast<double>(Number(1, 60)) + 0.3};
  };
  const int64_t slots = Number(2, 3);
  for (int64_t s = 0; s < slots; ++s) {
    auto& rows = table.slots.emplace_back();
    const int64_t choices = Number(1, 6);
    for (int64_t i = 0; i < choices; ++i) {
      rows.push_back(row("slot" + std::to_string(s + 1)));
      rows.back().choice = {"irb", 3, static_cast<int>(i) + 1, Precision::kInt8};
    }
    if (*rc::gen::arbitrary<bool>()) AddFormat(rows);
  }
  for (int slot = 1; slot < slots; ++slot) {
    for (const auto& [before, after] : {std::pair{Precision::kInt8, Precision::kFp32},
                                        {Precision::kFp32, Precision::kInt8},
                                        {Precision::kFp32, Precision::kFp32}}) {
      table.borders.push_back({slot, before, after, 1e3 * static_cast<double>(Number(-8, 20)) + 0.4});
    }
  }
  for (const char* part : {"stem", "tail", "head"}) table.fixed.push_back(row(part));
  return table;
}

std::optional<double> MaybeTenths(int64_t least, int64_t most) {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return 0.1 * static_cast<double>(Number(least, most));
}

Budgets MakeBudgets() {
  Budgets budgets{
      .flash_kib = MaybeTenths(60, 240), .ram_kib = MaybeTenths(25, 45), .memory_kib = MaybeTenths(150, 450)};
  if (const auto latency = MaybeTenths(500, 3000)) budgets.latency_ms = *latency * 1e-3;
  if (*rc::gen::arbitrary<bool>()) budgets.min_macs = Number(0, 110);
  return budgets;
}

constexpr CostCorrection kCorrection{.intercept_ns = 777.7, .slope = 0.93};

std::vector<int64_t> Values(const std::vector<Solution>& solutions) {
  std::vector<int64_t> values;
  for (const Solution& solution : solutions) values.push_back(solution.value);
  return values;
}

std::vector<Solution> Exact(const Program& program, int k) { return MakeSolver("exact")->Solve(program, k).solutions; }

RC_GTEST_PROP(ProgramProperties, KBestAreThoseOfEnumeration, ()) {
  const Program program = *rc::gen::exec(MakeProgram);
  const auto k = static_cast<int>(Number(1, 12));
  const std::vector<Solution> found = Exact(program, k), oracle = EnumerateBest(program, static_cast<size_t>(k));
  RC_ASSERT(found.size() == oracle.size());
  for (size_t i = 0; i < found.size(); ++i) {
    RC_ASSERT(found[i].choices == oracle[i].choices);
    const Solution again = EvaluatePick(program, found[i].choices);
    RC_ASSERT(again.value == found[i].value);
    RC_ASSERT(again.costs == found[i].costs);
    RC_ASSERT(Feasible(program, again));
    if (i > 0) RC_ASSERT(BetterSolution()(found[i - 1], found[i]));
  }
}

RC_GTEST_PROP(ProgramProperties, MoreBudgetIsNeverWorse, ()) {
  Program program = *rc::gen::exec(MakeProgram);
  const std::vector<Solution> tight = Exact(program, 5);
  for (ProgramBudget& budget : program.budgets) budget.limit += Number(0, 10);
  const std::vector<Solution> loose = Exact(program, 5);
  RC_ASSERT(loose.size() >= tight.size());
  for (size_t i = 0; i < tight.size(); ++i) RC_ASSERT(loose[i].value >= tight[i].value);
}

RC_GTEST_PROP(ProgramProperties, OrderOfChoicesDoesNotMatter, ()) {
  const Program program = *rc::gen::exec(MakeProgram);
  Program permuted = program;
  for (size_t s = 0; s < program.slots.size(); ++s) {
    std::vector<size_t> order(program.slots[s].size());
    std::iota(order.begin(), order.end(), size_t{0});
    for (size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[static_cast<size_t>(Number(0, static_cast<int64_t>(i) - 1))]);
    }
    for (size_t i = 0; i < order.size(); ++i) permuted.slots[s][i] = program.slots[s][order[i]];
    for (ProgramPair& pair : permuted.pairs) {
      const auto before = pair.extra;
      for (size_t i = 0; i < pair.extra.size(); ++i) {
        if (pair.slot == static_cast<int>(s)) pair.extra[i] = before[order[i]];
        if (pair.slot + 1 != static_cast<int>(s)) continue;
        for (size_t j = 0; j < order.size(); ++j) pair.extra[i][j] = before[i][order[j]];
      }
    }
  }
  RC_ASSERT(Values(Exact(program, 6)) == Values(Exact(permuted, 6)));
}

// Neighbours stay neighbours, so this holds with pairs too.
RC_GTEST_PROP(ProgramProperties, DirectionOfSlotsDoesNotMatter, ()) {
  const Program program = *rc::gen::exec(MakeProgram);
  Program reversed = program;
  std::ranges::reverse(reversed.slots);
  for (ProgramPair& pair : reversed.pairs) {
    const auto before = pair.extra;
    pair.slot = static_cast<int>(program.slots.size()) - 2 - pair.slot;
    pair.extra.assign(before[0].size(), std::vector<int64_t>(before.size()));
    for (size_t i = 0; i < before.size(); ++i) {
      for (size_t j = 0; j < before[i].size(); ++j) pair.extra[j][i] = before[i][j];
    }
  }
  RC_ASSERT(Values(Exact(program, 6)) == Values(Exact(reversed, 6)));
}

RC_GTEST_PROP(ProgramProperties, ApartIsGreedyOverEnumeration, ()) {
  const Program program = *rc::gen::exec(MakeProgram);
  const auto k = static_cast<int>(Number(1, 8));
  const auto distance = static_cast<int>(Number(1, std::ssize(program.slots) + 1));
  std::vector<std::vector<int>> oracle;
  for (const Solution& pick : EnumerateBest(program, 1000)) {
    const bool apart = std::ranges::all_of(
        oracle, [&](const std::vector<int>& other) { return HammingDistance(pick.choices, other) >= distance; });
    if (apart && std::ssize(oracle) < k) oracle.push_back(pick.choices);
  }
  std::vector<std::vector<int>> found;
  for (const Solution& pick : SolveApart(*MakeSolver("exact"), program, k, distance).solutions) {
    RC_ASSERT(pick.costs == EvaluatePick(program, pick.choices).costs);
    found.push_back(pick.choices);
  }
  RC_ASSERT(found == oracle);
}

// Every network that keeps the budgets, best first, none whose blocks are those of a better one.
std::vector<Candidate> BestByEnumeration(const LookupTable& table, Objective objective, const Budgets& budgets) {
  std::vector<Candidate> all;
  for (Candidate& network : AllNetworks(table, kCorrection)) {
    if (KeepsBudgets(network, network.latency_ns, budgets)) all.push_back(std::move(network));
  }
  std::ranges::stable_sort(all, [&](const Candidate& a, const Candidate& b) {
    return objective == Objective::kAccuracy ? a.macs > b.macs : a.latency_ns < b.latency_ns;
  });
  std::vector<Candidate> best;
  std::set<std::string> blocks;
  for (const Candidate& network : all) {
    std::string key;
    for (const Choice& choice : WithPrecision(network.choices, Precision::kFp32)) key += choice.Name() + ' ';
    if (blocks.insert(key).second) best.push_back(network);
  }
  return best;
}

RC_GTEST_PROP(TableProperties, CandidatesAreThoseOfEnumerationFormatsAndBordersIncluded, ()) {
  const LookupTable table = *rc::gen::exec(MakeTable);
  const Budgets budgets = *rc::gen::exec(MakeBudgets);
  const Objective objective = *rc::gen::arbitrary<bool>() ? Objective::kAccuracy : Objective::kLatency;
  const auto k = static_cast<int>(Number(1, 9));
  const std::vector<Candidate> oracle = BestByEnumeration(table, objective, budgets);
  const SearchResult found = AutoSearch(table, objective, budgets, k, *MakeSolver("exact"), kCorrection);
  RC_ASSERT(std::ssize(found.candidates) == std::min<int64_t>(k, std::ssize(oracle)));
  for (size_t i = 0; i < found.candidates.size(); ++i) {
    RC_ASSERT(found.candidates[i].choices == oracle[i].choices);
    RC_ASSERT(found.candidates[i].latency_ns == oracle[i].latency_ns);
  }
  if (!oracle.empty()) return;
  double smallest_ns = INFINITY;
  for (const Candidate& network : AllNetworks(table, kCorrection)) {
    smallest_ns = std::min(smallest_ns, network.latency_ns);
  }
  RC_ASSERT(found.smallest_latency_ms == smallest_ns / 1e6);
}

// With scores for choices, or without, where MACs stand for quality.
LookupTable MakeTableOfQuality() {
  LookupTable table = MakeTable();
  if (*rc::gen::arbitrary<bool>()) return table;
  for (auto& rows : table.slots) {
    for (TableRow& row : rows) row.quality = 1e-3 * static_cast<double>(Number(-500, 1000));
  }
  return table;
}

// (latency, quality) of all networks within the budgets that no other one dominates, by rising latency.
std::vector<std::pair<double, double>> FrontByEnumeration(const LookupTable& table, const Budgets& budgets) {
  std::vector<std::pair<double, double>> all, front;
  for (const Candidate& network : AllNetworks(table, kCorrection)) {
    if (KeepsBudgets(network, 0, budgets)) all.emplace_back(network.latency_ns, -QualityOf(network));
  }
  std::ranges::sort(all);
  for (const auto& [latency_ns, minus_quality] : all) {
    if (front.empty() || -minus_quality > front.back().second) front.emplace_back(latency_ns, -minus_quality);
  }
  return front;
}

RC_GTEST_PROP(TableProperties, FrontIsThatOfEnumeration, ()) {
  const LookupTable table = *rc::gen::exec(MakeTableOfQuality);
  const Budgets budgets = *rc::gen::exec(MakeBudgets);
  const auto oracle = FrontByEnumeration(table, budgets);
  std::vector<std::pair<double, double>> whole, thinned;
  for (const Candidate& c : ParetoFront(table, budgets, 1'000'000, *MakeSolver("exact"), kCorrection)) {
    whole.emplace_back(c.latency_ns, QualityOf(c));
    RC_ASSERT(c.rank == std::ssize(whole));
    RC_ASSERT(c.optimal);
  }
  RC_ASSERT(whole == oracle);
  for (const Candidate& c : ParetoFront(table, budgets, 4, *MakeSolver("exact"), kCorrection)) {
    thinned.emplace_back(c.latency_ns, QualityOf(c));
  }
  RC_ASSERT(thinned.size() <= 4u);
  RC_ASSERT(std::ranges::includes(oracle, thinned));
  if (oracle.empty()) return;
  RC_ASSERT(thinned.front() == oracle.front());
  RC_ASSERT(thinned.back() == oracle.back());
}

RC_GTEST_PROP(TableProperties, PriceIsThatOfEnumeration, ()) {
  const LookupTable table = *rc::gen::exec(MakeTableOfQuality);
  Budgets budgets = *rc::gen::exec(MakeBudgets);
  budgets.latency_ms = 1e-4 * static_cast<double>(Number(500, 3000));
  const auto best = [&](double latency_ms) {
    std::optional<double> quality;
    for (const auto& [latency_ns, of_point] : FrontByEnumeration(table, budgets)) {
      if (latency_ns <= latency_ms * 1e6) quality = of_point;
    }
    return quality;
  };
  const auto near = [](double a, double b) { return std::abs(a - b) < 1e-9; };
  const auto price = PriceOfLatency(table, budgets, *MakeSolver("exact"), kCorrection);
  RC_ASSERT(price.has_value() == best(*budgets.latency_ms).has_value());
  if (!price) return;
  RC_ASSERT(price->optimal);
  RC_ASSERT(price->scored == HasQuality(table));
  RC_ASSERT(price->quality == best(*budgets.latency_ms));
  RC_ASSERT(near(price->quality + price->more, *best(*budgets.latency_ms + price->step_ms)));
  const auto less = best(*budgets.latency_ms - price->step_ms);
  RC_ASSERT(price->less.has_value() == less.has_value());
  if (less) RC_ASSERT(near(price->quality - *price->less, *less));
}

// By what the budgets of `relaxed` must be multiplied so that this network keeps all of them; unset: nothing would do.
std::optional<double> FactorNeeded(const Candidate& network, const Budgets& budgets, std::string_view relaxed) {
  double factor = 0;
  bool keeps = !budgets.min_macs || network.macs >= *budgets.min_macs;
  const auto add = [&](std::string_view name, const std::optional<double>& limit, double used) {
    if (!limit) return;
    if (relaxed == "all" || relaxed == name) {
      factor = std::max(factor, used / *limit);
    } else {
      keeps = keeps && used <= *limit;
    }
  };
  add("latency_ms", budgets.latency_ms, network.latency_ns / 1e6);
  add("flash_kib", budgets.flash_kib, static_cast<double>(network.flash_bytes) / 1024);
  add("ram_kib", budgets.ram_kib, static_cast<double>(network.ram_bytes) / 1024);
  add("memory_kib", budgets.memory_kib, static_cast<double>(network.memory_bytes) / 1024);
  return keeps ? std::optional(factor) : std::nullopt;
}

std::optional<double> SmallestFactor(const LookupTable& table, const Budgets& budgets, std::string_view relaxed) {
  std::optional<double> smallest;
  for (const Candidate& network : AllNetworks(table, kCorrection)) {
    const std::optional<double> factor = FactorNeeded(network, budgets, relaxed);
    if (factor && (!smallest || *factor < *smallest)) smallest = factor;
  }
  return smallest;
}

bool Near(double a, double b) { return std::abs(a - b) <= 1e-11 * std::max(std::abs(a), std::abs(b)); }

RC_GTEST_PROP(TableProperties, RelaxationIsThatOfEnumeration, ()) {
  const LookupTable table = *rc::gen::exec(MakeTable);
  const Budgets budgets = *rc::gen::exec(MakeBudgets);
  const auto found = SmallestRelaxation(table, budgets, *MakeSolver("exact"), kCorrection);
  const auto all = SmallestFactor(table, budgets, "all");
  RC_ASSERT(found.has_value() == all.has_value());
  if (!found) return;
  RC_ASSERT(found->optimal);
  RC_ASSERT(Near(found->factor, *all));
  for (const BudgetRelaxation& one : found->budgets) {
    const auto alone = SmallestFactor(table, budgets, one.budget);
    RC_ASSERT(one.alone.has_value() == alone.has_value());
    if (alone) RC_ASSERT(Near(*one.alone, *alone * one.limit));
    RC_ASSERT(one.used <= one.limit * found->factor * (1 + 1e-11));
    RC_ASSERT(one.largest.share > 0);
    RC_ASSERT(one.largest.share <= 1);
  }
}

}  // namespace
}  // namespace hot
