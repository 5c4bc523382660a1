// What every Executor must do, shown with a shell script in hot-train's place. To add an executor: one more row in
// kExecutors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <functional>
#include <set>
#include <thread>

#include "pipeline/executors/executor.h"
#include "pipeline/executors/local.h"
#include "pipeline/executors/ray.h"
#include "pipeline/executors/ray_cluster.h"
#include "tasks/trial.h"

namespace hot {
namespace {

using testing::HasSubstr;

// One for all tests of this process; none when Ray is not installed.
RayCluster* Cluster() {
  static const auto cluster = RayCluster::IsInstalled() ? std::make_unique<RayCluster>(/*cpus_per_node=*/2) : nullptr;
  return cluster.get();
}

struct ExecutorCase {
  std::string name;
  std::function<std::unique_ptr<Executor>(const fs::path& hot_train, int workers)> make;
};

void PrintTo(const ExecutorCase& executor, std::ostream* out) { *out << executor.name; }

const ExecutorCase kExecutors[] = {
    {"local",
     [](const fs::path& hot_train, int workers) -> std::unique_ptr<Executor> {
       return std::make_unique<LocalExecutor>(hot_train, std::vector<WorkerPlace>(static_cast<size_t>(workers)));
     }},
    {"ray",
     [](const fs::path& hot_train, int workers) -> std::unique_ptr<Executor> {
       EXPECT_NE(Cluster()->address(), "") << Cluster()->log();
       return std::make_unique<RayExecutor>(hot_train, ExecutorOptions{.name = "ray", .workers = workers});
     }},
};

// A zombie is not: its new parent may take a while to bury it.
bool IsAlive(int pid) {
  const fs::path status = "/proc/" + std::to_string(pid) + "/status";
  try {
    return ReadFile(status).find("State:\tZ") == std::string::npos;
  } catch (const Error&) {
    return false;
  }
}

class ExecutorContract : public testing::TestWithParam<ExecutorCase> {
 protected:
  void SetUp() override {
    if (GetParam().name == "ray" && Cluster() == nullptr) {
      GTEST_SKIP() << "skipped: Ray is not installed (scripts/setup --with-ray)";
    }
  }

  // $folder and $epochs (0: all) are what hot-train is given; `good` writes the result that is asked for.
  void Make(const std::string& script, int workers) {
    const fs::path program = folder_.path() / "hot-train";
    const std::string result = ToJson(TrialResult{.val_score = 0.5, .epochs = 3});
    WriteFileAtomic(program,
                    "#!/bin/sh\nfolder=$1; epochs=0; [ \"$2\" = --epochs ] && epochs=$3\ncd \"$folder\"\n"
                    "good() { name=result; [ $epochs != 0 ] && name=rung-$epochs\n"
                    "  echo '" +
                        result + "' > $name.json; }\n" + script + "\n");
    ::chmod(program.c_str(), 0755);
    executor_ = GetParam().make(program, workers);
  }

  TrialJob Job(int number, int epochs = 0) const {
    const fs::path folder = folder_.path() / ("trial" + std::to_string(number));
    EnsureFolder(folder);
    return {.folder = folder, .epochs = epochs};
  }

