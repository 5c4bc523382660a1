// Depth-first branch and bound over slots. A node is a choice for the first positions; it is cut when
//   - the smallest costs that the rest needs break a budget, or
//   - a Lagrangian bound (lagrange.h) can't reach the k-th best pick known, or only ties it and comes later in order.
// Choices of a position are visited by falling main bound, so the first one below the threshold ends the position. The
// other bounds differ in their prices only and are asked in the order of their success. On large programs a beam search
// provides k good picks beforehand.
#include "search/solvers/exact.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "search/solvers/beam.h"
#include "search/solvers/k_best.h"
#include "search/solvers/tables.h"

namespace hot {
namespace {

constexpr size_t kBeamWidth = 1024;
constexpr double kBeamFromBits = 36;  // log2 of the number of picks; below, the beam takes longer than the search

size_t At(int index) { return static_cast<size_t>(index); }

class Search {
 public:
  Search(const Tables& tables, int64_t max_nodes, KBest& best)
      : t_(tables),
        max_nodes_(max_nodes),
        best_(best),
        costs_((tables.order.size() + 1) * tables.needs.size()),
        picks_(tables.order.size()),
        ranking_(tables.others.size()) {
    std::iota(ranking_.begin(), ranking_.end(), size_t{0});
    for (int position = 0; position < t_.main.scores.positions(); ++position) SortChildren(position);
    UpdateThreshold();
  }

  // False when the node limit ended it.
  bool Run() {
    Visit(0, 0, t_.main.prices.constant, 0);
    return nodes_ <= max_nodes_;
  }

 private:
  struct Child {
    int choice;
    int64_t gain;   // of the main score, pair included
    int64_t reach;  // gain and the best of the positions behind
    int64_t plain_gain;
  };

  // One list, or with a pair one for each choice before.
  void SortChildren(int position) {
    const Scores& scores = t_.main.scores;
    const int sources = scores.has_pair(position) ? t_.choices(position - 1) : 1;
    auto& lists = children_.emplace_back(At(sources));
    for (int previous = 0; previous < sources; ++previous) {
      std::vector<Child>& list = lists[At(previous)];
      for (int choice = 0; choice < t_.choices(position); ++choice) {
        const int64_t gain = scores.item(position, choice) + scores.pair(position, previous, choice);
        const int64_t plain = t_.plain.item(position, choice) + t_.plain.pair(position, previous, choice);
        list.push_back({choice, gain, gain + scores.suffix(position, choice), plain});
      }
      std::ranges::stable_sort(list, [](const Child& a, const Child& b) { return a.reach > b.reach; });
    }
  }

  void UpdateThreshold() {
    if (!best_.full()) return;
    threshold_ = best_.worst().value * t_.main.prices.scale;
    tie_ = threshold_ + t_.main.prices.scale;
  }

  // `score`, `plain`: main score (constant included) and plain score of the choices before `position`.
  void Visit(int position, int previous, int64_t score, int64_t plain) {
    const auto& lists = children_[At(position)];
    for (const Child& child : lists.size() == 1 ? lists[0] : lists[At(previous)]) {
      if (score + child.reach < threshold_ || ++nodes_ > max_nodes_) return;
      if (!Promising(position, previous, child, score, plain)) continue;
      if (position + 1 == t_.main.scores.positions()) {
        Leaf();
      } else {
        Visit(position + 1, child.choice, score + child.gain, plain + child.plain_gain);
      }
    }
  }

  // Takes the choice; false when nothing below it can be among the k best.
  bool Promising(int position, int previous, const Child& child, int64_t score, int64_t plain) {
    const int64_t* spent = costs_.data() + At(position) * t_.needs.size();
    int64_t* next = costs_.data() + At(position + 1) * t_.needs.size();
    if (!t_.Fits(spent, position, previous, child.choice, next)) return false;
    if (!OthersReach(position, child.choice, plain + child.plain_gain, next)) return false;
    picks_[At(position)] = child.choice;
    return score + child.reach >= tie_ || MayComeFirst(position);
  }

  bool OthersReach(int position, int choice, int64_t plain, const int64_t* spent) {
    for (size_t rank = 0; rank < ranking_.size(); ++rank) {
      const PricedBound& other = t_.others[ranking_[rank]];
      int64_t reach = plain + other.scores.suffix(position, choice) + other.prices.constant;
      for (size_t b = 0; b < t_.needs.size(); ++b) reach -= other.prices.costs[b] * spent[b];
      if (reach >= threshold_) continue;
      if (rank > 0) std::swap(ranking_[rank], ranking_[rank - 1]);
      return false;
    }
    return true;
  }

  // Whether the earliest pick below this node, first choices in all open slots, comes before the k-th best.
  bool MayComeFirst(int position) const {
    std::vector<int> earliest(t_.order.size());
    for (int p = 0; p <= position; ++p) earliest[At(t_.order[At(p)])] = picks_[At(p)];
    return earliest < best_.worst().choices;
  }

  void Leaf() {
    std::vector<int> choices(t_.order.size());
    for (size_t p = 0; p < picks_.size(); ++p) choices[At(t_.order[p])] = picks_[p];
    best_.Offer(EvaluatePick(t_.program, choices));
    UpdateThreshold();
  }

  const Tables& t_;
  const int64_t max_nodes_;
  KBest& best_;
  std::vector<std::vector<std::vector<Child>>> children_;  // by position, by previous choice
  std::vector<int64_t> costs_;                             // spent before each position, by budget
  std::vector<int> picks_;                                 // by position
  std::vector<size_t> ranking_;                            // of tables.others
  int64_t threshold_ = INT64_MIN, tie_ = INT64_MIN;  // value x scale of the k-th best, and of the next value above
  int64_t nodes_ = 0;
};

bool EachBudgetCanBeKept(const Program& program) {
  const std::vector<int64_t> smallest = SmallestCosts(program);
  for (size_t b = 0; b < smallest.size(); ++b) {
    if (smallest[b] > program.budgets[b].limit) return false;
  }
  return true;
}

double PickBits(const Program& program) {
  double bits = 0;
  for (const auto& slot : program.slots) bits += std::log2(static_cast<double>(slot.size()));
  return bits;
}

class ExactSolver : public Solver {
 public:
  explicit ExactSolver(const ExactOptions& options) : options_(options) {}
  std::string_view name() const override { return "exact"; }

  SolveResult Solve(const Program& program, int k) const override {
    const auto start = std::chrono::steady_clock::now();
    CheckCount(k);
    SolveResult result;
    if (EachBudgetCanBeKept(program)) {
      KBest best(static_cast<size_t>(k));
      result.optimal = Find(program, best);
      result.solutions = best.Sorted();
    }
    for (const Solution& solution : result.solutions) HOT_ASSERT(Feasible(program, solution));
    const auto elapsed = std::chrono::steady_clock::now() - start;
    result.solve_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
    return result;
  }

 private:
  bool Find(const Program& program, KBest& best) const {
    std::vector<Solution> feasible_picks;
    const Tables tables = MakeTables(program, feasible_picks);
    for (Solution& pick : feasible_picks) best.Offer(std::move(pick));
    if (PickBits(program) > kBeamFromBits) BeamSearch(tables, kBeamWidth, best);
    return Search(tables, options_.max_nodes, best).Run();
  }

  ExactOptions options_;
};

}  // namespace

std::unique_ptr<Solver> MakeExactSolver(const ExactOptions& options) { return std::make_unique<ExactSolver>(options); }

}  // namespace hot
