// What a study would do and how long that would take, before it is done: `hot optimize --plan`. Measures and trains
// nothing but, where nobody has trained such a network yet, the baseline for a moment (train_speed.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/train_speed.h"
#include "pipeline/workspace.h"

namespace hot {

struct PlannedStage {
  std::string stage;
  bool finished = false;  // nothing to do
  std::string work;       // "20 of 101 rows to measure, 81 in the journal"
  double seconds = 0;
  double training_seconds = 0;  // of them, what is in proportion to train.epochs
  std::string basis;            // what the seconds come from: "0.3 s a row by the journal"
  bool guess = false;           // they come from nothing that was measured here
};

struct StudyPlan {
  std::vector<PlannedStage> stages;
  std::optional<EpochTime> epoch;  // of the baseline, where something has to be trained
  double seconds() const;
};

// Of the stages up to and including `last`. `epoch`: what is known of an epoch's time; else it is found out. Throws
// what the stages would throw before they begin.
StudyPlan PlanStudy(const Workspace& workspace, std::string_view last = "evaluate",
                    std::optional<EpochTime> epoch = std::nullopt);

// A line a stage, and the sum.
std::string PlanText(const StudyPlan& plan);

}  // namespace hot
