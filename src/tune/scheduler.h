// Which training next, and when to stop: trials of several networks under one budget, by successive halving (Jamieson
// and Talwalkar, AISTATS 2016) with the asynchronous rule of ASHA (Li et al., MLSys 2020, algorithm 2). Pure: results
// and time come in as arguments, so that a search is repeated, or taken up again from its journal, step by step.
//
// Deterministic also on many workers: decisions are made in the order of a virtual clock on which a training takes as
// long as its epochs times its network's cost, not in the order in which workers happen to be ready. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace hot {

// Epochs at which trainings are validated and compared, the last one being `epochs`: epochs / reduction^k, not below
// `min_epochs`. Each is rounded down and occurs once.
std::vector<int> Rungs(int epochs, int min_epochs, int reduction);

struct Contender {
  double epoch_cost = 1;       // in any unit, such as MACs
  size_t trials = 1;           // how many are to be begun
  std::vector<size_t> groups;  // in which its trials are compared with others'; not empty
};

struct SchedulerOptions {
  std::vector<int> rungs{1};  // rising; the last is the whole training
  int reduction = 3;          // 1/reduction of a rung's trials goes on
  int slots = 1;              // trainings at the same time
  std::optional<double> budget_seconds, budget_epochs;
};

// One piece of training: trial `trial` is to be trained up to rung `rung`.
struct Step {
  size_t number = 0, trial = 0, network = 0, rung = 0;
  size_t seen = 0;       // results that the decision is based on
  bool closing = false;  // the budget is used up: only what must be finished is
};

struct ScheduledTrial {
  size_t network = 0;
  std::vector<double> scores{};  // that decisions may be based on, by rung
  bool running = false, failed = false;
  double seconds = 0;  // of training so far
};

class Scheduler {
 public:
  Scheduler(std::vector<Contender> contenders, SchedulerOptions options);

  // What to train next, given the seconds used so far; nothing when results are wanted first, or all is done. New
  // trials have the number trials().size() and take turns among networks. The baseline, a group of its own, always
  // gets one training to the end, as every group does: a rung that no trial can reach any more sends on at least its
  // best, and so does the budget's end.
  std::optional<Step> Next(double elapsed_s);
  // Instead of Next(), a step as it was decided before.
  void Replay(const Step& step);
  // The result of a trial's running step: score, or nothing when it failed, and its seconds of training so far.
  void Report(size_t trial, std::optional<double> score, double seconds);

  bool done() const { return done_; }
  const std::vector<ScheduledTrial>& trials() const { return trials_; }
  const SchedulerOptions& options() const { return options_; }
  // Trained to the end.
  bool IsFinished(size_t trial) const { return trials_[trial].scores.size() == options_.rungs.size(); }
  // Expected seconds to the end, from the speed so far; nothing before the first result.
  std::optional<double> SecondsLeft(double elapsed_s) const;

 private:
  struct Running {
    Step step;
    double until = 0;  // virtual time
  };
  struct Result {
    std::optional<double> score;
  };
  struct Choice {
    size_t trial = 0, network = 0, rung = 0;
  };

  bool InGroup(size_t trial, size_t group) const;
  std::vector<size_t> Members(size_t group, size_t rung) const;
  std::optional<size_t> Promotable(size_t group, size_t rung, bool complete) const;
  bool IsComplete(size_t group, size_t rung) const;
  bool BeginsMore(size_t group) const;
  bool IsRunning(size_t group, size_t up_to_rung) const;
  std::optional<Choice> Decide() const;
  std::optional<Choice> Promotion(bool complete) const;
  std::optional<Choice> NewTrial(std::optional<size_t> group) const;
  std::optional<Choice> Closing() const;
  std::optional<Choice> ClosingOf(size_t group) const;
  std::optional<size_t> Leader(size_t group) const;
  bool HasFinished(size_t group) const;

  int EpochsOf(const Choice& choice) const;
  double UnitsToFinish(size_t group) const;
  bool FitsBudget(const Choice& choice, double elapsed_s) const;
  double SecondsPerUnit() const;

  void Issue(const Choice& choice);
  std::vector<Running>::iterator Earliest();
  void Commit(std::vector<Running>::iterator running);
  void Apply(size_t trial, const Result& result);

  std::vector<Contender> contenders_;
  SchedulerOptions options_;
  size_t groups_ = 0;
  std::vector<ScheduledTrial> trials_;
  std::vector<size_t> begun_;  // trials of each network
  std::vector<Running> running_;
  std::map<size_t, Result> results_;  // of running trials
  double now_ = 0;                    // virtual
  size_t steps_ = 0, seen_ = 0;
  size_t late_ = 0;  // replayed steps whose result was lost and comes in later
  double epochs_issued_ = 0, units_trained_ = 0, seconds_trained_ = 0;
  bool closing_ = false, done_ = false;
};

}  // namespace hot
