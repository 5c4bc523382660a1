#include "search/solvers/tables.h"

#include <algorithm>

namespace hot {
namespace {

// Slots where a wrong choice costs most come first: their bad branches are cut at the top. Pairs need the natural
// order.
std::vector<int> SearchOrder(const Program& program, const Prices& prices) {
  std::vector<int> order = IdentityOrder(program);
  if (!program.pairs.empty()) return order;
  const Scores scores(program, order, prices.AsWeights());
  std::vector<double> mean_loss(order.size());
  for (const int slot : order) {
    const auto choices = static_cast<int>(program.slots[static_cast<size_t>(slot)].size());
    int64_t highest = INT64_MIN;
    double sum = 0;
    for (int choice = 0; choice < choices; ++choice) {
      highest = std::max(highest, scores.item(slot, choice));
      sum += static_cast<double>(scores.item(slot, choice));
    }
    mean_loss[static_cast<size_t>(slot)] = static_cast<double>(highest) - sum / choices;
  }
  std::ranges::stable_sort(
      order, [&](int a, int b) { return mean_loss[static_cast<size_t>(a)] > mean_loss[static_cast<size_t>(b)]; });
  return order;
}

// What each price is multiplied with, in all combinations. Few budgets: finer.
std::vector<double> Factors(size_t budgets) {
  if (budgets <= 3) return {0.5, 0.8, 1.25, 2.0};
  if (budgets <= 6) return {0.6, 1.6};
  return {};
}

std::vector<Prices> OtherPrices(const Prices& root, const Prices& zero, const Extent& extent) {
  std::vector<Prices> all = {zero};
  const std::vector<double> factors = Factors(root.costs.size());
  if (factors.empty()) return all;
  std::vector<Prices> grid = {zero};
  for (size_t b = 0; b < root.costs.size(); ++b) {
    if (root.costs[b] == 0) continue;
    std::vector<Prices> finer;
    for (const Prices& prices : grid) {
      for (const double factor : factors) {
        Prices& next = finer.emplace_back(prices);
        next.costs[b] =
            std::min(LargestPrice(extent, b), static_cast<int64_t>(static_cast<double>(root.costs[b]) * factor));
        next.constant += next.costs[b] * extent.limits[b];
      }
    }
    grid = std::move(finer);
  }
  if (grid.size() > 1) all.insert(all.end(), grid.begin(), grid.end());
  return all;
}

}  // namespace

Tables MakeTables(const Program& program, std::vector<Solution>& feasible_picks) {
  const Extent extent = MeasureExtent(program);
  const Prices root = FindPrices(program, extent, feasible_picks);
  const Prices zero = ZeroPrices(program, extent);
  const std::vector<int> order = SearchOrder(program, root);
  Tables tables{.program = program,
                .order = order,
                .main = {root, Scores(program, order, root.AsWeights())},
                .plain = Scores(program, order, zero.AsWeights()),
                .others = {},
                .needs = {}};
  for (const Prices& prices : OtherPrices(root, zero, extent)) {
    tables.others.push_back({prices, Scores(program, order, prices.AsWeights())});
  }
  for (size_t b = 0; b < program.budgets.size(); ++b) {
    Weights weights{.value = 0, .costs = std::vector<int64_t>(program.budgets.size())};
    weights.costs[b] = -1;
    tables.needs.emplace_back(program, order, weights);
  }
  return tables;
}

}  // namespace hot
