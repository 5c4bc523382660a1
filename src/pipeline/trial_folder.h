// The folder of a trial as `hot` leaves it for hot-train: trial.json, and nothing of another trial. Called by whoever
// starts trainings.
#pragma once

#include <optional>

#include "core/files.h"
#include "tasks/trial.h"

namespace hot {

// Whether its trial.json means `spec`; one of an older version, without the newest keys, may.
bool HoldsTrial(const fs::path& folder, const TrialSpec& spec);

// Leaves a folder that holds the trial alone, with what was trained so far; makes any other one anew.
void PrepareTrialFolder(const fs::path& folder, const TrialSpec& spec);

// The result of a training to its end whose weights are there, too.
std::optional<TrialResult> FinishedTrial(const fs::path& folder, const TrialSpec& spec);

}  // namespace hot
