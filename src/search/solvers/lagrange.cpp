#include "search/solvers/lagrange.h"

#include <algorithm>
#include <cmath>

namespace hot {
namespace {

constexpr int64_t kRoom = int64_t{1} << 57;  // value part and price part of any sum stay below this
constexpr int64_t kFinestScale = int64_t{1} << 20;
constexpr int kSteps = 300;
constexpr int kPatience = 8;  // steps without a better bound before the level falls

int64_t LargestItem(const std::vector<ProgramChoice>& slot, const auto& of) {
  int64_t largest = 0;
  for (const ProgramChoice& choice : slot) largest = std::max(largest, std::abs(of(choice)));
  return largest;
}

int64_t LargestExtra(const ProgramPair& pair) {
  int64_t largest = 0;
  for (const auto& row : pair.extra) {
    for (const int64_t extra : row) largest = std::max(largest, std::abs(extra));
  }
  return largest;
}

// One subgradient search; coordinates are prices in units of value extent / cost extent.
class PriceSearch {
 public:
  PriceSearch(const Program& program, const Extent& extent)
      : program_(program), extent_(extent), order_(IdentityOrder(program)), position_(extent.costs.size()) {}

  Prices Run(std::vector<Solution>& picks) {
    Prices best = Round();
    double best_bound = Evaluate(best, picks);
    double level =
        0.1 * std::max(std::abs(best_bound), 1e-9);  // how far below the best bound the optimum is thought to be
    std::vector<double> best_position = position_;
    int idle = 0;
    for (int step = 0; step < kSteps && Step(bound_ - (best_bound - level)); ++step) {
      const Prices prices = Round();
      idle = Evaluate(prices, picks) < best_bound - 0.05 * level ? 0 : idle + 1;
      if (bound_ < best_bound) {
        best_bound = bound_;
        best = prices;
        best_position = position_;
      }
      if (idle < kPatience) continue;
      idle = 0;
      level *= 0.5;
      position_ = best_position;
      Evaluate(best, picks);
    }
    return best;
  }

 private:
  // Against the subgradient by `gap` / its squared length; false at the optimum.
  bool Step(double gap) {
    double length = 0;
    for (size_t b = 0; b < slack_.size(); ++b) {
      if (position_[b] > 0 || slack_[b] < 0) length += slack_[b] * slack_[b];
    }
    if (length == 0) return false;
    for (size_t b = 0; b < slack_.size(); ++b) position_[b] = std::max(0.0, position_[b] - gap / length * slack_[b]);
    return true;
  }

  Prices Round() const {
    Prices prices = ZeroPrices(program_, extent_);
    for (size_t b = 0; b < position_.size(); ++b) {
      const double unit = static_cast<double>(extent_.value) / static_cast<double>(extent_.costs[b]);
      const auto largest = static_cast<double>(LargestPrice(extent_, b));
      prices.costs[b] = std::llround(std::min(largest, position_[b] * unit * static_cast<double>(prices.scale)));
      prices.constant += prices.costs[b] * extent_.limits[b];
    }
    return prices;
  }

  // Relaxed optimum over the value extent; sets bound_ and slack_.
  double Evaluate(const Prices& prices, std::vector<Solution>& picks) {
    const Scores scores(program_, order_, prices.AsWeights());
    Solution relaxed = EvaluatePick(program_, scores.BestPick(order_));
    slack_.resize(position_.size());
    for (size_t b = 0; b < slack_.size(); ++b) {
      slack_[b] = static_cast<double>(extent_.limits[b] - relaxed.costs[b]) / static_cast<double>(extent_.costs[b]);
    }
    bound_ = static_cast<double>(scores.Best() + prices.constant) / static_cast<double>(prices.scale) /
             static_cast<double>(extent_.value);
    if (Feasible(program_, relaxed)) picks.push_back(std::move(relaxed));
    return bound_;
  }

  const Program& program_;
  const Extent& extent_;
  std::vector<int> order_;
  std::vector<double> position_, slack_;
  double bound_ = 0;
};

}  // namespace

Extent MeasureExtent(const Program& program) {
  const size_t budgets = program.budgets.size();
  Extent extent{.value = 1, .costs = std::vector<int64_t>(budgets, 1), .limits = {}};
  for (const auto& slot : program.slots) {
    extent.value += LargestItem(slot, [](const ProgramChoice& choice) { return choice.value; });
    for (size_t b = 0; b < budgets; ++b) {
      extent.costs[b] += LargestItem(slot, [b](const ProgramChoice& choice) { return choice.costs[b]; });
    }
  }
  for (const ProgramPair& pair : program.pairs) {
    const int64_t largest = LargestExtra(pair);
    extent.value += std::abs(pair.value_weight) * largest;
    if (pair.budget >= 0) extent.costs[static_cast<size_t>(pair.budget)] += largest;
  }
  for (size_t b = 0; b < budgets; ++b) {
    extent.limits.push_back(std::clamp(program.budgets[b].limit, -extent.costs[b], extent.costs[b]));
  }
  return extent;
}

int64_t LargestPrice(const Extent& extent, size_t b) {
  return kRoom / extent.costs[b] / static_cast<int64_t>(extent.costs.size());
}

Weights Prices::AsWeights() const {
  Weights weights{.value = scale, .costs = costs};
  for (int64_t& weight : weights.costs) weight = -weight;
  return weights;
}

Prices ZeroPrices(const Program& program, const Extent& extent) {
  const int64_t scale = std::clamp<int64_t>(kRoom / extent.value, 1, kFinestScale);
  return {.scale = scale, .costs = std::vector<int64_t>(program.budgets.size()), .constant = 0};
}

Prices FindPrices(const Program& program, const Extent& extent, std::vector<Solution>& feasible_picks) {
  return PriceSearch(program, extent).Run(feasible_picks);
}

}  // namespace hot
