#include "train/precision_choice.h"

#include <algorithm>
#include <limits>

#include "core/clock.h"
#include "core/error.h"
#include "graph/fold.h"
#include "train/trainer.h"
#include "train/training.h"

namespace hot {
namespace {

constexpr int kRounds = 4;  // the first one chooses kernels

double SecondsOfStep(Learner& learner, const Batch& batch) {
  const int64_t start_ns = SystemClock().NowNs();
  learner.Step(batch, /*lr=*/0);
  return static_cast<double>(SystemClock().NowNs() - start_ns) * 1e-9;
}

}  // namespace

PrecisionTimes MeasurePrecisions(const TrialSpec& spec) {
  SetUpTorch(spec.threads);
  const TrialData data = LoadTrialData(spec);
  Loader loader(data.train, TrainLoaderOptions(spec, data.train));
  Batch batch;
  loader.BeginEpoch(0);
  if (!loader.Next(&batch)) throw Error(Code::kInvalidArgument, spec.id, "the training split has no pictures");

  const auto task = MakeTask(spec.task);
  const Graph graph = TrialGraph(spec, *task);
  LearnerOptions half;
  half.bfloat16 = true;
  Learner fp32(graph, *task, {}), bf16(graph, *task, half);
  const Weights weights = RandomWeights(graph, spec.seed);
  fp32.Start(weights);
  bf16.Start(weights);
  constexpr double kLong = std::numeric_limits<double>::infinity();
  PrecisionTimes best{.fp32_s = kLong, .bf16_s = kLong};
  for (int round = 0; round < kRounds; ++round) {
    best.fp32_s = std::min(best.fp32_s, SecondsOfStep(fp32, batch));
    best.bf16_s = std::min(best.bf16_s, SecondsOfStep(bf16, batch));
  }
  return best;
}

}  // namespace hot
