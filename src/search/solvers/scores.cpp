#include "search/solvers/scores.h"

#include <numeric>

#include "core/error.h"

namespace hot {

std::vector<int> IdentityOrder(const Program& program) {
  std::vector<int> order(program.slots.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Scores::Scores(const Program& program, const std::vector<int>& order, const Weights& weights) {
  HOT_ASSERT(program.pairs.empty() || order == IdentityOrder(program));
  FillItems(program, order, weights);
  FillPairs(program, weights);
  FillSuffixes();
}

void Scores::FillItems(const Program& program, const std::vector<int>& order, const Weights& weights) {
  for (const int slot : order) {
    std::vector<int64_t>& items = item_.emplace_back();
    for (const ProgramChoice& choice : program.slots[At(slot)]) {
      int64_t score = weights.value * choice.value;
      for (size_t b = 0; b < choice.costs.size(); ++b) score += weights.costs[b] * choice.costs[b];
      items.push_back(score);
    }
  }
}

void Scores::FillPairs(const Program& program, const Weights& weights) {
  pair_.resize(item_.size());
  for (const ProgramPair& pair : program.pairs) {
    const int64_t weight = weights.value * pair.value_weight + (pair.budget < 0 ? 0 : weights.costs[At(pair.budget)]);
    std::vector<int64_t>& matrix = pair_[At(pair.slot) + 1];
    const size_t columns = item_[At(pair.slot) + 1].size();
    matrix.resize(item_[At(pair.slot)].size() * columns);
    for (size_t i = 0; i < pair.extra.size(); ++i) {
      for (size_t j = 0; j < columns; ++j) matrix[i * columns + j] += weight * pair.extra[i][j];
    }
  }
}

void Scores::FillSuffixes() {
  suffix_.resize(item_.size());
  suffix_.back() = {0};
  for (int position = positions() - 1; position > 0; --position) {
    const size_t sources = has_pair(position) ? item_[At(position) - 1].size() : 1;
    for (size_t previous = 0; previous < sources; ++previous) {
      const int from = static_cast<int>(previous);
      const int to = BestChoice(position, from);
      suffix_[At(position) - 1].push_back(item(position, to) + pair(position, from, to) + suffix(position, to));
    }
  }
}

int Scores::BestChoice(int position, int previous) const {
  int best = 0;
  int64_t best_score = INT64_MIN;
  for (int choice = 0; choice < static_cast<int>(item_[At(position)].size()); ++choice) {
    const int64_t extra = position == 0 ? 0 : pair(position, previous, choice);
    const int64_t score = item(position, choice) + extra + suffix(position, choice);
    if (score > best_score) {
      best_score = score;
      best = choice;
    }
  }
  return best;
}

int64_t Scores::Best() const {
  const int first = BestChoice(0, 0);
  return item(0, first) + suffix(0, first);
}

std::vector<int> Scores::BestPick(const std::vector<int>& order) const {
  std::vector<int> pick(order.size());
  int previous = 0;
  for (int position = 0; position < positions(); ++position) {
    previous = BestChoice(position, previous);
    pick[At(order[At(position)])] = previous;
  }
  return pick;
}

}  // namespace hot
