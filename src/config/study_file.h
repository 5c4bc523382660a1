// A study file for people to read and change: the keys that were chosen, each with its reason. Called by `hot init`.
// Pure function.
#pragma once

#include <span>
#include <string>

#include "config/study.h"

namespace hot {

struct StudyLine {
  std::string key;          // "model.input"; the value is the study's
  std::string reason = {};  // behind it as a comment; one line
  std::string idle = {};    // not empty: the whole line is a comment, with this value, for the reader to switch on
};

// YAML that ReadStudy() takes: comments of `title` (lines), then the keys in this order; a section is opened where it
// begins. Keys that are not among `lines` are not written and so have their defaults when it is read.
std::string StudyFile(const Study& study, const std::string& title, std::span<const StudyLine> lines);

}  // namespace hot
