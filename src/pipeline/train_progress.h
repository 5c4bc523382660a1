// How far the trainings are, for the progress line and for `hot status` in another terminal: one account for both, in
// train_progress.json of the run folder (docs/formats/run.md). Written by the train stage.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "pipeline/trial_search.h"

namespace hot {

// "finished", "running", "failed", "paused" (behind a comparison; may go on) or, when the search is over, "pruned".
std::string TrialState(const TrialSearch& search, size_t trial);

// Writes a training that the quantize stage began down beside those of the search: `trial` is as in `trials`, and takes
// the place of the one of the same name.
void NoteFineTuning(const Workspace& workspace, const nlohmann::ordered_json& trial);

// Epochs written so far; the file grows by one line an epoch.
int FinishedEpochs(const fs::path& folder);

nlohmann::ordered_json TrainProgressJson(const TrialSearch& search);

// One line of the same: "7 of 24 trainings begun: 2 running, 3 finished, 2 paused; best 0.512".
std::string TrainProgressText(const nlohmann::ordered_json& progress);

// Share of the whole, 0 to 1, from the time used and the time left.
double TrainProgressShare(const nlohmann::ordered_json& progress);

}  // namespace hot
