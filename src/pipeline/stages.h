// The stages' functions, one file each. Each pair: what the stage depends on, and its work. Called by stage.cpp only.
#pragma once

#include <string>

#include "pipeline/workspace.h"

namespace hot {

std::string ProfileInputs(const Workspace& workspace);
std::string RunProfile(Workspace& workspace);

bool NeedsDistill(const Study& study);
std::string DistillInputs(const Workspace& workspace);
std::string RunDistill(Workspace& workspace);

std::string SearchInputs(const Workspace& workspace);
std::string RunSearch(Workspace& workspace);

std::string VerifyInputs(const Workspace& workspace);
std::string RunVerify(Workspace& workspace);

// Throws Error when what the study trains with is not here: its sampler, its executor, a GPU.
void CheckTraining(const Study& study);
std::string TrainInputs(const Workspace& workspace);
std::string RunTrain(Workspace& workspace);

std::string QuantizeInputs(const Workspace& workspace);
std::string RunQuantize(Workspace& workspace);

std::string CompileInputs(const Workspace& workspace);
std::string RunCompile(Workspace& workspace);

std::string EvaluateInputs(const Workspace& workspace);
std::string RunEvaluate(Workspace& workspace);

}  // namespace hot
