// The k best distinct solutions seen so far, in the order that SolveResult promises. Values.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "search/program.h"

namespace hot {

// Falling value, then choices in lexicographic order.
struct BetterSolution {
  bool operator()(const Solution& a, const Solution& b) const {
    return a.value != b.value ? a.value > b.value : a.choices < b.choices;
  }
};

class KBest {
 public:
  explicit KBest(size_t k) : k_(k) {}
  bool full() const { return solutions_.size() == k_; }
  // Only when there is one.
  const Solution& worst() const { return *solutions_.rbegin(); }
  // Keeps it when it is among the k best; the same pick is kept once.
  void Offer(Solution solution) {
    solutions_.insert(std::move(solution));
    if (solutions_.size() > k_) solutions_.erase(std::prev(solutions_.end()));
  }
  std::vector<Solution> Sorted() const { return {solutions_.begin(), solutions_.end()}; }

 private:
  size_t k_;
  std::set<Solution, BetterSolution> solutions_;
};

}  // namespace hot
