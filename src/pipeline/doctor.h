// What this machine has of all that a study may need: cores, memory, toolchains, Python packages, programs. Called by
// `hot doctor`. Looks only: nothing is installed, measured or written. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/study.h"
#include "core/progress.h"

namespace hot {

enum class Health {
  kOk,
  kAbsent,   // not here, and only some studies need it
  kWarning,  // works, but not as well as it could
  kFault,    // no study works (or not the one that was asked about)
};
std::string_view HealthName(Health health);  // "ok", "absent", "warning", "fault"

struct Finding {
  std::string name;  // "toolchain tvm"
  Health health = Health::kOk;
  std::string detail;  // version, amount, or what is wrong
  std::string fix;     // what to do about it, a command where one does it; empty when nothing has to be done
};

// The machine and what is installed on it; with a study also what this one needs: journal, device, toolchain and
// precisions, executor, sampler. `folder`: where results would be written. Takes some seconds: Python packages are
// loaded to see that they work. Throws nothing of what it finds.
std::vector<Finding> ExamineMachine(const fs::path& folder, Progress& progress);
std::vector<Finding> ExamineStudy(const Study& study);

}  // namespace hot
