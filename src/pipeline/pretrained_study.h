// What model.pretrained means for a study: the convention of its networks, and whether every width can inherit from it.
// Called by Workspace when it opens a study, so that a bad file ends it before anything is measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/study.h"
#include "models/pretrained/pretrained.h"
#include "tasks/task.h"

namespace hot {

// The file of model.pretrained, if the study has one.
std::optional<Pretrained> StudyPretrained(const Study& study, const Backbone& backbone);

// Fills what the study leaves open of padding, eps, mean and deviation with what the weights need. Returns a warning
// for each that the study sets to something else.
std::vector<std::string> ResolveConvention(Study& study, const std::optional<Pretrained>& pretrained);

// Of a resolved study.
Convention StudyConvention(const Study& study);

// What the unchanged network of each width takes, a line each. Throws Error(kInvalidArgument) for a width that takes
// nothing: its candidates would start from random weights and be compared with others that inherit.
std::vector<std::string> CheckInheritance(const Pretrained& pretrained, const Study& study, const Backbone& backbone,
                                          const Task& task);

}  // namespace hot
