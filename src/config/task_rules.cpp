#include "config/task_rules.h"

#include <algorithm>

#include "core/error.h"

namespace hot {

std::span<const TaskRules> AllTaskRules() {
  static const std::vector<TaskRules> kRules{
      {.name = "ssd", .metrics = {"coco_ap", "ap50", "voc07"}, .formats = {"voc", "coco"}, .input = {320, 320}},
      {.name = "cpn",
       .keypoints = true,
       .metrics = {"coco_ap", "ap50", "pck"},
       .formats = {"coco"},
       .input = {256, 192},  // as published
       .side_multiple = 32},
      {.name = "classify",
       .metrics = {"top1"},
       .formats = {"folders"},
       .input = {224, 224},  // as published with MobileNetV2
       .zoom_out = 1}};
  return kRules;
}

const TaskRules& RulesOf(const Study& study) {
  const auto rules = AllTaskRules();
  const auto found = std::ranges::find(rules, study.model.task, &TaskRules::name);
  HOT_ASSERT(found != rules.end());
  return *found;
}

}  // namespace hot
