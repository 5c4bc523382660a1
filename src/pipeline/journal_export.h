// What leaves a journal: the journal of a run, found; and a run's hyper-parameter searches, into a file that Optuna and
// optuna-dashboard open. Called by `hot journal`; reads only, also beside a running study.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/files.h"
#include "store/store.h"

namespace hot {

struct JournalOf {
  std::string study;  // of the run folder; empty for a journal that was named itself
  std::string place;
  std::unique_ptr<Store> store;
};

// The journal that is meant: that of a run folder, or a file or address itself. Makes none. Throws Error(kNotFound)
// where there is none or the folder is of no run, kDataLoss for a broken one, else as OpenStore().
JournalOf OpenJournalOf(const std::string& source);

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
