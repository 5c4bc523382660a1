#include "train/schedule.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hot
