// Collects what a run folder holds into one JSON text for the report's page. Called by WriteReport, and by the
// dashboard whenever a stage has written something. Thread rule: stateless.
#pragma once

#include <string>

#include "core/files.h"

namespace hot {

struct RunData {
  std::string name;     // the study's
  std::string verdict;  // evaluation.json's; empty when that stage has not run
  std::string json;     // {"study", "stages", "curves", "layers"} and what stages wrote by its file's name
};

// Files that are not there are left out. Throws what WriteReport throws.
RunData ReadRunData(const fs::path& run_folder);

// Another text as soon as a stage has written what ReadRunData reads. Looks at times and sizes of files only.
std::string RunDataStamp(const fs::path& run_folder);

}  // namespace hot
