// How long an epoch of a study takes: from epochs that were trained before, or from a short training made to find out.
// Called by `hot init` and `hot optimize --plan`. Not thread-safe.
#pragma once

#include <optional>
#include <string>

#include "pipeline/workspace.h"

namespace hot {

struct EpochTime {
  double seconds = 0;  // of the baseline, while as many trainings run as the study's executor takes
  std::string basis;   // "58 epochs in runs/cards"
};

// Of trainings in the study's run folder and those beside it which had the same data, input, width and recipe.
std::optional<EpochTime> KnownEpochTime(const Workspace& workspace);

// Trains the baseline for two epochs on a few pictures of the study, in a folder of its own, as often at the same time
// as the study would, and takes the second epoch. Some seconds to half a minute. Throws what the executor throws, and
// Error when the training fails.
EpochTime ProbeEpochTime(const Workspace& workspace);

}  // namespace hot
