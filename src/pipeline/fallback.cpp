#include "pipeline/fallback.h"

#include <algorithm>

namespace hot {
namespace {

class Trials {
 public:
  Trials(const std::vector<std::string>& worst_first, double promised, const ScoreWith& score)
      : worst_first_(worst_first), promised_(promised), score_(score) {}

  // Whether the promise holds with the `count` worst layers in float. What holds is better than what was seen before.
  bool Hold(size_t count) {
    FallBack now;
    now.layers.insert(worst_first_.begin(), worst_first_.begin() + static_cast<std::ptrdiff_t>(count));
    now.score = score_(now.layers);
    now.holds = now.score >= promised_;
    const bool better = count == 0 || now.holds || (!best_.holds && now.score > best_.score);
    if (better) best_ = now;
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

FallBack FindFallBack(const std::vector<std::string>& worst_first, double promised, const ScoreWith& score) {
  Trials trials(worst_first, promised, score);
  if (trials.Hold(0)) return trials.best();
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
