// The hyper-parameter search in the journal (docs/formats/journal.md): what it was asked, each of its steps, each
// result. Written by TrialSearch, read by it after a kill and by `hot journal export`. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "store/store.h"
#include "tasks/trial.h"
#include "tune/scheduler.h"
#include "tune/space.h"

namespace hot {

struct JournalStep {
  Step step;
  std::string trial, network;  // their names
  HyperPoint point;
  int epochs = 0;  // of the rung
  double elapsed_s = 0;
};

struct JournalResult {
  std::string trial;
  int epochs = 0;
  std::string state;  // "done", "paused", "diverged"
  TrialResult result;
  std::string error;
  double elapsed_s = 0;
  int64_t created = 0;
};

struct JournalSearch {
  std::string key, method, metric;
  HyperSpace space;
  std::vector<std::string> networks;  // ids, the baseline's first
  std::vector<int> rungs;
};

class TrialJournal {
 public:
  TrialJournal(Store& store, std::string study, const Clock& clock)
      : store_(store), study_(std::move(study)), clock_(clock) {}

  // Once a search; a second time it does nothing.
  void AddSearch(const JournalSearch& search);
  void AddStep(const std::string& search_key, const JournalStep& step);
  void AddResult(const std::string& trial_key, const std::string& search_key, const JournalResult& result);

  std::vector<JournalSearch> Searches() const;  // of the study, oldest first
  // In order and without gaps, the newest of each number.
  std::vector<JournalStep> Steps(const std::string& search_key) const;
  std::optional<JournalResult> FindResult(const std::string& trial_key) const;
  std::vector<JournalResult> Results(const std::string& search_key) const;  // newest of each trial and epoch

 private:
  Store& store_;
  std::string study_;
  const Clock& clock_;
};

}  // namespace hot
