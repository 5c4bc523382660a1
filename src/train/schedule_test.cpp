#include "train/schedule.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace hot {
namespace {

TEST(Schedule, WarmsUpThenStepsDownTwice) {
  struct Case {
    int epochs, warmup, epoch, batch;
    double expected;
  };
  for (const Case& c : {Case{60, 1, 0, 0, 0.1},    // first of ten batches
                        Case{60, 1, 0, 9, 1.0},    // warm at its end
                        Case{60, 2, 0, 9, 0.5},    //
                        Case{60, 0, 0, 0, 1.0},    // no warm-up
                        Case{60, 1, 39, 9, 1.0},   // last before 2/3
                        Case{60, 1, 40, 0, 0.5},   // 2/3
                        Case{60, 1, 49, 9, 0.5},   // last before 5/6
                        Case{60, 1, 50, 0, 0.25},  // 5/6
                        Case{60, 1, 59, 9, 0.25},  //
                        Case{4, 1, 2, 0, 1.0},     // 2/3 of 4 is not reached before epoch 3
                        Case{4, 1, 3, 0, 0.5},     //
                        Case{1, 1, 0, 9, 1.0}}) {
    const Schedule schedule{.lr = 1.0, .gamma = 0.5, .epochs = c.epochs, .warmup_epochs = c.warmup, .batches = 10};
    EXPECT_DOUBLE_EQ(LearningRate(schedule, c.epoch, c.batch), c.expected)
        << c.epochs << " " << c.epoch << " " << c.batch;
  }
}

TEST(Schedule, WarmsUpThenFallsAlongACosine) {
  struct Case {
    int epochs, warmup, epoch, batch;
    double expected;
  };
  for (const Case& c : {Case{21, 1, 0, 0, 0.1},      // first of ten batches
                        Case{21, 1, 0, 9, 1.0},      // warm at its end
                        Case{21, 1, 1, 0, 1.0},      // start of the cosine
                        Case{21, 1, 11, 0, 0.5},     // half of the 200 batches behind the warm-up
                        Case{20, 0, 5, 0, 0.85355},  // a quarter: (1 + cos(pi / 4)) / 2
                        Case{20, 0, 19, 9, 6.2e-5},  // the last batch still moves
                        Case{2, 2, 1, 9, 1.0}}) {    // all warm-up
    const Schedule schedule{.kind = ScheduleKind::kCosine,
                            .lr = 1.0,
                            .gamma = 0.1,
                            .epochs = c.epochs,
                            .warmup_epochs = c.warmup,
                            .batches = 10};
    EXPECT_NEAR(LearningRate(schedule, c.epoch, c.batch), c.expected, 1e-5)
        << c.epochs << " " << c.epoch << " " << c.batch;
  }
}

TEST(Schedule, CosineNeverRisesAgain) {
  const Schedule schedule{.kind = ScheduleKind::kCosine, .lr = 1.0, .epochs = 7, .warmup_epochs = 2, .batches = 5};
  double before = 1;
  for (int step = 10; step < 35; ++step) {
    const double rate = LearningRate(schedule, step / 5, step % 5);
    EXPECT_LE(rate, before) << step;
    EXPECT_GT(rate, 0) << step;
    before = rate;
  }
}

TEST(Schedule, NamesAreChecked) {
  EXPECT_EQ(ParseScheduleKind("step"), ScheduleKind::kStep);
  EXPECT_EQ(ParseScheduleKind("cosine"), ScheduleKind::kCosine);
  EXPECT_THROW(ParseScheduleKind("linear"), Error);
}

}  // namespace
}  // namespace hot
