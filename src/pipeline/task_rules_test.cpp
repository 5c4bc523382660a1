// What src/config says of tasks and backbones against these themselves, which it can't know.
#include "config/task_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/backbone_rules.h"
#include "config/options.h"
#include "core/error.h"
#include "models/imported/imported_backbone.h"
#include "models/search_space.h"
#include "tasks/task.h"

namespace hot {
namespace {

TaskOptions Options(const TaskRules& rules, int64_t height, int64_t width) {
  TaskOptions options;
  options.task = rules.name;
  options.input = {3, static_cast<int>(height), static_cast<int>(width)};
  options.classes = {"a", "b"};
  options.keypoints = {"left", "right"};
  return options;
}

// Whether one picture can be scored at all.
bool Scores(Metric metric, Predicted predicted) {
  const Object object{.box = {0, 0, 10, 10}, .area = 100, .keypoints = {{1, 1, 2}, {2, 2, 2}}};
  const Detection found{.box = object.box, .score = 1, .keypoints = object.keypoints};
  try {
    Score({{.id = 1, .truth = {object}, .detections = {found}}},
          {.metric = metric, .predicted = predicted, .oks = {.sigmas = {0.1, 0.1}}});
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
    return false;
  }
}

TEST(TaskRules, AreThoseOfTheRegistry) {
  std::vector<std::string> names;
  for (const TaskRules& rules : AllTaskRules()) names.push_back(rules.name);
  EXPECT_EQ(names, TaskNames());
  EXPECT_EQ(FindOption("model.task")->allowed, names);
}

TEST(Backbones, OfTheStudyFileAreThoseOfTheRegistry) {
  std::vector<std::string> names;
  for (const Backbone* backbone : AllBackbones()) names.emplace_back(backbone->name());
  names.push_back(std::string(kImportPrefix) + "...");
  EXPECT_EQ(FindOption("model.backbone")->allowed, names);
  for (const BackboneRules& rules : AllBackboneRules()) {
    Study study;
    study.model.backbone = rules.name;
    for (const char* slots : {"stage", "block"}) {
      study.model.slots = slots;
      const SearchSpace space(FindBackbone(rules.name), ParseSlotSize(slots));
      EXPECT_EQ(SlotCount(study), std::ssize(space.Slots(1.0, Precision::kFp32))) << rules.name << " " << slots;
    }
  }
}

TEST(Blocks, OfTheStudyFileAreThoseOfTheRegistry) {
  std::vector<std::string> names;
  for (const Block* block : AllBlocks()) names.emplace_back(block->type());
  EXPECT_EQ(BlockNames(), names);
}

TEST(TaskRules, HaveTheFormatsOfTheReaders) {
  for (const char* name : {"data.format", "data.test_format"}) {
    for (const TaskRules& rules : AllTaskRules()) {
      for (const std::string& format : rules.formats) {
        EXPECT_NO_THROW(ParseDataFormat(format));
        EXPECT_EQ(std::ranges::count(FindOption(name)->allowed, format), 1) << name << " " << format;
      }
    }
  }
}

TEST(TaskRules, SayWhatTheTasksDo) {
  for (const TaskRules& rules : AllTaskRules()) {
    const auto task = MakeTask(Options(rules, rules.input[0], rules.input[1]));
    EXPECT_EQ(task->name(), rules.name);
    EXPECT_EQ(task->predicted() == Predicted::kKeypoints, rules.keypoints) << rules.name;
    for (const std::string& metric : FindOption("train.metric")->allowed) {
      EXPECT_EQ(Scores(ParseMetric(metric), task->predicted()), std::ranges::count(rules.metrics, metric) == 1)
          << rules.name << " " << metric;
    }
    const int64_t next = rules.input[0] + rules.side_multiple;
    EXPECT_NO_THROW(MakeTask(Options(rules, next, rules.input[1]))) << rules.name;
    if (rules.side_multiple > 1) EXPECT_THROW(MakeTask(Options(rules, next + 1, rules.input[1])), Error) << rules.name;
  }
}

}  // namespace
}  // namespace hot
