// The task that a study asks for, as the task itself takes it. Called by Workspace. Pure function.
#pragma once

#include <string>
#include <vector>

#include "config/study.h"
#include "tasks/task.h"

namespace hot {

// The study is resolved (ResolveConvention); `classes` and `keypoints` are those of the training data. Throws
// Error(kInvalidArgument) for a task of keypoints where there are none, where train.metric needs tolerances that nobody
// knows, and for pairs of unknown keypoints.
TaskOptions StudyTaskOptions(const Study& study, const std::vector<std::string>& classes,
                             const std::vector<std::string>& keypoints);

}  // namespace hot
