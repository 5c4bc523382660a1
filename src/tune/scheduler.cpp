#include "tune/scheduler.h"

#include <algorithm>

#include "core/error.h"

namespace hot {

std::vector<int> Rungs(int epochs, int min_epochs, int reduction) {
  HOT_ASSERT(epochs >= 1 && reduction >= 2);
  std::vector<int> rungs{epochs};
  for (int rung = epochs / reduction; rung >= std::max(1, min_epochs); rung /= reduction) rungs.push_back(rung);
  std::ranges::reverse(rungs);
  return rungs;
}

Scheduler::Scheduler(std::vector<Contender> contenders, SchedulerOptions options)
    : contenders_(std::move(contenders)), options_(std::move(options)), begun_(contenders_.size(), 0) {
  HOT_ASSERT(!contenders_.empty() && !options_.rungs.empty() && options_.slots >= 1 && options_.reduction >= 2);
  for (const Contender& contender : contenders_) {
    HOT_ASSERT(!contender.groups.empty());
    groups_ = std::max(groups_, std::ranges::max(contender.groups) + 1);
  }
}

bool Scheduler::InGroup(size_t trial, size_t group) const {
  const auto& groups = contenders_[trials_[trial].network].groups;
  return std::ranges::find(groups, group) != groups.end();
}

// Trials of the group that have reached the rung, best first; earlier ones first among equals.
std::vector<size_t> Scheduler::Members(size_t group, size_t rung) const {
  std::vector<size_t> members;
  for (size_t trial = 0; trial < trials_.size(); ++trial) {
    if (InGroup(trial, group) && trials_[trial].scores.size() > rung) members.push_back(trial);
  }
  std::ranges::stable_sort(members,
                           [&](size_t a, size_t b) { return trials_[a].scores[rung] > trials_[b].scores[rung]; });
  return members;
}

// The best trial that belongs to the share of its rung that goes on and has not gone on yet.
std::optional<size_t> Scheduler::Promotable(size_t group, size_t rung, bool complete) const {
  const std::vector<size_t> members = Members(group, rung);
  size_t share = members.size() / static_cast<size_t>(options_.reduction);
  if (complete) share = std::max<size_t>(share, std::min<size_t>(1, members.size()));
  for (size_t i = 0; i < share; ++i) {
    const ScheduledTrial& trial = trials_[members[i]];
    if (trial.scores.size() == rung + 1 && !trial.running && !trial.failed) return members[i];
  }
  return std::nullopt;
}

bool Scheduler::BeginsMore(size_t group) const {
  for (size_t network = 0; network < contenders_.size(); ++network) {
    const Contender& contender = contenders_[network];
    const bool member = std::ranges::find(contender.groups, group) != contender.groups.end();
    if (member && begun_[network] < contender.trials) return true;
  }
  return false;
}

bool Scheduler::IsRunning(size_t group, size_t up_to_rung) const {
  return std::ranges::any_of(
      running_, [&](const Running& r) { return r.step.rung <= up_to_rung && InGroup(r.step.trial, group); });
}

// No further trial of the group can reach the rung.
bool Scheduler::IsComplete(size_t group, size_t rung) const {
  if (BeginsMore(group) || IsRunning(group, rung)) return false;
  for (size_t below = 0; below < rung; ++below) {
    if (Promotable(group, below, /*complete=*/true)) return false;
  }
  return true;
}

std::optional<Scheduler::Choice> Scheduler::Promotion(bool complete) const {
  for (size_t rung = options_.rungs.size() - 1; rung-- > 0;) {
    for (size_t group = 0; group < groups_; ++group) {
      if (complete && !IsComplete(group, rung)) continue;
      const auto trial = Promotable(group, rung, complete);
      if (trial) return Choice{*trial, trials_[*trial].network, rung + 1};
    }
  }
  return std::nullopt;
}

// Of the network with the fewest, the first of equals.
std::optional<Scheduler::Choice> Scheduler::NewTrial(std::optional<size_t> group) const {
  std::optional<size_t> best;
  for (size_t network = 0; network < contenders_.size(); ++network) {
    const auto& groups = contenders_[network].groups;
    if (group && std::ranges::find(groups, *group) == groups.end()) continue;
    if (begun_[network] >= contenders_[network].trials) continue;
    if (!best || begun_[network] < begun_[*best]) best = network;
  }
  if (!best) return std::nullopt;
  return Choice{trials_.size(), *best, 0};
}

std::optional<Scheduler::Choice> Scheduler::Decide() const {
  if (closing_) return Closing();
  if (const auto choice = Promotion(/*complete=*/false)) return choice;
  if (const auto choice = NewTrial(std::nullopt)) return choice;
  return Promotion(/*complete=*/true);
}

bool Scheduler::HasFinished(size_t group) const { return !Members(group, options_.rungs.size() - 1).empty(); }

// The best of the highest rung that the group has reached.
std::optional<size_t> Scheduler::Leader(size_t group) const {
  for (size_t rung = options_.rungs.size(); rung-- > 0;) {
    for (const size_t trial : Members(group, rung)) {
      if (!trials_[trial].failed) return trial;
    }
  }
  return std::nullopt;
}

std::optional<Scheduler::Choice> Scheduler::ClosingOf(size_t group) const {
  if (HasFinished(group) || IsRunning(group, options_.rungs.size())) return std::nullopt;
  if (const auto leader = Leader(group)) {
    return Choice{*leader, trials_[*leader].network, trials_[*leader].scores.size()};
  }
  return NewTrial(group);  // none was begun, or all failed
}

std::optional<Scheduler::Choice> Scheduler::Closing() const {
  for (size_t group = 0; group < groups_; ++group) {
    if (const auto choice = ClosingOf(group)) return choice;
  }
  return std::nullopt;
}

int Scheduler::EpochsOf(const Choice& choice) const {
  const size_t from = choice.trial < trials_.size() ? trials_[choice.trial].scores.size() : 0;
  return options_.rungs[choice.rung] - (from > 0 ? options_.rungs[from - 1] : 0);
}

double Scheduler::SecondsPerUnit() const { return units_trained_ > 0 ? seconds_trained_ / units_trained_ : 0; }

// Epochs times cost that a group still needs for one training to the end.
double Scheduler::UnitsToFinish(size_t group) const {
  if (HasFinished(group)) return 0;
  const auto leader = Leader(group);
  const auto fresh = NewTrial(group);
  if (!leader && !fresh) return 0;
  const double cost = contenders_[leader ? trials_[*leader].network : fresh->network].epoch_cost;
  const int done = leader ? options_.rungs[trials_[*leader].scores.size() - 1] : 0;
  return cost * (options_.rungs.back() - done);
}

// Whether this step, and after it what every group needs for a training to the end, can be done in what is left.
bool Scheduler::FitsBudget(const Choice& choice, double elapsed_s) const {
  double sum = 0, longest = 0, epochs = 0;
  for (size_t group = 0; group < groups_; ++group) {
    const double units = UnitsToFinish(group);
    sum += units;
    longest = std::max(longest, units);
    const auto leader = Leader(group);
    if (units > 0) epochs += options_.rungs.back() - (leader ? options_.rungs[trials_[*leader].scores.size() - 1] : 0);
  }
  if (options_.budget_epochs && epochs_issued_ + EpochsOf(choice) + epochs > *options_.budget_epochs) return false;
  if (!options_.budget_seconds) return true;
  const double units =
      EpochsOf(choice) * contenders_[choice.network].epoch_cost + std::max(longest, sum / options_.slots);
  return elapsed_s + units * SecondsPerUnit() <= *options_.budget_seconds;
}

void Scheduler::Issue(const Choice& choice) {
  const int epochs = EpochsOf(choice);
  if (choice.trial == trials_.size()) {
    trials_.push_back({.network = choice.network});
    ++begun_[choice.network];
  }
  trials_[choice.trial].running = true;
  epochs_issued_ += epochs;
  const Step step{steps_++, choice.trial, choice.network, choice.rung, seen_, closing_};
  running_.push_back({step, now_ + epochs * contenders_[choice.network].epoch_cost});
}

std::vector<Scheduler::Running>::iterator Scheduler::Earliest() {
  return std::ranges::min_element(running_, [](const Running& a, const Running& b) { return a.until < b.until; });
}

void Scheduler::Apply(size_t trial, const Result& result) {
  ScheduledTrial& state = trials_[trial];
  state.failed = !result.score.has_value();
  if (result.score) state.scores.push_back(*result.score);
}

void Scheduler::Commit(std::vector<Running>::iterator running) {
  const size_t trial = running->step.trial;
  now_ = running->until;
  running_.erase(running);
  ++seen_;
  trials_[trial].running = false;
  const auto result = results_.find(trial);
  if (result == results_.end()) {
    trials_[trial].failed = true;  // until then
    ++late_;
    return;
  }
  Apply(trial, result->second);
  results_.erase(result);
}

std::optional<Step> Scheduler::Next(double elapsed_s) {
  while (!done_) {
    if (running_.size() < static_cast<size_t>(options_.slots)) {
      auto choice = Decide();
      if (choice && !closing_ && !FitsBudget(*choice, elapsed_s)) {
        closing_ = true;
        choice = Closing();
      }
      if (choice) {
        Issue(*choice);
        return running_.back().step;
      }
    }
    if (running_.empty()) {
      done_ = late_ == 0;
      break;
    }
    const auto earliest = Earliest();
    if (!results_.contains(earliest->step.trial)) return std::nullopt;
    Commit(earliest);
  }
  return std::nullopt;
}

void Scheduler::Replay(const Step& step) {
  HOT_ASSERT(step.number == steps_ && step.trial <= trials_.size() && step.network < contenders_.size() &&
             step.rung < options_.rungs.size());
  while (seen_ < step.seen && !running_.empty()) Commit(Earliest());
  closing_ = closing_ || step.closing;
  Issue({step.trial, step.network, step.rung});
}

void Scheduler::Report(size_t trial, std::optional<double> score, double seconds) {
  HOT_ASSERT(trial < trials_.size());
  ScheduledTrial& state = trials_[trial];
  const bool awaited = state.running;
  if (score) {
    const size_t rung = state.scores.size();  // reached with this result
    const int epochs = options_.rungs[rung] - (rung > 0 ? options_.rungs[rung - 1] : 0);
    units_trained_ += epochs * contenders_[state.network].epoch_cost;
    seconds_trained_ += seconds - state.seconds;
    state.seconds = seconds;
  }
  if (awaited) {
    results_[trial] = {score};
  } else {
    --late_;
    Apply(trial, {score});
  }
}

std::optional<double> Scheduler::SecondsLeft(double elapsed_s) const {
  if (units_trained_ == 0) return std::nullopt;
  Scheduler rest = *this;  // played to its end with made-up scores, which hardly change how many go on
  rest.late_ = 0;
  const double rate = SecondsPerUnit();
  while (!rest.done_) {
    if (rest.Next(elapsed_s + (rest.now_ - now_) * rate)) continue;
    for (const Running& running : rest.running_) rest.results_.try_emplace(running.step.trial, Result{0.0});
  }
  return (rest.now_ - now_) * rate;
}

}  // namespace hot
