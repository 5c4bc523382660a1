// A stage of the study: reads and writes the run folder, is skipped when finished and nothing it read has changed.
// Manifests: docs/formats/run.md. Called by the CLI commands. Not thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pipeline/workspace.h"

namespace hot {

struct Stage {
  std::string_view name;
  std::string_view output;  // file or folder of the run folder that it writes; the stage runs again when it is gone
  // Everything the stage's result depends on, as text; its hash goes into the manifest.
  std::string (*inputs)(const Workspace& workspace);
  // Whether the study has this stage; null: all have.
  bool (*needed)(const Study& study);
  // Does the work; returns one line for the user ("42 rows measured, 72 from the journal").
  std::string (*run)(Workspace& workspace);
};

// profile, distill (with search.quality distill), search, verify, train, quantize, compile, evaluate.
std::span<const Stage> Stages();

// Whether the study has that stage, and whether its manifest says that it is finished and nothing it read has changed.
bool IsNeeded(const Workspace& workspace, const Stage& stage);
bool IsFinished(const Workspace& workspace, const Stage& stage);

// Runs the stages up to and including `last`; throws Error(kInvalidArgument) on an unknown name.
void RunStages(Workspace& workspace, std::string_view last);

}  // namespace hot
