#include "search/program.h"

#include <algorithm>

#include "core/error.h"

namespace hot {
namespace {

// Sums of that many numbers of this size stay far from the end of 64 bits, also with a bound's fixed-point factor.
constexpr int64_t kLargestTotal = int64_t{1} << 56;

[[noreturn]] void Refuse(const std::string& what) { throw Error(Code::kInvalidArgument, "integer program", what); }

// Magnitude, with the one number that has no positive counterpart mapped to the largest.
int64_t Magnitude(int64_t number) { return number < 0 ? (number == INT64_MIN ? INT64_MAX : -number) : number; }

// Adds magnitudes and refuses totals that could overflow.
class Total {
 public:
  void Add(int64_t largest) {
    if (largest > kLargestTotal || total_ > kLargestTotal - largest)
      Refuse("numbers are too large to be added exactly");
    total_ += largest;
  }

 private:
  int64_t total_ = 0;
};

void CheckSlot(const Program& program, size_t slot) {
  const std::string name = "slot " + std::to_string(slot + 1);
  if (program.slots[slot].empty()) Refuse(name + " has no choice");
  for (const ProgramChoice& choice : program.slots[slot]) {
    if (choice.costs.size() == program.budgets.size()) continue;
    Refuse(name + ", choice " + choice.name + ": has " + std::to_string(choice.costs.size()) + " costs for " +
           std::to_string(program.budgets.size()) + " budgets");
  }
}

void CheckPair(const Program& program, const ProgramPair& pair) {
  if (pair.slot < 0 || pair.slot + 1 >= static_cast<int>(program.slots.size()))
    Refuse("a pair's slot has no neighbour");
  if (pair.budget < -1 || pair.budget >= static_cast<int>(program.budgets.size()))
    Refuse("a pair's budget doesn't exist");
  const auto slot = static_cast<size_t>(pair.slot);
  const bool rows_fit = pair.extra.size() == program.slots[slot].size();
  const bool columns_fit =
      std::ranges::all_of(pair.extra, [&](const auto& row) { return row.size() == program.slots[slot + 1].size(); });
  if (!rows_fit || !columns_fit) Refuse("a pair's matrix doesn't fit the choices of its two slots");
}

void AddPairMagnitude(const ProgramPair& pair, Total& values, Total& costs) {
  int64_t largest = 0;
  for (const auto& row : pair.extra) {
    for (const int64_t extra : row) largest = std::max(largest, Magnitude(extra));
  }
  costs.Add(largest);
  int64_t weighted = 0;
  if (__builtin_mul_overflow(Magnitude(pair.value_weight), largest, &weighted)) weighted = INT64_MAX;
  values.Add(weighted);
}

void CheckMagnitudes(const Program& program) {
  Total values;
  std::vector<Total> costs(program.budgets.size() + 1);  // the last for pairs without a budget
  for (const auto& slot : program.slots) {
    int64_t largest_value = 0;
    std::vector<int64_t> largest_costs(program.budgets.size());
    for (const ProgramChoice& choice : slot) {
      largest_value = std::max(largest_value, Magnitude(choice.value));
      for (size_t b = 0; b < choice.costs.size(); ++b) {
        largest_costs[b] = std::max(largest_costs[b], Magnitude(choice.costs[b]));
      }
    }
    values.Add(largest_value);
    for (size_t b = 0; b < largest_costs.size(); ++b) costs[b].Add(largest_costs[b]);
  }
  for (const ProgramPair& pair : program.pairs) {
    AddPairMagnitude(pair, values, pair.budget < 0 ? costs.back() : costs[static_cast<size_t>(pair.budget)]);
  }
}

}  // namespace

Solution EvaluatePick(const Program& program, const std::vector<int>& choices) {
  HOT_ASSERT(choices.size() == program.slots.size());
  Solution solution{.choices = choices, .value = 0, .costs = std::vector<int64_t>(program.budgets.size())};
  for (size_t slot = 0; slot < choices.size(); ++slot) {
    const ProgramChoice& choice = program.slots[slot].at(static_cast<size_t>(choices[slot]));
    solution.value += choice.value;
    for (size_t b = 0; b < solution.costs.size(); ++b) solution.costs[b] += choice.costs[b];
  }
  for (const ProgramPair& pair : program.pairs) {
    const auto slot = static_cast<size_t>(pair.slot);
    const int64_t extra = pair.extra[static_cast<size_t>(choices[slot])][static_cast<size_t>(choices[slot + 1])];
    solution.value += pair.value_weight * extra;
    if (pair.budget >= 0) solution.costs[static_cast<size_t>(pair.budget)] += extra;
  }
  return solution;
}

bool Feasible(const Program& program, const Solution& solution) {
  for (size_t b = 0; b < program.budgets.size(); ++b) {
    if (solution.costs[b] > program.budgets[b].limit) return false;
  }
  return true;
}

void CheckProgram(const Program& program) {
  if (program.slots.empty()) Refuse("there are no slots");
  for (size_t slot = 0; slot < program.slots.size(); ++slot) CheckSlot(program, slot);
  for (const ProgramPair& pair : program.pairs) CheckPair(program, pair);
  CheckMagnitudes(program);
}

}  // namespace hot
