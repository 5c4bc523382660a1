// A sampler says which point of a hyper-parameter space to try next. Stateless: all that it goes by is in the request,
// so that a search taken up again from its journal gets the points it would have got. To add one: a file in samplers/,
// its row in MakeSampler() and in sampler_contract_test.cpp. Thread rule: one thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tune/space.h"

namespace hot {

struct Observation {
  HyperPoint point;
  double value = 0;  // higher is better
};

struct SampleRequest {
  std::span<const HyperParameter> space;
  uint64_t seed = 0;                  // of everything random in this answer
  std::vector<HyperPoint> tried;      // the network's points so far; an answer is none of these
  std::vector<Observation> finished;  // what can be learnt from, in the order of the trials
  std::vector<HyperPoint> running;    // without a result yet
};

class Sampler {
 public:
  virtual ~Sampler() = default;
  virtual std::string_view name() const = 0;
  // Throws Error(kOutOfRange) when every point was tried.
  virtual HyperPoint Suggest(const SampleRequest& request) = 0;
};

// "grid" (lists only), "random", and through Optuna in the Python worker "tpe" and "botorch". Throws
// Error(kInvalidArgument) on other names, kUnavailable when what it needs is not installed.
std::unique_ptr<Sampler> MakeSampler(std::string_view name);

// The first of several draws that is not in request.tried; in a space of choices, after some draws, the first point
// that is left. Throws Error(kOutOfRange) when none is.
HyperPoint UntriedRandomPoint(const SampleRequest& request);
bool IsTried(const SampleRequest& request, const HyperPoint& point);

// One trial as the history of a search knows it: score at each rung that it has reached.
struct RungScores {
  size_t network = 0;
  HyperPoint point;
  std::vector<double> scores;  // by rung, lowest first; empty: none yet
};

// What a sampler may learn from trials of several networks (Yogatama and Mann, "Efficient transfer learning method for
// automatic hyperparameter tuning", AISTATS 2014, section 3): scores are standardized a network, so that they tell of
// hyper-parameters and not of networks. All are taken at one rung: the highest that at least `dimensions` + 3 trials
// have reached (Falkner et al., "BOHB", ICML 2018, section 3.2), or the lowest when none has so many.
std::vector<Observation> PooledObservations(std::span<const RungScores> trials, size_t dimensions);

}  // namespace hot
