#include "search/auto_search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ranges>

#include "core/error.h"
#include "search/apart.h"

namespace hot {
namespace {

constexpr double kBytesPerKib = 1024;
constexpr double kNsPerMs = 1e6;

int64_t LatencyNs(const TableRow& row) { return std::llround(row.latency_ns); }
int64_t RamBytes(const TableRow& row) { return row.peak_bytes + row.carried_bytes; }
// Whole millionths: the program is exact in integers. Further out all are alike: sums stay within 64 bits.
constexpr double kQualityUnit = 1e-6, kFarthestQuality = 1e6;
int64_t Quality(const TableRow& row) {
  return std::llround(std::clamp(row.quality.value_or(0), -kFarthestQuality, kFarthestQuality) / kQualityUnit);
}
int64_t MemoryBytes(const TableRow& row) { return row.weight_bytes + row.peak_bytes; }

// Sums over the given rows; whole nanoseconds and bytes.
struct Totals {
  int64_t latency_ns = 0, macs = 0, flash_bytes = 0, memory_bytes = 0, ram_bytes = 0;  // ram: the largest

  void Add(const TableRow& row) {
    latency_ns += LatencyNs(row);
    macs += row.macs;
    flash_bytes += row.weight_bytes;
    memory_bytes += MemoryBytes(row);
    ram_bytes = std::max(ram_bytes, RamBytes(row));
  }
};

Totals FixedTotals(const LookupTable& table) {
  Totals totals;
  for (const TableRow& row : table.fixed) totals.Add(row);
  return totals;
}

void CheckInput(const LookupTable& table, const CostCorrection& correction) {
  if (!(correction.slope > 0) || !std::isfinite(correction.slope) || !std::isfinite(correction.intercept_ns)) {
    throw Error(Code::kInvalidArgument, "cost model", "the correction's slope must be positive and finite");
  }
  if (table.slots.empty()) throw Error(Code::kInvalidArgument, "look-up table", "has no slots");
  for (size_t slot = 0; slot < table.slots.size(); ++slot) {
    if (std::ranges::any_of(table.slots[slot], &TableRow::searched)) continue;
    throw Error(Code::kInvalidArgument, "look-up table", "slot " + std::to_string(slot + 1) + " has no row");
  }
}

double PredictNs(int64_t sum_ns, const CostCorrection& correction) {
  return correction.intercept_ns + correction.slope * static_cast<double>(sum_ns);
}

// Rounded down; what no sum of rows can reach (46 days, 4 PB) is cut off, so that budgets like 1e300 mean "any".
constexpr int64_t kFarAway = 4'000'000'000'000'000;
int64_t ClampToInteger(double number) {
  constexpr auto kLimit = static_cast<double>(kFarAway);
  return static_cast<int64_t>(std::clamp(std::floor(number), -kLimit, kLimit));
}

// The largest sum of rows whose prediction is within the budget.
int64_t LargestSum(double latency_ms, const CostCorrection& correction) {
  const double limit_ns = latency_ms * kNsPerMs;
  int64_t sum = ClampToInteger((limit_ns - correction.intercept_ns) / correction.slope);
  if (std::abs(sum) == kFarAway) return sum;
  while (PredictNs(sum, correction) > limit_ns) --sum;  // the division may have rounded up, or down
  while (PredictNs(sum + 1, correction) <= limit_ns) ++sum;
  return sum;
}

int64_t KibToBytes(double kib) { return ClampToInteger(kib * kBytesPerKib); }

// The smallest sum of Quality() over slots whose mean is at least `mean`.
int64_t LeastQualitySum(const LookupTable& table, double mean) {
  constexpr double kRounding = 1e-3;  // a mean that was made from a sum has been through a division and back
  return -ClampToInteger(kRounding - mean * static_cast<double>(table.slots.size()) / kQualityUnit);
}

// A cost that is summed over slots, with what is left of its budget for them.
struct SummedBudget {
  std::string name;
  int64_t limit;
  int64_t (*cost)(const TableRow&);
};

std::vector<SummedBudget> SummedBudgets(const LookupTable& table, const Budgets& budgets,
                                        const CostCorrection& correction) {
  const Totals fixed = FixedTotals(table);
  std::vector<SummedBudget> all;
  if (budgets.latency_ms) {
    all.push_back({"latency_ns", LargestSum(*budgets.latency_ms, correction) - fixed.latency_ns, LatencyNs});
  }
  if (budgets.flash_kib) {
    all.push_back({"flash_bytes", KibToBytes(*budgets.flash_kib) - fixed.flash_bytes,
                   [](const TableRow& row) { return row.weight_bytes; }});
  }
  if (budgets.memory_kib) {
    all.push_back({"memory_bytes", KibToBytes(*budgets.memory_kib) - fixed.memory_bytes, MemoryBytes});
  }
  if (budgets.min_macs) {
    all.push_back({"minus_macs", fixed.macs - *budgets.min_macs, [](const TableRow& row) { return -row.macs; }});
  }
  if (budgets.min_quality) {
    all.push_back({"minus_quality", -LeastQualitySum(table, *budgets.min_quality),
                   [](const TableRow& row) { return -Quality(row); }});
  }
  return all;
}

int64_t Value(const TableRow& row, Objective objective, bool by_quality) {
  if (objective == Objective::kLatency) return -LatencyNs(row);
  return by_quality ? Quality(row) : row.macs;
}

// The program over the choices that keep the RAM budget.
struct Reduced {
  Program program;
  std::vector<std::vector<size_t>> rows;  // by slot, by program choice: index into table.slots
  bool possible = true;                   // false: a slot has no such choice
};

Reduced MakeReduced(const LookupTable& table, Objective objective, const Budgets& budgets,
                    const std::vector<SummedBudget>& summed) {
  Reduced reduced;
  const int64_t ram_limit = budgets.ram_kib ? KibToBytes(*budgets.ram_kib) : INT64_MAX;
  reduced.possible = FixedTotals(table).ram_bytes <= ram_limit;
  const bool by_quality = HasQuality(table);
  for (const SummedBudget& budget : summed) reduced.program.budgets.push_back({budget.name, budget.limit});
  for (const auto& rows : table.slots) {
    auto& choices = reduced.program.slots.emplace_back();
    auto& kept = reduced.rows.emplace_back();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].searched || RamBytes(rows[i]) > ram_limit) continue;
      ProgramChoice& choice = choices.emplace_back();
      choice.name = rows[i].choice.Name();
      choice.value = Value(rows[i], objective, by_quality);
      for (const SummedBudget& budget : summed) choice.costs.push_back(budget.cost(rows[i]));
      kept.push_back(i);
    }
    reduced.possible = reduced.possible && !kept.empty();
  }
  return reduced;
}