  std::vector<TrialOutcome> Wait(size_t count) {
    std::vector<TrialOutcome> outcomes;
    while (outcomes.size() < count) {
      for (TrialOutcome& outcome : executor_->Poll()) outcomes.push_back(std::move(outcome));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return outcomes;
  }

  TrialOutcome RunOne(const std::string& script, int epochs = 0) {
    Make(script, 1);
    executor_->Start(Job(0, epochs));
    return Wait(1).at(0);
  }

  TempFolder folder_;
  std::unique_ptr<Executor> executor_;
};

TEST_P(ExecutorContract, SaysWhatItIs) {
  Make("good", 3);
  EXPECT_EQ(executor_->name(), GetParam().name);
  EXPECT_EQ(executor_->capacity(), 3);
  EXPECT_TRUE(executor_->Poll().empty());
}

TEST_P(ExecutorContract, RunsEveryJobAlsoMoreThanItHasWorkers) {
  Make("good", 2);
  for (int i = 0; i < 5; ++i) executor_->Start(Job(i));
  std::set<std::string> folders;
  for (const TrialOutcome& outcome : Wait(5)) {
    EXPECT_TRUE(outcome.done) << outcome.error;
    folders.insert(outcome.folder.filename().string());
  }
  EXPECT_EQ(folders.size(), 5u);
}

TEST_P(ExecutorContract, JobsAreAddedWhileOthersRun) {
  Make("case $folder in *0) until [ -f go ]; do sleep 0.01; done;; esac; good", 2);
  executor_->Start(Job(0));
  executor_->Start(Job(1));
  EXPECT_EQ(Wait(1)[0].folder.filename(), "trial1");
  executor_->Start(Job(2));
  EXPECT_EQ(Wait(1)[0].folder.filename(), "trial2");
  WriteFileAtomic(Job(0).folder / "go", "");
  EXPECT_EQ(Wait(1)[0].folder.filename(), "trial0");
}

TEST_P(ExecutorContract, NeverMoreAtATimeThanItsCapacity) {
  Make("mkdir ../a 2>/dev/null || mkdir ../b || exit 9; sleep 0.05; rmdir ../b 2>/dev/null || rmdir ../a; good", 2);
  for (int i = 0; i < 6; ++i) executor_->Start(Job(i));
  for (const TrialOutcome& outcome : Wait(6)) EXPECT_NE(outcome.exit_code, 9);
}

TEST_P(ExecutorContract, ATrainingThatIsPausedGoesOnLater) {
  Make("good", 1);
  executor_->Start(Job(0, 2));
  EXPECT_TRUE(Wait(1)[0].done);
  EXPECT_TRUE(fs::exists(Job(0).folder / "rung-2.json"));
  EXPECT_FALSE(fs::exists(Job(0).folder / "result.json"));
  executor_->Start(Job(0));
  EXPECT_TRUE(Wait(1)[0].done);
  EXPECT_TRUE(fs::exists(Job(0).folder / "result.json"));
}

TEST_P(ExecutorContract, OneFailureSaysItsErrorAndDoesNotStopOthers) {
  Make("case $folder in *1) echo 'error: no space left on device' >&2; exit 2;; esac; good", 1);
  for (int i = 0; i < 3; ++i) executor_->Start(Job(i));
  const auto outcomes = Wait(3);
  EXPECT_TRUE(outcomes[0].done && outcomes[2].done);
  EXPECT_FALSE(outcomes[1].done);
  EXPECT_FALSE(outcomes[1].diverged);
  EXPECT_EQ(outcomes[1].error, "error: no space left on device");
  EXPECT_EQ(outcomes[1].exit_code, 2);
}

TEST_P(ExecutorContract, ADivergedTrainingIsToldFromOtherFailures) {
  const TrialOutcome outcome = RunOne("echo 'error: the loss is no longer a finite number'; exit 4");
  EXPECT_TRUE(outcome.diverged);
  EXPECT_FALSE(outcome.done);
}

TEST_P(ExecutorContract, AKilledTrainingIsTakenUpOnce) {
  EXPECT_TRUE(RunOne("if [ -f seen ]; then good; else touch seen; kill -9 $$; fi").done);
}

TEST_P(ExecutorContract, ATrainingThatIsKilledAgainHasFailed) {
  const TrialOutcome outcome = RunOne("echo x >> attempts; kill -9 $$");
  EXPECT_FALSE(outcome.done);
  EXPECT_THAT(outcome.error, HasSubstr("signal 9"));
  EXPECT_EQ(ReadFile(outcome.folder / "attempts"), "x\nx\n");
}

TEST_P(ExecutorContract, SuccessWithoutAResultIsAFailure) {
  EXPECT_FALSE(RunOne("exit 0").done);
  EXPECT_TRUE(RunOne("epochs=0; good", 2).done);  // it ended early: its whole result is there
  EXPECT_FALSE(RunOne("rm -f *.json; echo broken > rung-2.json", 2).done);
}

TEST_P(ExecutorContract, ItsEndEndsTheTrainings) {
  Make("echo $$ > pid; sleep 60", 1);
  executor_->Start(Job(0));
  const fs::path file = Job(0).folder / "pid";
  while (!fs::exists(file) || ReadFile(file).empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const int pid = std::stoi(ReadFile(file));
  executor_.reset();
  while (IsAlive(pid)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

INSTANTIATE_TEST_SUITE_P(Executors, ExecutorContract, testing::ValuesIn(kExecutors),
                         [](const auto& info) { return info.param.name; });

TEST(MakeExecutor, UnknownNameIsRefused) { EXPECT_THROW(MakeExecutor({.name = "cloud"}), Error); }

TEST(WorkerPlaces, OneAGpuOrAGroupOfCores) {
  using Places = std::vector<WorkerPlace>;
  EXPECT_EQ(WorkerPlaces(4, 0, {}), Places(4, {.threads = 1, .gpu = {}}));
  EXPECT_EQ(WorkerPlaces(9, 0, {.threads = 4}), Places(2, {.threads = 4, .gpu = {}}));
  EXPECT_EQ(WorkerPlaces(2, 0, {.threads = 4}), Places(1, {.threads = 4, .gpu = {}}));
  EXPECT_EQ(WorkerPlaces(64, 2, {}), (Places{{.threads = 1, .gpu = 0}, {.threads = 1, .gpu = 1}}));
  EXPECT_EQ(WorkerPlaces(64, 2, {.workers = 3})[2].gpu, 0);
}

class LocalGpus : public testing::Test {
 protected:
  // A machine with one GPU, whose hot-train answers `script`.
  int Usable(const std::string& device, const std::string& script) {
    WriteFileAtomic(folder_.path() / "dev/nvidia0", "");
    const fs::path program = folder_.path() / "hot-train";
    WriteFileAtomic(program, "#!/bin/sh\n" + script + "\n");
    ::chmod(program.c_str(), 0755);
    return UsableGpus(device, program, folder_.path() / "dev");
  }
  std::string Failure(const std::string& script) {
    try {
      return std::to_string(Usable("cuda", script));
    } catch (const Error& error) {
      EXPECT_EQ(ExitCode(error.code()), 2);
      return error.what();
    }
  }
  void SetUp() override { EnsureFolder(folder_.path() / "dev"); }

  TempFolder folder_;
};

TEST_F(LocalGpus, AreThoseThatHotTrainCanUse) {
  EXPECT_EQ(Usable("cuda", "[ $1 = --gpus ] && echo 2"), 2);
  EXPECT_EQ(Usable("auto", "[ $1 = --gpus ] && echo 2"), 2);
  EXPECT_EQ(Usable("auto", "echo 0 CUDA finds no GPU"), 0);
  EXPECT_EQ(Usable("auto", "exit 1"), 0);
  EXPECT_EQ(Usable("cpu", "echo 2"), 0);
}

TEST_F(LocalGpus, OfWhichNoneCanBeUsedAreAnErrorForCuda) {
  EXPECT_THAT(Failure("echo 0 no CUDA in this LibTorch"), HasSubstr("train.device: cuda: no CUDA in this LibTorch ("));
  EXPECT_THAT(Failure("exit 1"), HasSubstr("hot-train --gpus gave no answer"));
  fs::remove_all(folder_.path() / "dev");
  EXPECT_EQ(UsableGpus("auto", "/none", folder_.path() / "dev"), 0);
  try {
    UsableGpus("cuda", "/none", folder_.path() / "dev");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("train.device: cuda: this machine has no NVIDIA GPU"));
  }
}

TEST_F(LocalGpus, EachTrainingSeesItsOwn) {
  EXPECT_EQ(VisibleGpu(1, nullptr), "1");
  EXPECT_EQ(VisibleGpu(0, "2,GPU-8932f937,5"), "2");
  EXPECT_EQ(VisibleGpu(1, "2,GPU-8932f937,5"), "GPU-8932f937");
  EXPECT_EQ(VisibleGpu(2, "2,GPU-8932f937,5"), "5");
  Usable("auto", "echo $CUDA_VISIBLE_DEVICES $* > $1/seen");
  LocalExecutor executor(folder_.path() / "hot-train", {{.threads = 1, .gpu = 0}, {.threads = 1, .gpu = 1}});
  for (const char* name : {"a", "b"}) {
    EnsureFolder(folder_.path() / name);
    executor.Start({.folder = folder_.path() / name, .epochs = 0});
  }
  for (size_t ended = 0; ended < 2; ended += executor.Poll().size()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(ReadFile(folder_.path() / "a/seen"), "0 " + (folder_.path() / "a").string() + " --device cuda\n");
  EXPECT_EQ(ReadFile(folder_.path() / "b/seen"), "1 " + (folder_.path() / "b").string() + " --device cuda\n");
}

TEST(CountGpus, CountsNumberedDeviceFiles) {
  TempFolder devices;
  for (const char* name : {"nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null", "nvidia"}) {
    WriteFileAtomic(devices.path() / name, "");
  }
  EXPECT_EQ(CountGpus(devices.path()), 2);
  EXPECT_EQ(CountGpus(devices.path() / "none"), 0);
}

}  // namespace
}  // namespace hot
