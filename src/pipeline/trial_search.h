// The train stage's search over networks and hyper-parameters: scheduler and sampler of src/tune, wired to the journal
// and the run folder. What was decided and finished is taken from there, so a killed search goes on as if nothing had
// happened. Called by the train stage, which carries jobs to an executor and outcomes back. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/executors/executor.h"
#include "pipeline/networks.h"
#include "pipeline/trial_journal.h"
#include "tune/sampler.h"
#include "tune/scheduler.h"

namespace hot {

// "grid", "random", or what `bayes` goes by. Throws Error(kUnavailable) when it is not installed here.
std::unique_ptr<Sampler> StudySampler(const Study& study);
// Where the study's trainings run. Throws what MakeExecutor throws.
std::unique_ptr<Executor> StudyExecutor(const Study& study);

// Combinations of hyper-parameters that each network is trained with.
size_t TrialsPerNetwork(const Study& study);
// When trainings are compared, and what ends the search; `slots`: trainings at the same time.
SchedulerOptions StudySchedule(const Study& study, int slots);

struct SearchedTrial {
  size_t network = 0;
  HyperPoint point;
  TrialSpec spec;
  std::optional<TrialResult> result;  // of the longest training so far
  std::string error;                  // of the last step, when it failed
  int exit_code = 0;
  bool running = false;
};

class TrialSearch {
 public:
  // `key`: hash of everything that the search depends on. `slots`: trainings at the same time.
  TrialSearch(Workspace& workspace, std::vector<StudyNetwork> networks, int slots, std::string key);

  // The next training to start, its folder made ready; nothing when outcomes are wanted first, or all is done.
  std::optional<TrialJob> Next();
  void Finish(const TrialOutcome& outcome);
  bool done() const { return scheduler_.done() && to_do_.empty() && running_ == 0; }

  const std::vector<StudyNetwork>& networks() const { return networks_; }
  const std::vector<SearchedTrial>& trials() const { return trials_; }
  const Scheduler& scheduler() const { return scheduler_; }
  size_t expected_trials() const;  // when no budget ends it
  double elapsed_s() const;        // of this search, over all its sessions
  fs::path FolderOf(const SearchedTrial& trial) const;

 private:
  void Replay();
  void AddTrial(const Step& step, const HyperPoint& point);
  HyperPoint Suggest(size_t network);
  std::string TrialKey(const TrialSpec& spec, int epochs) const;
  std::optional<TrialResult> ResultInFolder(const Step& step) const;
  std::optional<JournalResult> KnownResult(const Step& step) const;
  void Take(const Step& step, const JournalResult& result);
  TrialJob JobOf(const Step& step) const;
  int EpochsOf(const Step& step) const { return scheduler_.options().rungs[step.rung]; }
  bool IsLast(const Step& step) const { return step.rung + 1 == scheduler_.options().rungs.size(); }

  Workspace& workspace_;
  std::vector<StudyNetwork> networks_;
  std::string key_, data_key_;
  HyperSpace space_;
  std::unique_ptr<Sampler> sampler_;
  Scheduler scheduler_;
  TrialJournal journal_;
  std::vector<SearchedTrial> trials_;
  std::vector<Step> to_do_;             // steps decided before a kill whose result is missing
  std::vector<Step> steps_of_running_;  // by trial number
  int running_ = 0;
  double earlier_s_ = 0;
  int64_t start_ns_ = 0;
};

}  // namespace hot