// What the number formats of neighbouring slots cost, as pairs.
void AddBorders(const LookupTable& table, Objective objective, Reduced& reduced) {
  const auto& budgets = reduced.program.budgets;
  const auto latency = std::ranges::find(budgets, "latency_ns", &ProgramBudget::name);
  const int budget = latency == budgets.end() ? -1 : static_cast<int>(latency - budgets.begin());
  const int64_t weight = objective == Objective::kLatency ? -1 : 0;
  if (table.borders.empty() || (budget < 0 && weight == 0)) return;
  for (size_t slot = 0; slot + 1 < table.slots.size(); ++slot) {
    ProgramPair pair{.slot = static_cast<int>(slot), .budget = budget, .value_weight = weight};
    for (const size_t i : reduced.rows[slot]) {
      auto& extras = pair.extra.emplace_back();
      const Precision before = table.slots[slot][i].choice.precision;
      for (const size_t j : reduced.rows[slot + 1]) {
        extras.push_back(BorderNs(table, pair.slot + 1, before, table.slots[slot + 1][j].choice.precision));
      }
    }
    reduced.program.pairs.push_back(std::move(pair));
  }
}

// Choices that differ in their number format only are of one kind. Empty where there is one format.
Kinds KindsOf(const LookupTable& table, const Reduced& reduced) {
  Kinds kinds;
  bool several = false;
  for (size_t slot = 0; slot < table.slots.size(); ++slot) {
    std::vector<Choice> blocks;
    for (const size_t i : reduced.rows[slot]) blocks.push_back(table.slots[slot][i].choice);
    blocks = WithPrecision(std::move(blocks), Precision::kFp32);
    auto& of_slot = kinds.emplace_back();
    for (size_t i = 0; i < blocks.size(); ++i) {
      of_slot.push_back(static_cast<int>(std::ranges::find(blocks, blocks[i]) - blocks.begin()));
      several = several || of_slot.back() != static_cast<int>(i);
    }
  }
  return several ? kinds : Kinds();
}

