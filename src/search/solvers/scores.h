// A program seen as a chain of positions (slots in some order), each choice with one score: a weighted sum of its value
// and costs. suffix() tells the best that the positions behind a choice can still add: the bounds of the exact solver,
// and the smallest possible costs. Exact in integers; pairs need the natural order. Values.
#pragma once

#include <cstdint>
#include <vector>

#include "search/program.h"

namespace hot {

struct Weights {
  int64_t value = 0;
  std::vector<int64_t> costs;  // one a budget
};

// slots[position] for a program without a better order.
std::vector<int> IdentityOrder(const Program& program);

class Scores {
 public:
  Scores(const Program& program, const std::vector<int>& order, const Weights& weights);

  int positions() const { return static_cast<int>(item_.size()); }
  int64_t item(int position, int choice) const { return item_[At(position)][At(choice)]; }
  // Extra between `previous` at position-1 and `choice` at position; 0 when there is no pair.
  int64_t pair(int position, int previous, int choice) const {
    const std::vector<int64_t>& matrix = pair_[At(position)];
    return matrix.empty() ? 0 : matrix[At(previous) * item_[At(position)].size() + At(choice)];
  }
  bool has_pair(int position) const { return !pair_[At(position)].empty(); }
  // The largest sum of items and pairs behind `choice` at `position`.
  int64_t suffix(int position, int choice) const {
    const std::vector<int64_t>& suffix = suffix_[At(position)];
    return suffix.size() == 1 ? suffix[0] : suffix[At(choice)];
  }
  int64_t Best() const;
  // A pick (one choice a slot, in the program's order) that reaches Best().
  std::vector<int> BestPick(const std::vector<int>& order) const;

 private:
  static size_t At(int index) { return static_cast<size_t>(index); }
  void FillItems(const Program& program, const std::vector<int>& order, const Weights& weights);
  void FillPairs(const Program& program, const Weights& weights);
  void FillSuffixes();
  // Best choice at `position` given the one before it (ignored at position 0).
  int BestChoice(int position, int previous) const;

  std::vector<std::vector<int64_t>> item_;
  std::vector<std::vector<int64_t>> pair_;
  std::vector<std::vector<int64_t>> suffix_;  // one element when it doesn't depend on the choice
};

}  // namespace hot
