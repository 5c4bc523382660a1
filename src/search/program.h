// The integer program of AutoSearch: exactly one choice a slot, additive costs, budgets (source paper, equations 1-4;
// "exactly one" instead of the paper's "at most one", which would admit the empty network). All numbers are integers,
// so that a solution can be verified without tolerance. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hot {

struct ProgramChoice {
  std::string name;
  int64_t value = 0;           // maximised: MACs, or minus latency
  std::vector<int64_t> costs;  // one a budget, in the budget's unit
};

struct ProgramBudget {
  std::string name;   // "latency_ns", "flash_bytes", "memory_bytes"
  int64_t limit = 0;  // on the sum over slots (what lies outside the slots is already taken off)
};

// Optional extra cost between neighbouring slots: extra[i][j] is added to budget `budget` (and `value_weight` times it
// to the value) when slot `slot` has choice i and slot `slot`+1 has choice j.
struct ProgramPair {
  int slot = 0;
  int budget = 0;  // index into budgets, or -1: value only
  int64_t value_weight = 0;
  std::vector<std::vector<int64_t>> extra;
};

struct Program {
  std::vector<std::vector<ProgramChoice>> slots;
  std::vector<ProgramBudget> budgets;
  std::vector<ProgramPair> pairs;
};

struct Solution {
  std::vector<int> choices;  // index into each slot's choices
  int64_t value = 0;
  std::vector<int64_t> costs;  // one a budget
};

// Value and costs of a pick, recomputed in integers. `choices` must have one index a slot.
Solution EvaluatePick(const Program& program, const std::vector<int>& choices);
bool Feasible(const Program& program, const Solution& solution);

// Throws Error(kInvalidArgument): no slots, an empty slot, cost or matrix sizes that don't fit.
void CheckProgram(const Program& program);

}  // namespace hot