Candidate MakeCandidate(const LookupTable& table, const std::vector<size_t>& rows, const CostCorrection& correction) {
  Candidate candidate;
  candidate.width = table.width;
  Totals totals = FixedTotals(table);
  int64_t quality = 0;
  bool scored = true;
  for (size_t slot = 0; slot < rows.size(); ++slot) {
    const TableRow& row = table.slots[slot][rows[slot]];
    candidate.choices.push_back(row.choice);
    totals.Add(row);
    quality += Quality(row);
    scored = scored && row.quality;
    if (slot == 0) continue;
    const Precision before = candidate.choices[slot - 1].precision;
    totals.latency_ns += BorderNs(table, static_cast<int>(slot), before, row.choice.precision);
  }
  if (scored) candidate.quality = static_cast<double>(quality) * kQualityUnit / static_cast<double>(rows.size());
  candidate.macs = totals.macs;
  candidate.latency_ns = PredictNs(totals.latency_ns, correction);
  candidate.flash_bytes = totals.flash_bytes;
  candidate.ram_bytes = totals.ram_bytes;
  candidate.memory_bytes = totals.memory_bytes;
  return candidate;
}

// The smallest `cost` among rows that may be chosen.
int64_t SmallestOf(const std::vector<TableRow>& rows, int64_t (*cost)(const TableRow&)) {
  return std::ranges::min(rows | std::views::filter(&TableRow::searched) | std::views::transform(cost));
}

// Sum over slots of the smallest `cost`.
int64_t SmallestSum(const LookupTable& table, int64_t (*cost)(const TableRow&)) {
  int64_t sum = 0;
  for (const auto& rows : table.slots) sum += SmallestOf(rows, cost);
  return sum;
}

// With what formats cost at borders.
int64_t SmallestLatencyNs(const LookupTable& table, const CostCorrection& correction) {
  const Budgets any{.latency_ms = 1e300};
  Reduced all = MakeReduced(table, Objective::kLatency, any, SummedBudgets(table, any, correction));
  AddBorders(table, Objective::kLatency, all);
  return SmallestCosts(all.program).front();
}

void FillSmallest(const LookupTable& table, const CostCorrection& correction, SearchResult& result) {
  const Totals fixed = FixedTotals(table);
  int64_t ram_bytes = fixed.ram_bytes;
  for (const auto& rows : table.slots) {
    ram_bytes = std::max(ram_bytes, SmallestOf(rows, RamBytes));
  }
  const int64_t flash = fixed.flash_bytes + SmallestSum(table, [](const TableRow& row) { return row.weight_bytes; });
  const int64_t memory = fixed.memory_bytes + SmallestSum(table, MemoryBytes);
  result.smallest_latency_ms =
      PredictNs(fixed.latency_ns + SmallestLatencyNs(table, correction), correction) / kNsPerMs;
  result.smallest_flash_kib = static_cast<double>(flash) / kBytesPerKib;
  result.smallest_ram_kib = static_cast<double>(ram_bytes) / kBytesPerKib;
  result.smallest_memory_kib = static_cast<double>(memory) / kBytesPerKib;
  result.largest_macs = fixed.macs - SmallestSum(table, [](const TableRow& row) { return -row.macs; });
}

}  // namespace

