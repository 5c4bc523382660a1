#include "train/schedule.h"

#include <algorithm>
#include <cstdint>

namespace hot {

double LearningRate(const Schedule& schedule, int epoch, int batch) {
  double rate = schedule.lr;
  const int64_t warmup = static_cast<int64_t>(schedule.warmup_epochs) * schedule.batches;
  const int64_t step = static_cast<int64_t>(epoch) * schedule.batches + batch + 1;
  if (step < warmup) rate *= static_cast<double>(step) / static_cast<double>(warmup);
  if (3 * static_cast<int64_t>(epoch) >= 2 * static_cast<int64_t>(schedule.epochs)) rate *= schedule.gamma;
  if (6 * static_cast<int64_t>(epoch) >= 5 * static_cast<int64_t>(schedule.epochs)) rate *= schedule.gamma;
  return rate;
}

}  // namespace hot
