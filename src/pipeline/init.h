// A first study for somebody's pictures and device: looks at the data, measures the device for a moment, and chooses
// what a study file has to say, each choice with its reason. Called by `hot init`, which asks and writes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/study.h"
#include "core/context.h"
#include "data/layout.h"
#include "data/survey.h"

namespace hot {

struct InitRequest {
  fs::path data;
  std::string name;                 // empty: that of the data's folder
  std::string task;                 // empty: GuessTask()
  std::string token_file, ca_file;  // of a remote device, as in target
  std::string device = "host";      // as target.device
  std::string toolchain;            // empty: openvino or, for ethos-*, vela
  std::string train, test;          // splits; empty: by their names (AssignRoles)
  double hours = 1;                 // for the whole study
};

struct InitResult {
  Study study;
  std::string file;                   // text of the study file
  std::vector<std::string> findings;  // what was seen and measured, a line each
  double expected_seconds = 0;        // of the whole study (PlanStudy)
};

// The first task that the data in `layouts` are labelled for.
std::string GuessTask(const std::vector<DataLayout>& layouts);

// Takes up to a minute or two: pictures are decoded, the device measures the baseline, and the baseline is trained for
// a moment. Throws Error(kInvalidArgument) for data that the task can't use, kDataLoss when files are broken (each is
// named by a Progress::Note), and what devices, toolchains and executors throw when they are not there.
InitResult ProposeStudy(const InitRequest& request, const Context& context);

}  // namespace hot