std::string ObjectiveName(Objective objective) { return objective == Objective::kAccuracy ? "accuracy" : "latency"; }

double QualityOf(const Candidate& candidate) {
  return candidate.quality ? *candidate.quality : static_cast<double>(candidate.macs);
}

bool KeepsBudgets(const Candidate& candidate, double latency_ns, const Budgets& budgets) {
  // A budget that was made from a latency (latency_ratio: 1) has been through milliseconds and back.
  constexpr double kRounding = 1 + 1e-12;
  const auto within = [](int64_t bytes, const std::optional<double>& kib) { return !kib || bytes <= KibToBytes(*kib); };
  return (!budgets.latency_ms || latency_ns <= *budgets.latency_ms * kNsPerMs * kRounding) &&
         within(candidate.flash_bytes, budgets.flash_kib) && within(candidate.ram_bytes, budgets.ram_kib) &&
         within(candidate.memory_bytes, budgets.memory_kib) &&
         (!budgets.min_macs || candidate.macs >= *budgets.min_macs) &&
         (!budgets.min_quality || candidate.quality.value_or(0) >= *budgets.min_quality - kQualityUnit);
}

std::string SmallestText(const SearchResult& result) {
  char text[200];
  std::snprintf(
      text, sizeof text,
      "the smallest that would do, each alone: latency_ms %.3f, flash_kib %.0f, ram_kib %.0f, memory_kib %.0f",
      result.smallest_latency_ms, result.smallest_flash_kib, result.smallest_ram_kib, result.smallest_memory_kib);
  return text;
}

SearchResult AutoSearch(const LookupTable& table, Objective objective, const Budgets& budgets, int k,
                        const Solver& solver, const CostCorrection& correction, int min_distance) {
  CheckInput(table, correction);
  CheckCount(k);
  const std::vector<SummedBudget> summed = SummedBudgets(table, budgets, correction);
  Reduced reduced = MakeReduced(table, objective, budgets, summed);
  SearchResult result;
  SolveResult solved;
  if (reduced.possible) {
    AddBorders(table, objective, reduced);
    solved = min_distance == 0 ? solver.Solve(reduced.program, k)
                               : SolveApart(solver, reduced.program, k, min_distance, KindsOf(table, reduced));
  }
  result.optimal = solved.optimal;
  for (const Solution& solution : solved.solutions) {
    std::vector<size_t> rows;
    for (size_t slot = 0; slot < solution.choices.size(); ++slot) {
      rows.push_back(reduced.rows[slot][static_cast<size_t>(solution.choices[slot])]);
    }
    Candidate candidate = MakeCandidate(table, rows, correction);
    candidate.objective = objective;
    candidate.rank = static_cast<int>(result.candidates.size()) + 1;
    candidate.solver = std::string(solver.name());
    candidate.optimal = solved.optimal;
    candidate.solve_ns = solved.solve_ns;
    result.candidates.push_back(std::move(candidate));
  }
  if (result.candidates.empty()) FillSmallest(table, correction, result);
  return result;
}

Candidate Predict(const LookupTable& table, const std::vector<Choice>& choices, const CostCorrection& correction) {
  CheckInput(table, correction);
  if (choices.size() != table.slots.size()) {
    throw Error(Code::kInvalidArgument, "look-up table",
                "expected " + std::to_string(table.slots.size()) + " choices, got " + std::to_string(choices.size()));
  }
  std::vector<size_t> picked;
  for (size_t slot = 0; slot < choices.size(); ++slot) {
    const auto& rows = table.slots[slot];
    const auto row = std::ranges::find(rows, choices[slot], &TableRow::choice);
    if (row == rows.end()) {
      throw Error(Code::kNotFound, "look-up table",
                  "slot " + std::to_string(slot + 1) + " has no row for " + choices[slot].Name(),
                  "measure it first: hot profile");
    }
    picked.push_back(static_cast<size_t>(row - rows.begin()));
  }
  return MakeCandidate(table, picked, correction);
}

}  // namespace hot
