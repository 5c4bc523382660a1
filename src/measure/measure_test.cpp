#include "measure/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/rng.h"

namespace hot {
namespace {

// A CPU in virtual time: work takes its cost times the speed of the moment, with noise. The speed flips between two
// levels as on a shared machine.
class FakeMachine : public Clock {
 public:
  struct Options {
    double slow_factor = 1.0;
    double mean_phase_ms = 700;  // both phases last 0.2 to 2 of this, uniformly
    double noise = 0;
    double drift_per_s = 0;
  };
  explicit FakeMachine(const Options& options) : options_(options), rng_(42) {}

  int64_t NowNs() const override { return now_ns_; }
  int64_t WallSeconds() const override { return 0; }

  void Work(double cost_ns) {
    const double noise = 1 + std::abs(rng_.Normal()) * options_.noise;
    double left = cost_ns * noise * (1 + options_.drift_per_s * static_cast<double>(now_ns_) * 1e-9);
    while (left > 0) {
      while (now_ns_ >= phase_end_ns_) NextPhase();
      const double speed = slow_ ? options_.slow_factor : 1.0;
      const double step = std::min(left, static_cast<double>(phase_end_ns_ - now_ns_) / speed + 1);
      now_ns_ += std::llround(step * speed);
      left -= step;
    }
  }

 private:
  void NextPhase() {
    slow_ = !slow_;
    phase_end_ns_ += static_cast<int64_t>(options_.mean_phase_ms * 1e6 * rng_.Uniform(0.2, 2.0));
  }

  Options options_;
  Rng rng_;
  int64_t now_ns_ = 0, phase_end_ns_ = 0;
  bool slow_ = false;
};

class CountingProgress : public Progress {
 public:
  void Begin(std::string_view, double) override {}
  void Update(double done, std::string_view) override { updates.push_back(done); }
  void End(std::string_view) override {}
  void Note(std::string_view) override {}
  std::vector<double> updates;
};

class MeasureTest : public ::testing::Test {
 protected:
  std::vector<Measurement> Measure(FakeMachine& machine, const std::vector<double>& costs_ns,
                                   const MeasureOptions& options, double reference_ns = kCanaryNs) {
    std::vector<Subject> subjects;
    for (const double cost : costs_ns) subjects.push_back([&machine, cost] { machine.Work(cost); });
    const Context context{machine, progress_, cancelled_};
    return MeasureInterleaved(
        subjects, [&machine] { machine.Work(kCanaryNs); }, options, reference_ns, context);
  }

