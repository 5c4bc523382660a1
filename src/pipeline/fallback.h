// Which layers of an integer network compute in float after all: as few of the worst as keep a promise about its score.
// Called by the quantize stage; pure but for the scores it asks for.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace hot {

struct FallBack {
  std::set<std::string> layers;
  double score = 0;
  bool holds = false;  // the score is at least the promised one
};

// Score on the validation pictures with these layers in float.
using ScoreWith = std::function<double(const std::set<std::string>& float_layers)>;
using RankLayers = std::function<std::vector<std::string>()>;

// `rank` gives all integer layers by what they cost, the worst first; it is called only when the network does not keep
// the promise as it is. Doubles the number of float layers until the score is at least
// `promised`, then halves the gap to the last number that was too small. Scores are noisy, so that the number is the
// least up to their noise. When not even all layers in float keep the promise: the best that was seen.
FallBack FindFallBack(const RankLayers& rank, double promised, const ScoreWith& score);

}  // namespace hot
