#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/error.h"

namespace hot {
namespace {

double Steps(const Schedule& schedule, int64_t epoch) {
  double factor = 1;
  if (3 * epoch >= 2 * static_cast<int64_t>(schedule.epochs)) factor *= schedule.gamma;
  if (6 * epoch >= 5 * static_cast<int64_t>(schedule.epochs)) factor *= schedule.gamma;
  return factor;
}

double Cosine(int64_t done, int64_t warmup, int64_t all) {
  const int64_t after = std::max<int64_t>(0, done - warmup), length = std::max<int64_t>(1, all - warmup);
  return 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(after) / static_cast<double>(length)));
}

}  // namespace

ScheduleKind ParseScheduleKind(const std::string& name) {
  if (name == "step") return ScheduleKind::kStep;
  if (name == "cosine") return ScheduleKind::kCosine;
  throw Error(Code::kInvalidArgument, "schedule", "unknown schedule \"" + name + "\"", "known: step, cosine");
}

double LearningRate(const Schedule& schedule, int epoch, int batch) {
  const int64_t batches = schedule.batches, warmup = schedule.warmup_epochs * batches;
  const int64_t done = epoch * batches + batch;
  double rate = schedule.lr;
  if (done + 1 < warmup) rate *= static_cast<double>(done + 1) / static_cast<double>(warmup);
  return rate * (schedule.kind == ScheduleKind::kStep ? Steps(schedule, epoch)
                                                      : Cosine(done, warmup, schedule.epochs * batches));
}

}  // namespace hot
