#include "search/relaxation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "core/error.h"
#include "core/text.h"

namespace hot {
namespace {

constexpr double kBytesPerKib = 1024;
constexpr double kNsPerMs = 1e6;

struct BudgetField {
  const char* name;
  std::optional<double> Budgets::*limit;
  double (*used)(const Candidate&);
  double (*of_row)(const TableRow&);  // in the unit of `used`
  bool is_sum;                        // else a maximum over rows
};

constexpr auto kFields = std::to_array<BudgetField>({
    {"latency_ms", &Budgets::latency_ms, [](const Candidate& c) { return c.latency_ns / kNsPerMs; },
     [](const TableRow& row) { return row.latency_ns / kNsPerMs; }, true},
    {"flash_kib", &Budgets::flash_kib,
     [](const Candidate& c) { return static_cast<double>(c.flash_bytes) / kBytesPerKib; },
     [](const TableRow& row) { return static_cast<double>(row.weight_bytes) / kBytesPerKib; }, true},
    {"ram_kib", &Budgets::ram_kib, [](const Candidate& c) { return static_cast<double>(c.ram_bytes) / kBytesPerKib; },
     [](const TableRow& row) { return static_cast<double>(row.peak_bytes + row.carried_bytes) / kBytesPerKib; }, false},
    {"memory_kib", &Budgets::memory_kib,
     [](const Candidate& c) { return static_cast<double>(c.memory_bytes) / kBytesPerKib; },
     [](const TableRow& row) { return static_cast<double>(row.weight_bytes + row.peak_bytes) / kBytesPerKib; }, true},
});

using Fields = std::vector<const BudgetField*>;

Fields FieldsOf(const Budgets& budgets) {
  Fields fields;
  for (const BudgetField& field : kFields) {
    if (budgets.*field.limit) fields.push_back(&field);
  }
  return fields;
}

struct Smallest {
  double factor;
  Candidate network;
};

class Search {
 public:
  Search(const LookupTable& table, const Budgets& budgets, const Solver& solver, const CostCorrection& correction)
      : table_(table), budgets_(budgets), solver_(solver), correction_(correction) {}

  // The smallest factor on the budgets of `relaxed` with which some network keeps them and the others as they are.
  // Every network found says how small the factor may be at least; halving the rest ends where nothing is below it.
  std::optional<Smallest> Find(const Fields& relaxed) {
    Budgets unlimited = budgets_;
    for (const BudgetField* field : relaxed) unlimited.*field->limit = std::nullopt;
    std::optional<Candidate> network = Fastest(unlimited);
    if (!network) return std::nullopt;
    if (relaxed.empty() || FactorOf(*network, relaxed) <= 0) return Smallest{0, std::move(*network)};
    Smallest best{FactorOf(*network, relaxed), std::move(*network)};
    double too_small = 0;
    for (;;) {
      const bool last = best.factor - too_small < kNear * best.factor;
      const double probe = last ? best.factor * (1 - kExact) : std::midpoint(too_small, best.factor);
      network = Fastest(Scaled(relaxed, probe));
      if (network) {
        best = {std::min(FactorOf(*network, relaxed), probe), std::move(*network)};
      } else if (last) {
        return best;
      } else {
        too_small = probe;
      }
    }
  }

  // Whether the solver was sure of all that it could not find.
  bool proven() const { return proven_; }

  // Most MACs within the budgets, min_macs ignored.
  std::optional<int64_t> MostMacs() {
    Budgets budgets = budgets_;
    budgets.min_macs.reset();
    const SearchResult found = AutoSearch(table_, Objective::kAccuracy, budgets, 1, solver_, correction_);
    proven_ = proven_ && found.optimal;
    return found.candidates.empty() ? std::nullopt : std::optional(found.candidates.front().macs);
  }

 private:
  // Latencies are whole nanoseconds a row and sizes whole bytes: two factors that differ, differ by more.
  static constexpr double kExact = 1e-12, kNear = 1e-6;

  std::optional<Candidate> Fastest(const Budgets& budgets) {
    SearchResult found = AutoSearch(table_, Objective::kLatency, budgets, 1, solver_, correction_);
    if (found.candidates.empty()) {
      proven_ = proven_ && found.optimal;
      return std::nullopt;
    }
    return std::move(found.candidates.front());
  }

