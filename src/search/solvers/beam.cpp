#include "search/solvers/beam.h"

#include <algorithm>
#include <tuple>

namespace hot {
namespace {

struct Prefix {
  int64_t reach;  // Lagrangian bound, without the constant
  int64_t score;
  int parent;  // in the layer before
  int choice;
};

struct Layer {
  std::vector<Prefix> prefixes;
  std::vector<int64_t> costs;  // by prefix, by budget
};

class Beam {
 public:
  Beam(const Tables& tables, size_t width) : t_(tables), width_(width), budgets_(tables.needs.size()), next_(budgets_) {
    layers_.push_back({.prefixes = {{0, 0, 0, 0}}, .costs = std::vector<int64_t>(budgets_)});
  }

  void Run(KBest& best) {
    for (int position = 0; position < t_.main.scores.positions(); ++position) Advance(position);
    for (size_t last = 0; last < layers_.back().prefixes.size(); ++last) best.Offer(PickOf(last));
  }

 private:
  void Advance(int position) {
    std::vector<Prefix> open;
    const Layer& from = layers_.back();
    for (size_t parent = 0; parent < from.prefixes.size(); ++parent) {
      const Prefix& prefix = from.prefixes[parent];
      for (int choice = 0; choice < t_.choices(position); ++choice) {
        if (!t_.Fits(from.costs.data() + parent * budgets_, position, prefix.choice, choice, next_.data())) continue;
        const int64_t score =
            prefix.score + t_.main.scores.item(position, choice) + t_.main.scores.pair(position, prefix.choice, choice);
        open.push_back({score + t_.main.scores.suffix(position, choice), score, static_cast<int>(parent), choice});
      }
    }
    Keep(position, std::move(open));
  }

  // Highest bounds first; equal ones in order of parent and choice, so that the result is the same everywhere.
  void Keep(int position, std::vector<Prefix> open) {
    const auto higher = [](const Prefix& a, const Prefix& b) {
      return std::tuple(-a.reach, a.parent, a.choice) < std::tuple(-b.reach, b.parent, b.choice);
    };
    const bool last = position + 1 == t_.main.scores.positions();
    if (!last && open.size() > width_) {
      std::nth_element(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(width_), open.end(), higher);
      open.resize(width_);
    }
    Layer to{.prefixes = std::move(open), .costs = {}};
    for (const Prefix& prefix : to.prefixes) {
      const auto parent = static_cast<size_t>(prefix.parent);
      const int previous = layers_.back().prefixes[parent].choice;
      t_.Fits(layers_.back().costs.data() + parent * budgets_, position, previous, prefix.choice, next_.data());
      to.costs.insert(to.costs.end(), next_.begin(), next_.end());
    }
    layers_.push_back(std::move(to));
  }

  Solution PickOf(size_t prefix) const {
    std::vector<int> choices(t_.order.size());
    for (size_t layer = layers_.size() - 1; layer > 0; --layer) {
      const Prefix& at = layers_[layer].prefixes[prefix];
      choices[static_cast<size_t>(t_.order[layer - 1])] = at.choice;
      prefix = static_cast<size_t>(at.parent);
    }
    return EvaluatePick(t_.program, choices);
  }

  const Tables& t_;
  size_t width_, budgets_;
  std::vector<int64_t> next_;
  std::vector<Layer> layers_;  // layers_[p]: prefixes of p choices
};

}  // namespace

void BeamSearch(const Tables& tables, size_t width, KBest& best) { Beam(tables, width).Run(best); }

}  // namespace hot
