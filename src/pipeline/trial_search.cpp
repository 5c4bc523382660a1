#include "pipeline/trial_search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "graph/costs.h"
#include "pipeline/distilled.h"
#include "pipeline/trial_folder.h"
#include "pipeline/trial_space.h"

namespace hot {
namespace {

// A group is one question of the study: which is the best network of this objective and width? The baseline is a group
// of its own.
std::vector<Contender> Contenders(const Workspace& workspace, const std::vector<StudyNetwork>& networks) {
  std::map<std::pair<std::string, double>, size_t> groups;
  std::vector<Contender> contenders;
  for (const StudyNetwork& network : networks) {
    Contender contender{.trials = TrialsPerNetwork(workspace.study()), .groups = {}};
    const Graph graph = GraphOf(workspace, network.width, network.choices);
    contender.epoch_cost = static_cast<double>(ComputeCosts(graph, workspace.precision()).macs) * 1e-6;
    auto questions = network.objectives;
    if (network.baseline) questions = {"baseline"};
    for (const std::string& question : questions) {
      contender.groups.push_back(groups.emplace(std::pair(question, network.width), groups.size()).first->second);
    }
    contenders.push_back(std::move(contender));
  }
  return contenders;
}

}  // namespace

std::unique_ptr<Sampler> StudySampler(const Study& study) {
  const auto& hpo = study.train.hpo;
  return MakeSampler(hpo.method == "bayes" ? hpo.sampler : hpo.method);
}

std::unique_ptr<Executor> StudyExecutor(const Study& study) {
  return MakeExecutor({.name = study.run.executor,
                       .workers = static_cast<int>(study.run.workers),
                       .threads = static_cast<int>(study.run.threads),
                       .device = study.train.device});
}

size_t TrialsPerNetwork(const Study& study) {
  const HyperSpace space = StudySpace(study);
  const auto all = PointCount(space);
  const auto asked = static_cast<size_t>(study.train.hpo.trials);
  if (study.train.hpo.method == "grid") return all.value();
  return all ? std::min(*all, asked) : asked;
}

SchedulerOptions StudySchedule(const Study& study, int slots) {
  const auto& hpo = study.train.hpo;
  const int epochs = static_cast<int>(study.train.epochs), reduction = static_cast<int>(hpo.reduction);
  SchedulerOptions options{.rungs = {epochs}, .reduction = reduction, .slots = slots};
  if (hpo.pruning == "halving") {
    const int least = hpo.min_epochs > 0 ? static_cast<int>(hpo.min_epochs) : epochs / (reduction * reduction);
    options.rungs = Rungs(epochs, std::max(1, least), reduction);
  }
  if (hpo.budget_minutes) options.budget_seconds = *hpo.budget_minutes * 60;
  options.budget_epochs = hpo.budget_epochs;
  return options;
}

TrialSearch::TrialSearch(Workspace& workspace, std::vector<StudyNetwork> networks, int slots, std::string key)
    : workspace_(workspace),
      networks_(std::move(networks)),
      key_(std::move(key)),
      data_key_(AnnotationKey(LoadTrialData(workspace.TrialTemplate()))),
      space_(StudySpace(workspace.study())),
      sampler_(StudySampler(workspace.study())),
      scheduler_(Contenders(workspace, networks_), StudySchedule(workspace.study(), slots)),
      journal_(workspace.store(), workspace.study().name, workspace.context().clock),
      start_ns_(workspace.context().clock.NowNs()) {
  JournalSearch search{.key = key_,
                       .method = workspace.study().train.hpo.method,
                       .metric = workspace.study().train.metric,
                       .space = space_,
                       .rungs = scheduler_.options().rungs};
  for (const StudyNetwork& network : networks_) search.networks.push_back(network.id);
  journal_.AddSearch(search);
  Replay();
}

fs::path TrialSearch::FolderOf(const SearchedTrial& trial) const {
  return workspace_.folder() / "trials" / trial.spec.id;
}

double TrialSearch::elapsed_s() const {
  return earlier_s_ + static_cast<double>(workspace_.context().clock.NowNs() - start_ns_) * 1e-9;
}

size_t TrialSearch::expected_trials() const { return networks_.size() * TrialsPerNetwork(workspace_.study()); }

void TrialSearch::Replay() {
  for (JournalStep& past : journal_.Steps(key_)) {
    const auto network = std::ranges::find_if(networks_, [&](const StudyNetwork& n) { return n.id == past.network; });
    if (network == networks_.end()) break;  // can't be: the key covers the networks
    Step& step = past.step;
    step.network = static_cast<size_t>(network - networks_.begin());
    scheduler_.Replay(step);
    AddTrial(step, past.point);
    earlier_s_ = std::max(earlier_s_, past.elapsed_s);
    if (const auto result = KnownResult(step)) {
      earlier_s_ = std::max(earlier_s_, result->elapsed_s);
      Take(step, *result);
    } else {
      to_do_.push_back(step);
    }
  }
}

void TrialSearch::AddTrial(const Step& step, const HyperPoint& point) {
  if (step.trial < trials_.size()) return;
  const StudyNetwork& network = networks_[step.network];
  SearchedTrial trial{.network = step.network, .point = point, .spec = MakeTrial(workspace_, network, point)};
  if (Distills(workspace_.study())) StartFromDistilled(workspace_, network, trial.spec);
  trials_.push_back(std::move(trial));
  steps_of_running_.resize(trials_.size());
}

// With the same points for every network where the method allows it: what differs then is the network.
HyperPoint TrialSearch::Suggest(size_t network) {
  const auto run_seed = static_cast<uint64_t>(workspace_.study().run.seed);
  SampleRequest request{.space = space_};
  std::vector<RungScores> history;
  for (size_t t = 0; t < trials_.size(); ++t) {
    const ScheduledTrial& state = scheduler_.trials()[t];
    if (trials_[t].network == network) request.tried.push_back(trials_[t].point);
    if (state.running && state.scores.empty()) request.running.push_back(trials_[t].point);
    history.push_back({trials_[t].network, trials_[t].point, state.scores});
  }
  request.finished = PooledObservations(history, space_.size());
  const bool learns = workspace_.study().train.hpo.method == "bayes";
  request.seed = MixSeed(run_seed, static_cast<uint64_t>(learns ? trials_.size() : request.tried.size()));
  return sampler_->Suggest(request);
}

std::string TrialSearch::TrialKey(const TrialSpec& spec, int epochs) const {
  TrialSpec nameless = spec;
  nameless.id.clear();
  return Sha256Hex(ToJson(nameless) + data_key_ + std::to_string(epochs));
}

std::optional<TrialResult> TrialSearch::ResultInFolder(const Step& step) const {
  const SearchedTrial& trial = trials_[step.trial];
  const fs::path folder = FolderOf(trial);
  if (IsLast(step)) return FinishedTrial(folder, trial.spec);
  return HoldsTrial(folder, trial.spec) ? ResultOf(folder, EpochsOf(step)) : std::nullopt;
}

// From the run folder, where the weights lie, or from the journal where no weights are needed: of a training that was
// paused, or that cannot be finished.
std::optional<JournalResult> TrialSearch::KnownResult(const Step& step) const {
  const SearchedTrial& trial = trials_[step.trial];
  const std::string trial_key = TrialKey(trial.spec, EpochsOf(step));
  const auto recorded = journal_.FindResult(trial_key);
  if (recorded && (recorded->state == "diverged" || !IsLast(step))) return recorded;
  const auto result = ResultInFolder(step);
  if (!result) return std::nullopt;
  if (recorded) return recorded;
  return JournalResult{.trial = trial.spec.id,
                       .epochs = EpochsOf(step),
                       .state = IsLast(step) ? "done" : "paused",
                       .result = *result,
                       .elapsed_s = elapsed_s()};
}

void TrialSearch::Take(const Step& step, const JournalResult& result) {
  const std::string trial_key = TrialKey(trials_[step.trial].spec, EpochsOf(step));
  if (!journal_.FindResult(trial_key)) journal_.AddResult(trial_key, key_, result);
  SearchedTrial& trial = trials_[step.trial];
  trial.error = result.error;
  if (result.state == "diverged") {
    scheduler_.Report(step.trial, std::nullopt, 0);
  } else {
    trial.result = result.result;
    scheduler_.Report(step.trial, result.result.val_score, result.result.seconds);
  }
}

TrialJob TrialSearch::JobOf(const Step& step) const {
  return {.folder = FolderOf(trials_[step.trial]), .epochs = IsLast(step) ? 0 : EpochsOf(step)};
}

std::optional<TrialJob> TrialSearch::Next() {
  for (;;) {
    Step step;
    if (!to_do_.empty()) {
      step = to_do_.front();
      to_do_.erase(to_do_.begin());
    } else {
      const auto next = scheduler_.Next(elapsed_s());
      if (!next) return std::nullopt;
      step = *next;
      AddTrial(step, step.trial < trials_.size() ? trials_[step.trial].point : Suggest(step.network));
      const SearchedTrial& trial = trials_[step.trial];
      journal_.AddStep(key_, {.step = step,
                              .trial = trial.spec.id,
                              .network = networks_[step.network].id,
                              .point = trial.point,
                              .epochs = EpochsOf(step),
                              .elapsed_s = elapsed_s()});
    }
    if (const auto result = KnownResult(step)) {
      Take(step, *result);
      continue;
    }
    PrepareTrialFolder(FolderOf(trials_[step.trial]), trials_[step.trial].spec);
    trials_[step.trial].running = true;
    steps_of_running_[step.trial] = step;
    ++running_;
    return JobOf(step);
  }
}

void TrialSearch::Finish(const TrialOutcome& outcome) {
  const auto trial =
      std::ranges::find_if(trials_, [&](const SearchedTrial& t) { return t.running && FolderOf(t) == outcome.folder; });
  HOT_ASSERT(trial != trials_.end());
  const Step& step = steps_of_running_[static_cast<size_t>(trial - trials_.begin())];
  trial->running = false;
  trial->exit_code = outcome.exit_code;
  --running_;
  const auto result = outcome.done ? ResultOf(outcome.folder, JobOf(step).epochs) : std::nullopt;
  if (!result && !outcome.diverged) {  // not recorded: whatever it was (a full disk), the next call tries again
    trial->error = outcome.error;
    scheduler_.Report(step.trial, std::nullopt, 0);
    return;
  }
  Take(step, {.trial = trial->spec.id,
              .epochs = EpochsOf(step),
              .state = !result        ? "diverged"
                       : IsLast(step) ? "done"
                                      : "paused",
              .result = result.value_or(TrialResult{}),
              .error = outcome.error,
              .elapsed_s = elapsed_s()});
}

}  // namespace hot
