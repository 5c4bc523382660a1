// What a study may say for a task: one row a task. Called by the reader of studies for defaults and checks, and by
// pipeline/. The tasks themselves are in src/tasks, which this module must not know; task_rules_test.cpp in pipeline/
// holds both together. Thread rule: immutable after the first call.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/study.h"

namespace hot {

struct TaskRules {
  std::string name;                  // of model.task
  bool keypoints = false;            // finds keypoints of objects whose boxes are known; else boxes or classes
  std::vector<std::string> metrics;  // of train.metric; the first is the default
  std::vector<std::string> formats;  // of data.format; the first is the default
  std::vector<int64_t> input;        // default of model.input: height, width
  int64_t side_multiple = 1;         // what divides both
  double zoom_out = 4;               // default of train.zoom_out
};

// In the order of the registry in src/tasks/task.cpp.
std::span<const TaskRules> AllTaskRules();

// Those of study.model.task, which must be one of them.
const TaskRules& RulesOf(const Study& study);

}  // namespace hot