  Budgets Scaled(const Fields& fields, double factor) const {
    Budgets budgets = budgets_;
    for (const BudgetField* field : fields) *(budgets.*field->limit) *= factor;
    return budgets;
  }

  double FactorOf(const Candidate& network, const Fields& fields) const {
    double factor = 0;
    for (const BudgetField* field : fields) factor = std::max(factor, field->used(network) / *(budgets_.*field->limit));
    return factor;
  }

  const LookupTable& table_;
  const Budgets& budgets_;
  const Solver& solver_;
  const CostCorrection& correction_;
  bool proven_ = true;
};

std::vector<const TableRow*> RowsOf(const LookupTable& table, const Candidate& network) {
  std::vector<const TableRow*> rows;
  for (size_t slot = 0; slot < table.slots.size(); ++slot) {
    const auto row = std::ranges::find(table.slots[slot], network.choices[slot], &TableRow::choice);
    HOT_ASSERT(row != table.slots[slot].end());
    rows.push_back(&*row);
  }
  for (const TableRow& row : table.fixed) rows.push_back(&row);
  return rows;
}

LargestShare LargestOf(const LookupTable& table, const Candidate& network, const BudgetField& field) {
  const std::vector<const TableRow*> rows = RowsOf(table, network);
  const TableRow* largest =
      *std::ranges::max_element(rows, {}, [&](const TableRow* row) { return field.of_row(*row); });
  double sum = 0;
  for (const TableRow* row : rows) sum += field.of_row(*row);
  return {.part = largest->part,
          .choice = largest->part.starts_with("slot") ? largest->choice.Name() : "",
          .share = field.is_sum && sum > 0 ? field.of_row(*largest) / sum : 1};
}

std::string Text(double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f", number);
  return text;
}
std::string RoundedUp(double number) { return Text(std::ceil(number * 1000 - 1e-9) / 1000); }

std::string LargestText(const BudgetRelaxation& one) {
  std::string text = one.largest.part;
  if (!one.largest.choice.empty()) text += " (" + one.largest.choice + ")";
  text += " takes the most of " + one.budget;
  if (one.largest.share < 1) text += ", " + std::to_string(std::lround(100 * one.largest.share)) + " %";
  return text;
}

}  // namespace

std::optional<Relaxation> SmallestRelaxation(const LookupTable& table, const Budgets& budgets, const Solver& solver,
                                             const CostCorrection& correction) {
  const Fields fields = FieldsOf(budgets);
  Search search(table, budgets, solver, correction);
  const std::optional<Smallest> together = search.Find(fields);
  if (!together) return std::nullopt;
  Relaxation relaxation{.factor = together->factor};
  if (budgets.min_macs) relaxation.most_macs = search.MostMacs();
  for (const BudgetField* field : fields) {
    BudgetRelaxation& one = relaxation.budgets.emplace_back();
    one.budget = field->name;
    one.limit = *(budgets.*field->limit);
    if (const auto alone = search.Find({field})) one.alone = alone->factor * one.limit;
    one.used = field->used(together->network);
    one.largest = LargestOf(table, together->network, *field);
  }
  relaxation.optimal = search.proven();
  return relaxation;
}

std::string RelaxationText(const Relaxation& relaxation, int passes) {
  std::vector<std::string> alone;
  std::string takes;
  for (const BudgetRelaxation& one : relaxation.budgets) {
    const double unit = one.budget == "latency_ms" ? passes : 1;
    if (one.alone) alone.push_back(one.budget + " " + RoundedUp(*one.alone * unit));
    if (one.used > one.limit) takes += "; " + LargestText(one);
  }
  if (relaxation.most_macs) {
    alone.push_back("quality_min " + Text(std::floor(static_cast<double>(*relaxation.most_macs) / 1e3) / 1e3));
  }
  if (relaxation.budgets.size() == 1) {
    return JoinNames(alone) + (alone.size() > 1 ? ": either" : "") + " would do" + takes;
  }
  return "all budgets times " + RoundedUp(relaxation.factor) + " would do, " +
         (alone.empty() ? "none of them alone" : "or one alone: " + JoinNames(alone)) + takes;
}

}  // namespace hot
