// The data of a first study: which format and splits they are, what they look like, and what of model and training
// follows from that. Private to `hot init` (init.h).
#pragma once

#include <string>
#include <vector>

#include "config/study_file.h"
#include "core/context.h"
#include "data/layout.h"
#include "data/survey.h"
#include "pipeline/init.h"

namespace hot {

// A study in the making: values, and which of them are written down for what reason.
struct Draft {
  Study study;
  std::vector<StudyLine> lines;
  std::vector<std::string> findings;
  void Say(const std::string& key, const std::string& reason = "") { lines.push_back({key, reason}); }
};

struct InitData {
  std::string task;
  DataFormat format = DataFormat::kVoc;
  SplitRoles roles;
  DataSurvey train;
  size_t val_pictures = 0, test_pictures = 0;  // of splits of their own
};

// Whether a COCO split has keypoints, by its name.
bool IsKeypointFile(const std::string& split);

// Throws as ProposeStudy() does.
InitData LookAtData(const InitRequest& request, const Context& context);

// data.* and what the pictures are like.
void DraftData(const InitRequest& request, const InitData& data, Draft& draft);
// Input, anchors, stride, and what else depends on how large objects are.
void DraftModel(const InitData& data, Draft& draft);

}  // namespace hot
