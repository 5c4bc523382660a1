#include "tune/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/rng.h"

namespace hot {
namespace {

using testing::ElementsAre;

TEST(Rungs, AreWholeFractionsOfTheTraining) {
  EXPECT_THAT(Rungs(81, 9, 3), ElementsAre(9, 27, 81));
  EXPECT_THAT(Rungs(100, 11, 3), ElementsAre(11, 33, 100));
  EXPECT_THAT(Rungs(100, 12, 3), ElementsAre(33, 100));
  EXPECT_THAT(Rungs(1, 1, 2), ElementsAre(1));
  EXPECT_THAT(Rungs(4, 0, 2), ElementsAre(1, 2, 4));
}

// A search over made-up trainings: workers take real time that has little to do with the scheduler's virtual time.
class Simulation {
 public:
  // Score of a trial at a rung; nothing: it fails.
  using Scores = std::function<std::optional<double>(const Step&)>;

  Simulation(std::vector<Contender> contenders, SchedulerOptions options, Scores scores)
      : scheduler_(std::move(contenders), std::move(options)), scores_(std::move(scores)) {}

  // Runs to the end, or until `stop` steps were issued and whatever runs then is lost.
  void Run(uint64_t timing_seed, size_t stop = SIZE_MAX) {
    Rng timing(timing_seed);
    while (!scheduler_.done() && steps_.size() < stop) {
      while (const auto step = scheduler_.Next(elapsed_)) {
        steps_.push_back(*step);
        running_.push_back(*step);
        if (steps_.size() == stop) return;
      }
      if (running_.empty()) continue;
      Finish(static_cast<size_t>(timing.Below(std::ssize(running_))));
    }
  }

  // Takes up another one's steps and the results that it had got.
  void Replay(const Simulation& other) {
    for (const Step& step : other.steps_) {
      scheduler_.Replay(step);
      steps_.push_back(step);
      const auto lost = [&](const Step& r) { return r.number == step.number; };
      running_.push_back(step);
      if (std::ranges::none_of(other.running_, lost)) Finish(running_.size() - 1);
    }
  }

  void Finish(size_t index) {
    const Step step = running_[index];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
    const int epochs = scheduler_.options().rungs[step.rung];
    elapsed_ += seconds_per_epoch * (epochs - (step.rung > 0 ? scheduler_.options().rungs[step.rung - 1] : 0));
    scheduler_.Report(step.trial, scores_(step), seconds_per_epoch * epochs);
  }

  double Epochs() const {
    double sum = 0;
    for (const Step& step : steps_) {
      sum += scheduler_.options().rungs[step.rung] - (step.rung > 0 ? scheduler_.options().rungs[step.rung - 1] : 0);
    }
    return sum;
  }

  // "0:0 1:0 0:1": trial:rung of each step.
  std::string Order() const {
    std::string text;
    for (const Step& s : steps_) {
      text += (text.empty() ? "" : " ") + std::to_string(s.trial) + ":" + std::to_string(s.rung);
    }
    return text;
  }

  size_t Finished(size_t network) const {
    size_t count = 0;
    for (size_t t = 0; t < scheduler_.trials().size(); ++t) {
      count += scheduler_.trials()[t].network == network && scheduler_.IsFinished(t);
    }
    return count;
  }

