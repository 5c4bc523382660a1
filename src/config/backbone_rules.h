// What a study may say of backbones and their slots: one row a backbone. The backbones themselves are in src/models,
// which this module must not know; task_rules_test.cpp in pipeline/ holds both together. Thread rule: immutable after
// the first call.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/study.h"

namespace hot {

struct BackboneRules {
  std::string name;    // of model.backbone
  int stages, blocks;  // slots with model.slots stage, and block
};

// In the order of AllBackbones().
std::span<const BackboneRules> AllBackboneRules();

// How many slots the study's backbone has; no value for an imported network, whose file says it.
std::optional<int> SlotCount(const Study& study);

// Block types that a choice may name, in the order of AllBlocks().
const std::vector<std::string>& BlockNames();

}  // namespace hot
