#include "pipeline/fallback.h"

#include <algorithm>
#include <utility>

namespace hot {
namespace {

class Trials {
 public:
  Trials(const std::vector<std::string>& worst_first, double promised, const ScoreWith& score, FallBack none)
      : worst_first_(worst_first), promised_(promised), score_(score), best_(std::move(none)) {}

  // Whether the promise holds with the `count` worst layers in float. What holds is better than what was seen before.
  bool Hold(size_t count) {
    FallBack now;
    now.layers.insert(worst_first_.begin(), worst_first_.begin() + static_cast<std::ptrdiff_t>(count));
    now.score = score_(now.layers);
    now.holds = now.score >= promised_;
    if (now.holds || (!best_.holds && now.score > best_.score)) best_ = now;
    return now.holds;
  }

  const FallBack& best() const { return best_; }

 private:
  const std::vector<std::string>& worst_first_;
  const double promised_;
  const ScoreWith& score_;
  FallBack best_;
};

}  // namespace

FallBack FindFallBack(const RankLayers& rank, double promised, const ScoreWith& score) {
  FallBack none{.layers = {}, .score = score({})};
  none.holds = none.score >= promised;
  if (none.holds) return none;
  const std::vector<std::string> worst_first = rank();
  Trials trials(worst_first, promised, score, std::move(none));
  size_t too_few = 0, enough = std::min<size_t>(1, worst_first.size());
  while (enough > too_few && !trials.Hold(enough)) {
    too_few = enough;
    enough = std::min(2 * enough, worst_first.size());
  }
  while (enough > too_few + 1) {
    const size_t middle = too_few + (enough - too_few) / 2;
    (trials.Hold(middle) ? enough : too_few) = middle;
  }
  return trials.best();
}

}  // namespace hot
