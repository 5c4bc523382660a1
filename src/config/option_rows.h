// What the files with option records share. Private to this module.
#pragma once

#include <vector>

#include "config/options.h"

namespace hot {

#define HOT_FIELD(member)       \
  +[](Study & study) -> auto& { \
    return study.member;        \
  }

inline const OptionRange kPositive{.min = 0, .max = {}, .above_min = true};

inline OptionRange Between(double min, double max) { return {.min = min, .max = max, .above_min = false}; }
inline OptionRange UpTo(double max) { return {.min = 0, .max = max, .above_min = true}; }

// data.test_root and what goes with it.
void AddTestData(std::vector<Option>& out);
// What trainings compute with.
void AddComputeOptions(std::vector<Option>& out);
// train.hpo.*
void AddHpoOptions(std::vector<Option>& out);
// model.pretrained and the keys that follow it.
void AddPretrainedOptions(std::vector<Option>& out);
// quantize.*
void AddQuantizeOptions(std::vector<Option>& out);
// search.*
void AddSearchOptions(std::vector<Option>& out);
// target.*
void AddTargetOptions(std::vector<Option>& out);
// Keys that are for keypoints only, a section each.
void AddPoseModelOptions(std::vector<Option>& out);
void AddPoseDataOptions(std::vector<Option>& out);
void AddPoseTrainOptions(std::vector<Option>& out);

}  // namespace hot
