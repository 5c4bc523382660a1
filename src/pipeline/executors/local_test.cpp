#include "pipeline/executors/local.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>

namespace hot {
namespace {

// A stand-in for hot-train: a shell script that is given the trial folder.
class LocalExecutorTest : public testing::Test {
 protected:
  std::vector<TrialOutcome> Run(const std::string& script, int trials, int workers) {
    const fs::path program = folder_.path() / "hot-train";
    WriteFileAtomic(program, "#!/bin/sh\ncd \"$1\"\n" + script + "\n");
    ::chmod(program.c_str(), 0755);
    std::vector<fs::path> folders;
    for (int i = 0; i < trials; ++i) {
      folders.push_back(folder_.path() / ("trial" + std::to_string(i)));
      EnsureFolder(folders.back());
    }
    return LocalExecutor(program, workers)
        .Run(
            folders, [] {}, context_);
  }

  TempFolder folder_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  Context context_{SystemClock(), *progress_, cancelled_};
};

TEST_F(LocalExecutorTest, RunsAllInOrderOfTheList) {
  const auto outcomes = Run("pwd > result.json", 5, 2);
  ASSERT_EQ(outcomes.size(), 5u);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_TRUE(outcomes[i].done);
    EXPECT_EQ(outcomes[i].folder.filename(), "trial" + std::to_string(i));
  }
}

TEST_F(LocalExecutorTest, OneFailureDoesNotStopTheOthers) {
  const auto outcomes = Run("case $1 in *1) echo 'loss is not finite' >&2; exit 1;; esac; echo > result.json", 3, 1);
  EXPECT_TRUE(outcomes[0].done);
  EXPECT_FALSE(outcomes[1].done);
  EXPECT_EQ(outcomes[1].error, "loss is not finite");
  EXPECT_TRUE(outcomes[2].done);
}

TEST_F(LocalExecutorTest, AKilledTrialIsResumedOnce) {
  const auto resumed = Run("if [ -f seen ]; then echo > result.json; else touch seen; kill -9 $$; fi", 2, 2);
  EXPECT_TRUE(resumed[0].done && resumed[1].done);
  const auto hopeless = Run("rm -f result.json; kill -9 $$", 1, 1);
  EXPECT_FALSE(hopeless[0].done);
  EXPECT_THAT(hopeless[0].error, testing::HasSubstr("signal 9"));
}

TEST_F(LocalExecutorTest, SuccessWithoutAResultIsAFailure) { EXPECT_FALSE(Run("exit 0", 1, 1)[0].done); }

TEST_F(LocalExecutorTest, CancelEndsTheChildren) {
  cancelled_ = true;
  EXPECT_THROW(Run("sleep 60", 2, 2), Error);
}

TEST(MakeExecutor, UnknownNameIsRefused) { EXPECT_THROW(MakeExecutor("cloud", 1), Error); }

}  // namespace
}  // namespace hot