  static constexpr double kCanaryNs = 1e6;
  CountingProgress progress_;
  std::atomic<bool> cancelled_{false};
};

TEST_F(MeasureTest, QuietMachineGivesTheCostAfterTheFewestSamples) {
  FakeMachine machine({});
  const MeasureOptions options;
  const auto results = Measure(machine, {2e6, 3e5, 7e6}, options);
  ASSERT_EQ(results.size(), 3u);
  const double expected[] = {2e6, 3e5, 7e6};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(results[i].median_ns, expected[i], 2);
    EXPECT_NEAR(results[i].raw_median_ns, expected[i], 2);
    EXPECT_TRUE(results[i].steady);
    EXPECT_EQ(results[i].samples_ns.size(), static_cast<size_t>(options.min_samples));
    EXPECT_EQ(results[i].canary_ns.size(), results[i].samples_ns.size());
  }
  EXPECT_EQ(progress_.updates.back(), 3);
}

TEST_F(MeasureTest, SpeedFlipsDoNotMoveTheNormalisedMedian) {
  FakeMachine machine({.slow_factor = 1.8, .noise = 0.01});
  std::vector<double> costs;
  for (int i = 0; i < 60; ++i) costs.push_back(1e5 + 5e4 * i);
  const auto results = Measure(machine, costs, {});
  double worst_p90 = 0;
  for (size_t i = 0; i < costs.size(); ++i) {
    EXPECT_NEAR(results[i].median_ns / costs[i], 1, 0.025) << costs[i];
    EXPECT_LE(results[i].low_ns, results[i].median_ns);
    EXPECT_GE(results[i].high_ns, results[i].median_ns);
    EXPECT_TRUE(results[i].steady);
    worst_p90 = std::max(worst_p90, results[i].p90_ns / costs[i]);
  }
  EXPECT_GT(worst_p90, 1.6);  // the scenario is a hard one: raw samples of both speeds
}

TEST_F(MeasureTest, SlowDriftFallsOnAllAlike) {
  FakeMachine machine({.noise = 0.005, .drift_per_s = 0.2});
  const auto results = Measure(machine, {2e6, 2e6, 2e6, 2e6}, {});
  for (const Measurement& result : results) EXPECT_NEAR(result.median_ns, 2e6, 0.02 * 2e6);
}

TEST_F(MeasureTest, ShortSubjectsAreRepeatedWithinASample) {
  FakeMachine machine({});
  int runs = 0;
  const std::vector<Subject> subjects = {[&] {
    ++runs;
    machine.Work(10'000);
  }};
  const Context context{machine, progress_, cancelled_};
  const MeasureOptions options;
  const auto results = MeasureInterleaved(
      subjects, [&] { machine.Work(kCanaryNs); }, options, kCanaryNs, context);
  EXPECT_NEAR(results[0].median_ns, 10'000, 1);
  EXPECT_GE(runs, options.min_samples * 100);
}

TEST_F(MeasureTest, AShortSubjectIsTimedWithWarmCaches) {
  FakeMachine machine({});
  // After another subject, the first three runs of each take half as long again.
  int last = -1, runs = 0;
  std::vector<Subject> subjects;
  for (int i = 0; i < 4; ++i) {
    subjects.push_back([&, i] {
      runs = last == i ? runs + 1 : 0;
      last = i;
      machine.Work(runs < 3 ? 450'000 : 300'000);
    });
  }
  const Context context{machine, progress_, cancelled_};
  const auto results = MeasureInterleaved(
      subjects, [&] { machine.Work(kCanaryNs); }, {}, kCanaryNs, context);
  for (const Measurement& result : results) EXPECT_NEAR(result.median_ns, 300'000, 2);
}

TEST_F(MeasureTest, ASubjectThatTakesNoTimeDoesNotDivideByZero) {
  FakeMachine machine({});
  const auto results = Measure(machine, {0.0}, {});
  EXPECT_TRUE(std::isfinite(results[0].median_ns));
  EXPECT_LT(results[0].median_ns, 2);
}

TEST_F(MeasureTest, NoisySubjectsStopAtTheCapAndSayUnsteady) {
  FakeMachine machine({.noise = 0.0});
  Rng rng(7);
  const std::vector<Subject> subjects = {[&] { machine.Work(2e6 * rng.Uniform(0.5, 1.5)); }};
  const Context context{machine, progress_, cancelled_};
  const MeasureOptions options{.max_samples = 40};
  const auto results = MeasureInterleaved(
      subjects, [&] { machine.Work(kCanaryNs); }, options, kCanaryNs, context);
  EXPECT_FALSE(results[0].steady);
  EXPECT_EQ(results[0].samples_ns.size(), 40u);
}

TEST_F(MeasureTest, ACanaryThatAlwaysJumpsCannotStarveASubject) {
  FakeMachine machine({});
  bool odd = false;
  const std::vector<Subject> subjects = {[&] { machine.Work(2e6); }};
  const Subject canary = [&] {
    odd = !odd;
    machine.Work(odd ? kCanaryNs : 2 * kCanaryNs);
  };
  const Context context{machine, progress_, cancelled_};
  const auto results = MeasureInterleaved(subjects, canary, {}, 0, context);
  EXPECT_GE(results[0].samples_ns.size(), 12u);
}

TEST_F(MeasureTest, TimeCapEndsTheCallWithASampleForEverySubject) {
  FakeMachine machine({.noise = 0.2});
  const std::vector<double> costs(20, 3e6);
  MeasureOptions options;
  options.max_total_ns = 1'000'000;
  const auto results = Measure(machine, costs, options);
  for (const Measurement& result : results) {
    EXPECT_EQ(result.samples_ns.size(), 1u);
    EXPECT_FALSE(result.steady);
  }
  EXPECT_LT(machine.NowNs(), 20 * 40 * 4'000'000LL);
}

TEST_F(MeasureTest, FinishedSubjectsDropOut) {
  FakeMachine machine({});
  Rng rng(3);
  int quiet_runs = 0;
  const std::vector<Subject> subjects = {[&] { machine.Work(2e6 * rng.Uniform(0.5, 1.5)); },
                                         [&] {
                                           ++quiet_runs;
                                           machine.Work(2e6);
                                         }};
  const Context context{machine, progress_, cancelled_};
  const auto results = MeasureInterleaved(
      subjects, [&] { machine.Work(kCanaryNs); }, {}, kCanaryNs, context);
  EXPECT_EQ(results[1].samples_ns.size(), 12u);
  EXPECT_LT(quiet_runs, 42);  // warm-up, then 12 samples with an untimed run before each
  EXPECT_EQ(results[0].samples_ns.size(), 120u);
}

TEST_F(MeasureTest, OrderDiffersFromRoundToRound) {
  FakeMachine machine({});
  std::vector<int> sequence;
  std::vector<Subject> subjects;
  for (int i = 0; i < 6; ++i) {
    subjects.push_back([&, i] {
      sequence.push_back(i);
      machine.Work(2e6);
    });
  }
  const Context context{machine, progress_, cancelled_};
  MeasureInterleaved(
      subjects, [&] { machine.Work(kCanaryNs); }, {}, kCanaryNs, context);
  std::set<std::vector<int>> orders;
  for (size_t end = sequence.size(); end > sequence.size() - 120; end -= 12) {
    std::vector<int> round;
    for (size_t i = end - 12; i < end; i += 2) {
      EXPECT_EQ(sequence[i], sequence[i + 1]);  // the untimed run and the sample
      round.push_back(sequence[i]);
    }
    orders.insert(round);
    std::sort(round.begin(), round.end());
    EXPECT_THAT(round, ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
  }
  EXPECT_GT(orders.size(), 5u);
}

TEST_F(MeasureTest, WithoutAReferenceTheCanarysMedianIsUsed) {
  FakeMachine machine({});
  const auto results = Measure(machine, {2e6}, {}, 0);
  EXPECT_NEAR(results[0].median_ns, 2e6, 2);
  const auto halved = Measure(machine, {2e6}, {}, kCanaryNs / 2);
  EXPECT_NEAR(halved[0].median_ns, 1e6, 2);
}

TEST_F(MeasureTest, CancelStopsIt) {
  FakeMachine machine({});
  cancelled_ = true;
  EXPECT_THROW(Measure(machine, {1e6}, {}), Error);
}

TEST_F(MeasureTest, RefusesSenselessOptions) {
  FakeMachine machine({});
  EXPECT_THROW(Measure(machine, {1e6}, {.max_samples = 0}), Error);
  EXPECT_THROW(Measure(machine, {1e6}, {.target_half_width = 0}), Error);
}

TEST(Estimated, IsARowWithoutSamplesOrCanary) {
  const Measurement row = Estimated(2.5e6);
  EXPECT_TRUE(row.samples_ns.empty());
  EXPECT_TRUE(row.canary_ns.empty());
  EXPECT_EQ(row.median_ns, 2.5e6);
  EXPECT_EQ(row.low_ns, 2.5e6);
  EXPECT_EQ(row.high_ns, 2.5e6);
  EXPECT_TRUE(row.steady);
}

TEST_F(MeasureTest, NoSubjectsGiveNoRows) {
  FakeMachine machine({});
  EXPECT_TRUE(Measure(machine, {}, {}).empty());
}

// `ratios` of samples over a canary of 1 us, in terms of a reference of 2 us.
Measurement OfRatios(const std::vector<int64_t>& ratios) {
  Measurement row;
  std::vector<double> values;
  for (const int64_t ratio : ratios) {
    row.samples_ns.push_back(1000 * ratio);
    row.canary_ns.push_back(1000);
    values.push_back(static_cast<double>(ratio));
  }
  row.median_ns = MedianWithInterval(values).median * 2000;
  row.canary_median_ns = 1000;
  return row;
}

TEST(Pooled, IsTheRowOfAllSamples) {
  std::vector<Measurement> rows{OfRatios({10, 11, 12}), OfRatios({20, 21, 22, 23}), OfRatios({30, 31, 32, 33})};
  rows[1].canary_median_ns = 1500;
  rows[2].canary_median_ns = 9000;
  const Measurement all = Pooled(rows);
  EXPECT_EQ(all.samples_ns.size(), 11u);
  EXPECT_EQ(all.median_ns, 22 * 2000);
  EXPECT_EQ(all.raw_median_ns, 22'000);
  EXPECT_LT(all.low_ns, all.median_ns);
  EXPECT_GT(all.high_ns, all.median_ns);
  EXPECT_EQ(all.p90_ns, 32'000);
  EXPECT_EQ(all.canary_median_ns, 1500);
  EXPECT_NEAR(CanaryReference(all), 2000, 1e-9);
}

TEST(Pooled, IsSteadyWhenMostRowsAre) {
  std::vector<Measurement> rows{OfRatios({1}), OfRatios({2}), OfRatios({3})};
  rows[0].steady = false;
  rows[0].note = "throttled";
  EXPECT_TRUE(Pooled(rows).steady);
  EXPECT_EQ(Pooled(rows).note, "");
  rows[2].steady = false;
  EXPECT_FALSE(Pooled(rows).steady);
  EXPECT_EQ(Pooled(rows).note, "throttled");
}

TEST(Pooled, EstimatesAreAllTheSame) {
  EXPECT_EQ(Pooled(std::vector<Measurement>{Estimated(7), Estimated(7)}).median_ns, 7);
}

TEST(MeasureLoads, SharesSamplesAmongLoadsAndPoolsThem) {
  const auto progress = MakeSilentProgress();
  const std::atomic<bool> cancelled = false;
  const MeasureOptions options{.target_half_width = 0.01, .min_samples = 40, .max_samples = 120, .loads = 4};
  std::vector<double> references;
  const auto measure = [&](const MeasureOptions& share, double reference_ns, const Context&) {
    EXPECT_EQ(share.loads, 0);
    EXPECT_EQ(share.min_samples, 10);
    EXPECT_EQ(share.max_samples, 30);
    EXPECT_DOUBLE_EQ(share.target_half_width, 0.02);
    references.push_back(reference_ns);
    return std::vector<Measurement>{OfRatios({10 * std::ssize(references)})};
  };
  const auto rows = MeasureLoads(options, 0, {SystemClock(), *progress, cancelled}, measure);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].samples_ns.size(), 4u);
  const double first = CanaryReference(OfRatios({10}));
  EXPECT_EQ(references, (std::vector<double>{0, first, first, first})) << "all in terms of the first load's canary";
}

TEST(MarkDrift, RowsOfAnotherTimeAreUnsteady) {
  std::vector<Measurement> rows(4);
  const double canaries[] = {1e6, 1.029e6, 1.05e6, 0.9e6};
  for (size_t i = 0; i < rows.size(); ++i) rows[i].canary_median_ns = canaries[i];
  rows[3].note = "54.0 °C";
  MarkDrift(rows, 1e6);
  EXPECT_TRUE(rows[0].steady && rows[1].steady);
  EXPECT_FALSE(rows[2].steady || rows[3].steady);
  EXPECT_EQ(rows[0].note, "");
  EXPECT_EQ(rows[2].note, "the canary was off by +5.0 %");
  EXPECT_EQ(rows[3].note, "54.0 °C; the canary was off by -10.0 %");
}

}  // namespace
}  // namespace hot
