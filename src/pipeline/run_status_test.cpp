#include "pipeline/run_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "pipeline/run_lock.h"
#include "pipeline/run_progress.h"

namespace hot {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::ordered_json;

class SteppedClock : public Clock {
 public:
  int64_t NowNs() const override { return seconds * 1'000'000'000; }
  int64_t WallSeconds() const override { return 1'795'000'000 + seconds; }
  int64_t seconds = 100;
};

class RunStatusTest : public ::testing::Test {
 protected:
  // As the stage runner does, some seconds later.
  void Finish(const std::string& stage) {
    clock_.seconds += 10;
    EnsureFolder(run_ / "stages");
    WriteFileAtomic(run_ / "stages" / (stage + ".json"), Json{{"version", 1},
                                                              {"stage", stage},
                                                              {"seconds", 10.0},
                                                              {"summary", stage + " is done"},
                                                              {"finished", FormatUtc(clock_.WallSeconds())}}
                                                             .dump());
  }

  // A process that works here until it is destroyed.
  struct Worker {
    Worker(const fs::path& run, Progress& inner, const Clock& clock) : lock(LockRun(run)), progress(inner, clock, run) {
      ForgetProgress(run);
    }
    std::unique_ptr<FileLock> lock;
    RunProgress progress;
  };
  std::unique_ptr<Worker> Work() { return std::make_unique<Worker>(run_, *silent_, clock_); }

  void RunStages(Worker& worker, std::initializer_list<const char*> stages) {
    for (const char* stage : stages) {
      worker.progress.Begin(stage, 0);
      Finish(stage);
      worker.progress.End("done");
    }
  }

  std::string State() const { return RunStatus(run_).at("state"); }
  std::vector<std::string> StageStates() const {
    std::vector<std::string> states;
    const Json status = RunStatus(run_);
    for (const Json& stage : status.at("stages")) states.push_back(stage.at("state"));
    return states;
  }

  TempFolder folder_;
  const fs::path run_ = folder_.path();
  SteppedClock clock_;
  std::unique_ptr<Progress> silent_ = MakeSilentProgress();
};

constexpr auto kAll = {"profile", "search", "verify", "train", "quantize", "compile", "evaluate"};

TEST_F(RunStatusTest, NothingHasBegun) {
  EXPECT_EQ(State(), kNotBegun);
  EXPECT_EQ(RunStatus(run_ / "nowhere").at("state"), kNotBegun);
  EXPECT_EQ(RunStatus(run_).at("train"), nullptr);
}

TEST_F(RunStatusTest, TellsWhatARunningStudyDoes) {
  const auto worker = Work();
  EXPECT_EQ(State(), kRunning);
  EXPECT_EQ(RunStatus(run_).at("doing"), nullptr);
  RunStages(*worker, {"profile", "search"});
  worker->progress.Begin("verify", 20);
  worker->progress.Update(4, "");
  clock_.seconds += 6;
  worker->progress.Update(8, "measuring 4 whole networks in turns");
  const Json doing = RunStatus(run_).at("doing");
  EXPECT_EQ(doing.at("stage"), "verify");
  EXPECT_EQ(doing.at("done"), 8.0);
  EXPECT_EQ(doing.at("total"), 20.0);
  EXPECT_EQ(doing.at("note"), "measuring 4 whole networks in turns");
  EXPECT_DOUBLE_EQ(doing.at("left_s"), 18);  // 4 in 6 seconds; the first 4 were there before
  EXPECT_EQ(doing.at("begun"), FormatUtc(clock_.WallSeconds() - 6));
  EXPECT_THAT(StageStates(), ElementsAre("done", "done", "running", "waiting", "waiting", "waiting", "waiting"));
}

TEST_F(RunStatusTest, AKilledStudyIsInterruptedAndGoesOn) {
  auto worker = Work();
  RunStages(*worker, {"profile"});
  worker->progress.Begin("search", 0);
  worker.reset();  // its lock is gone, its last words are still there
  EXPECT_EQ(State(), kInterrupted);
  EXPECT_EQ(RunStatus(run_).at("doing").at("stage"), "search");
  worker = Work();
  EXPECT_EQ(State(), kRunning);
  worker->progress.Begin("profile", 0);
  worker->progress.End("up to date");
  EXPECT_EQ(StageStates().front(), "done");
  RunStages(*worker, {"search", "verify"});
  worker.reset();
  EXPECT_EQ(State(), kPartly);
  EXPECT_EQ(RunStatus(run_).at("doing"), nullptr);
}

TEST_F(RunStatusTest, IsFinishedWithTheLastStage) {
  auto worker = Work();
  RunStages(*worker, kAll);
  EXPECT_EQ(State(), kRunning);  // it still writes the report
  worker.reset();
  EXPECT_EQ(State(), kFinished);
  EXPECT_EQ(RunStatus(run_).at("stages").back().at("summary"), "evaluate is done");
  fs::remove(run_ / "progress.json");  // older versions wrote none
  EXPECT_EQ(State(), kFinished);
}

TEST_F(RunStatusTest, ResultsOfAnEarlierRunAreNotCalledDone) {
  RunStages(*Work(), kAll);
  auto worker = Work();
  worker->progress.Begin("profile", 0);
  worker->progress.End("up to date");
  worker->progress.Begin("search", 0);
  EXPECT_THAT(StageStates(), ElementsAre("done", "running", "earlier", "earlier", "earlier", "earlier", "earlier"));
  Finish("search");
  worker->progress.End("done");
  worker.reset();  // only hot search was asked for
  EXPECT_THAT(StageStates(), ElementsAre("done", "done", "earlier", "earlier", "earlier", "earlier", "earlier"));
  EXPECT_EQ(State(), kPartly);
}

TEST_F(RunStatusTest, CountsEpochsOfRunningTrainings) {
  WriteFileAtomic(run_ / "train_progress.json",
                  R"({"version": 1, "left_s": 42.5, "trials": [
                      {"trial": "a", "state": "running", "epochs": 0, "of": 9, "val_score": null},
                      {"trial": "b", "state": "paused", "epochs": 3, "of": 9, "val_score": 0.25}]})");
  EnsureFolder(run_ / "trials" / "a");
  WriteFileAtomic(run_ / "trials" / "a" / "epochs.jsonl", "{\"epoch\": 1}\n{\"epoch\": 2}\n");
  auto worker = Work();
  worker->progress.Begin("train", 1);
  const Json running = RunStatus(run_);
  EXPECT_EQ(running.at("train").at("trials").at(0).at("epochs"), 2);
  EXPECT_EQ(running.at("train").at("trials").at(0).at("state"), "running");
  EXPECT_EQ(running.at("doing").at("left_s"), 42.5);
  worker.reset();
  EXPECT_EQ(RunStatus(run_).at("train").at("trials").at(0).at("state"), kInterrupted);
  EXPECT_EQ(RunStatus(run_).at("train").at("trials").at(1).at("state"), "paused");
}

TEST_F(RunStatusTest, WhatIsBrokenIsAsIfItWereNotThere) {
  EnsureFolder(run_ / "stages");
  for (const char* file : {"progress.json", "train_progress.json", "stages/profile.json"}) {
    for (const char* text :
         {"", "{", "[1]", "{\"version\": 2, \"stage\": \"train\"}", "{\"version\": 1, \"trials\": [{}]}"}) {
      WriteFileAtomic(run_ / file, text);
      if (std::string(text).find("trials") == std::string::npos) EXPECT_EQ(State(), kNotBegun) << file << text;
      RunStatus(run_);
    }
    fs::remove(run_ / file);
  }
}

TEST_F(RunStatusTest, LookingDoesNotKeepAStudyOut) {
  std::atomic<bool> stop{false};
  std::jthread looker([&] {
    while (!stop) IsRunLocked(run_);
  });
  for (int i = 0; i < 50; ++i) EXPECT_NO_THROW(Work());
  stop = true;
}

TEST_F(RunStatusTest, AFolderThatCannotBeWrittenDoesNotFailTheStudy) {
  RunProgress progress(*silent_, clock_, run_ / "nowhere");
  EXPECT_NO_THROW(progress.Begin("search", 0));
  EXPECT_NO_THROW(progress.End(""));
}

}  // namespace
}  // namespace hot
