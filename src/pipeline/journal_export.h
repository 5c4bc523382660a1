// A run's hyper-parameter searches, from its journal into a file that Optuna and optuna-dashboard open. Called by `hot
// journal export`; reads only, also beside a running study.
#pragma once

#include <string>
#include <vector>

#include "core/context.h"
#include "core/files.h"

namespace hot {

struct ExportResult {
  std::vector<std::string> studies;  // names in the file: the run's newest search has the study's name
  int trials = 0;
};

// `format`: "sqlite" or "journal" (Optuna's own log file). The trained network is a parameter beside the others, each
// comparison an intermediate value at its epoch. Throws Error: kNotFound (no run folder), kFailedPrecondition (nothing
// was searched yet), kAlreadyExists, kUnavailable (Optuna is not installed).
ExportResult ExportOptuna(const fs::path& run, const fs::path& file, const std::string& format, bool overwrite,
                          const Context& context);

}  // namespace hot