  Scheduler scheduler_;
  Scores scores_;
  std::vector<Step> steps_, running_;
  double elapsed_ = 0, seconds_per_epoch = 1;
};

std::vector<Contender> OneGroup(size_t networks, size_t trials) {
  return std::vector<Contender>(networks, {.trials = trials, .groups = {0}});
}

double ByTrial(const Step& step) { return static_cast<double>(step.trial); }

TEST(Scheduler, WithoutRungsEveryNetworkTakesItsTurn) {
  Simulation simulation(OneGroup(2, 2), {.rungs = {10}, .slots = 1}, ByTrial);
  simulation.Run(1);
  EXPECT_EQ(simulation.Order(), "0:0 1:0 2:0 3:0");
  EXPECT_EQ(simulation.Finished(0), 2u);
  EXPECT_EQ(simulation.scheduler_.trials()[1].network, 1u);
}

// Li et al., algorithm 2: the third result lets the best one through, before anything new is begun.
TEST(Scheduler, AThirdOfEachRungGoesOn) {
  Simulation simulation(OneGroup(1, 9), {.rungs = {1, 3, 9}, .reduction = 3},
                        [](const Step& s) { return std::vector<double>{5, 9, 1, 2, 8, 3, 7, 6, 4}[s.trial]; });
  simulation.Run(1);
  EXPECT_EQ(simulation.Order(), "0:0 1:0 2:0 1:1 3:0 4:0 5:0 4:1 6:0 7:0 8:0 6:1 1:2");
  EXPECT_TRUE(simulation.scheduler_.IsFinished(1));
}

TEST(Scheduler, SpendsAFractionOfTheEpochsAndKeepsTheBest) {
  // Scores whose order is the same at all rungs.
  Simulation simulation(OneGroup(3, 9), {.rungs = {3, 9, 27}, .reduction = 3, .slots = 2},
                        [](const Step& s) { return static_cast<double>(MixSeed(1, s.trial) % 1000); });
  simulation.Run(1);
  EXPECT_LT(simulation.Epochs(), 27 * 27 / 2);
  size_t best = 0;
  for (size_t t = 0; t < 27; ++t) best = MixSeed(1, t) % 1000 > MixSeed(1, best) % 1000 ? t : best;
  EXPECT_TRUE(simulation.scheduler_.IsFinished(best));
}

TEST(Scheduler, EveryGroupHasATrainingToTheEndTheBaselineToo) {
  // The baseline (network 0, a group of its own) is the worst of all, and network 3 belongs to two groups.
  const std::vector<Contender> contenders{{.trials = 2, .groups = {0}},
                                          {.trials = 2, .groups = {1}},
                                          {.trials = 2, .groups = {1}},
                                          {.trials = 2, .groups = {1, 2}},
                                          {.trials = 2, .groups = {2}}};
  Simulation simulation(contenders, {.rungs = {1, 3, 9}, .reduction = 3, .slots = 2},
                        [](const Step& s) { return static_cast<double>(s.network * 10 + s.trial); });
  simulation.Run(1);
  EXPECT_EQ(simulation.Finished(0), 1u);
  EXPECT_TRUE(simulation.scheduler_.IsFinished(5)) << "the baseline's better one";
  EXPECT_GE(simulation.Finished(1) + simulation.Finished(2) + simulation.Finished(3), 1u);
  EXPECT_EQ(simulation.Finished(1), 0u);
  EXPECT_EQ(simulation.Finished(4), 1u);
}

TEST(Scheduler, FailedTrialsNeverGoOnAndOthersTakeTheirPlace) {
  Simulation simulation(OneGroup(1, 4), {.rungs = {1, 3}, .reduction = 3}, [](const Step& s) -> std::optional<double> {
    if (s.trial == 3) return std::nullopt;
    return s.rung == 1 && s.trial == 2 ? std::nullopt : std::optional(ByTrial(s));
  });
  simulation.Run(1);
  EXPECT_FALSE(simulation.scheduler_.IsFinished(3));
  EXPECT_TRUE(simulation.scheduler_.trials()[2].failed);
  EXPECT_TRUE(simulation.scheduler_.done());
  Simulation hopeless(OneGroup(2, 3), {.rungs = {1, 3}}, [](const Step&) { return std::nullopt; });
  hopeless.Run(1);
  EXPECT_EQ(hopeless.steps_.size(), 6u);
  EXPECT_TRUE(hopeless.scheduler_.done());
}

std::vector<Contender> Mixed() {
  return {{.epoch_cost = 2, .trials = 4, .groups = {0}},
          {.epoch_cost = 1, .trials = 4, .groups = {1}},
          {.epoch_cost = 1.5, .trials = 4, .groups = {1, 2}},
          {.epoch_cost = 0.7, .trials = 4, .groups = {2}}};
}

double Shuffled(const Step& step) { return static_cast<double>(MixSeed(step.trial, step.rung) % 997); }

TEST(Scheduler, TheOrderInWhichWorkersFinishChangesNothing) {
  for (const int slots : {1, 2, 3, 8}) {
    const SchedulerOptions options{.rungs = {1, 3, 9}, .slots = slots};
    Simulation first(Mixed(), options, Shuffled);
    first.Run(1);
    for (uint64_t seed = 2; seed < 12; ++seed) {
      Simulation other(Mixed(), options, Shuffled);
      other.Run(seed);
      EXPECT_EQ(other.Order(), first.Order()) << slots << " slots";
    }
  }
}

TEST(Scheduler, NeverMoreThanItsSlotsRun) {
  Simulation simulation(Mixed(), {.rungs = {1, 3, 9}, .slots = 3}, Shuffled);
  while (!simulation.scheduler_.done()) {
    while (const auto step = simulation.scheduler_.Next(0)) {
      simulation.steps_.push_back(*step);
      simulation.running_.push_back(*step);
    }
    ASSERT_LE(simulation.running_.size(), 3u);
    if (!simulation.running_.empty()) simulation.Finish(simulation.running_.size() - 1);
  }
}

TEST(Scheduler, ASearchKilledAnywhereGoesOnAsIfUndisturbed) {
  const SchedulerOptions options{.rungs = {1, 3, 9}, .slots = 2};
  Simulation whole(Mixed(), options, Shuffled);
  whole.Run(1);
  for (size_t stop = 1; stop < whole.steps_.size(); ++stop) {
    Simulation killed(Mixed(), options, Shuffled), resumed(Mixed(), options, Shuffled);
    killed.Run(stop, stop);
    resumed.Replay(killed);
    EXPECT_EQ(resumed.steps_.size(), stop) << "nothing is decided twice";
    resumed.Run(stop + 100);
    EXPECT_EQ(resumed.Order(), whole.Order()) << "killed after step " << stop;
  }
}

TEST(Scheduler, AnotherNumberOfWorkersTakesUpTheSameSteps) {
  Simulation killed(Mixed(), {.rungs = {1, 3, 9}, .slots = 3}, Shuffled);
  killed.Run(1, 10);
  Simulation resumed(Mixed(), {.rungs = {1, 3, 9}, .slots = 1}, Shuffled);
  resumed.Replay(killed);
  resumed.Run(2);
  EXPECT_TRUE(resumed.Order().starts_with(killed.Order()));
  EXPECT_TRUE(resumed.scheduler_.done());
}

TEST(Scheduler, ABudgetOfEpochsIsKeptAndEveryGroupIsFinished) {
  for (const double budget : {40.0, 60.0, 100.0}) {
    Simulation simulation(Mixed(), {.rungs = {1, 3, 9}, .slots = 2, .budget_epochs = budget}, Shuffled);
    simulation.Run(1);
    EXPECT_LE(simulation.Epochs(), budget);
    for (const size_t network : {0, 3}) EXPECT_GE(simulation.Finished(network) + simulation.Finished(2), 1u);
    EXPECT_GE(simulation.Finished(0), 1u) << budget;
  }
  Simulation none(Mixed(), {.rungs = {9}, .budget_epochs = 1.0}, Shuffled);
  none.Run(1);  // too little for anything: the least that makes a result
  EXPECT_EQ(none.Finished(0), 1u);
  EXPECT_LE(none.Epochs(), 27);
}

TEST(Scheduler, ABudgetOfTimeEndsTheSearchInTime) {
  Simulation simulation(OneGroup(1, 100), {.rungs = {10}, .budget_seconds = 100.0}, ByTrial);
  simulation.seconds_per_epoch = 3.0;
  simulation.Run(1);
  EXPECT_EQ(simulation.steps_.size(), 3u) << "a fourth would end after 120 s";
  EXPECT_LE(simulation.elapsed_, 100);
  EXPECT_TRUE(simulation.scheduler_.done());
}

TEST(Scheduler, TimeLeftIsThatOfARunToTheEnd) {
  Simulation simulation(OneGroup(1, 4), {.rungs = {10}, .slots = 2}, ByTrial);
  EXPECT_FALSE(simulation.scheduler_.SecondsLeft(0).has_value());
  simulation.Run(1, 2);
  EXPECT_FALSE(simulation.scheduler_.SecondsLeft(0).has_value());
  simulation.Finish(0);
  EXPECT_NEAR(*simulation.scheduler_.SecondsLeft(0), 20, 1e-9);  // two and then two more, of 10 s each
}

}  // namespace
}  // namespace hot
