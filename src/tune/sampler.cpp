#include "tune/sampler.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "tune/samplers/grid.h"
#include "tune/samplers/optuna.h"
#include "tune/samplers/random.h"

namespace hot {
namespace {

size_t RungToLearnFrom(std::span<const RungScores> trials, size_t dimensions) {
  size_t best = 0;
  for (size_t rung = 1;; ++rung) {
    const auto reached =
        std::ranges::count_if(trials, [rung](const RungScores& trial) { return trial.scores.size() > rung; });
    if (static_cast<size_t>(reached) < dimensions + 3) return best;
    best = rung;
  }
}

struct Moments {
  double mean = 0, deviation = 0;
};

Moments MomentsOf(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) moments.mean += value / static_cast<double>(values.size());
  double variance = 0;
  for (const double value : values) variance += std::pow(value - moments.mean, 2) / static_cast<double>(values.size());
  moments.deviation = std::sqrt(variance);
  return moments;
}

}  // namespace

bool IsTried(const SampleRequest& request, const HyperPoint& point) {
  return std::ranges::find(request.tried, point) != request.tried.end();
}

HyperPoint UntriedRandomPoint(const SampleRequest& request) {
  constexpr int kDraws = 64;
  Rng rng(request.seed);
  for (int draw = 0; draw < kDraws; ++draw) {
    HyperPoint point = RandomPoint(request.space, rng);
    if (!IsTried(request, point)) return point;
  }
  const size_t count = PointCount(request.space).value_or(0);
  for (size_t index = 0; index < count; ++index) {
    HyperPoint point = PointAt(request.space, index);
    if (!IsTried(request, point)) return point;
  }
  throw Error(Code::kOutOfRange, "train.hpo", "every combination was tried");
}

std::vector<Observation> PooledObservations(std::span<const RungScores> trials, size_t dimensions) {
  const size_t rung = RungToLearnFrom(trials, dimensions);
  std::map<size_t, std::vector<double>> by_network;
  for (const RungScores& trial : trials) {
    if (trial.scores.size() > rung) by_network[trial.network].push_back(trial.scores[rung]);
  }
  std::vector<Observation> observations;
  for (const RungScores& trial : trials) {
    if (trial.scores.size() <= rung) continue;
    const Moments moments = MomentsOf(by_network[trial.network]);
    const double centred = trial.scores[rung] - moments.mean;
    observations.push_back({trial.point, moments.deviation > 0 ? centred / moments.deviation : 0});
  }
  return observations;
}

std::unique_ptr<Sampler> MakeSampler(std::string_view name) {
  if (name == "grid") return std::make_unique<GridSampler>();
  if (name == "random") return std::make_unique<RandomSampler>();
  if (name == "tpe" || name == "botorch") return std::make_unique<OptunaSampler>(std::string(name));
  throw Error(Code::kInvalidArgument, "train.hpo", "unknown sampler \"" + std::string(name) + "\"",
              "known: grid, random, tpe, botorch");
}

}  // namespace hot
