// The hyper-parameter search of `hot train` with a stand-in for hot-train, whose scores are a formula and whose epochs
// take milliseconds: kill and compare, faults of single trainings, export. What hot-train itself does with pauses and
// checkpoints is in training_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "hot_program.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

// Best at lr = 10^-2.7 and better with more epochs; "checkpoint" is the number of lines in epochs.jsonl. $HOT_FAULT
// says which trainings go wrong: {"<number of the call>": "<how>"}.
constexpr const char* kFakeTrain = R"(
import ctypes, json, math, os, sys, time
ctypes.CDLL(None).prctl(1, 9)  # as hot-train: dies with hot
if os.getppid() == 1: sys.exit(1)
folder, options = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
stop = int(options.get('--epochs', 0))
trial = json.load(open(folder + '/trial.json'))
calls = folder + '/../../calls'
with open(calls, 'a') as file: file.write(f'{os.path.basename(folder)} {stop}\n')
fault = json.loads(os.environ.get('HOT_FAULT', '{}')).get(str(sum(1 for _ in open(calls))))
if fault == 'diverged':
    print('error: loss is no longer a finite number'); sys.exit(4)
if fault == 'memory':
    print('error: out of memory'); sys.exit(1)
if fault == 'disk':
    print('error: checkpoint.pt: no space left on device'); sys.exit(2)
if fault == 'killed': os.kill(os.getpid(), 9)
log = folder + '/epochs.jsonl'
done = sum(1 for _ in open(log)) if os.path.exists(log) else 0
last = stop or trial['epochs']
for epoch in range(done + 1, last + 1):
    time.sleep(0.004 + 0.002 * ((len(folder) + epoch) % 3))
    line = {'epoch': epoch, 'loss': 1.0, 'lr': trial['lr'], 'seconds': 0.01}
    with open(log, 'a') as file: file.write(json.dumps(line) + '\n')
score = math.exp(-(math.log10(trial['lr']) + 2.7) ** 2) * (0.6 + 0.4 * last / trial['epochs'])
score += 0.01 * len(set(trial['slots']))
result = {'version': 1, 'val_score': score, 'train_loss': 1.0, 'epochs': last, 'seconds': 0.01 * last}
if not stop: open(folder + '/weights.safetensors', 'w').write(str(score))
name = folder + (f'/rung-{stop}.json' if stop else '/result.json')
open(name + '.new', 'w').write(json.dumps(result)); os.rename(name + '.new', name)
)";

std::string Study(const std::string& hpo) {
  return "name: tiny\n"
         "model: {width: 0.35, input: [64, 64]}\n"
         "data: {root: data}\n"
         "search: {latency_ratio: 1.5, candidates: 3}\n"
         "train: {epochs: 9, batch: 8, hpo: {" +
         hpo + "}}\nrun: {workers: 2}\n";
}

constexpr const char* kBayes = "method: bayes, trials: 4, pruning: halving, lr: {low: 1e-4, high: 1e-1}, gamma: 0.5";

class TrialSearchTest : public testing::Test {
 protected:
  // Everything before the trainings, once.
  static void SetUpTestSuite() {
    shared_ = new TempFolder;
    ASSERT_EQ(RunHot(shared_->path(), "data make shapes data --train 12 --test 4").code, 0);
    WriteFileAtomic(shared_->path() / "study.yaml", Study(kBayes));
    ASSERT_EQ(RunHot(shared_->path(), "verify study.yaml --quiet").code, 0);
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  void SetUp() override { StartIn(folder_.path()); }

  // hot looks for hot-train beside itself, so it is run from a folder with the stand-in.
  static void StartIn(const fs::path& folder) {
    fs::copy(shared_->path(), folder, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    fs::copy_file(HOT_BINARY_DIR "/bin/hot", folder / "hot");
    WriteFileAtomic(folder / "hot-train", std::string("#!") + HOT_PYTHON + "\n" + kFakeTrain);
    ::chmod((folder / "hot-train").c_str(), 0755);
  }

  HotResult Hot(const std::string& arguments, const std::string& fault = "{}") const {
    const ProcessResult result = RunProcess(
        {"bash", "-c", "cd '" + folder_.path().string() + "' && HOT_FAULT='" + fault + "' exec ./hot " + arguments});
    return {.code = result.status.code, .output = result.output};
  }
  void UseStudy(const std::string& hpo) const { WriteFileAtomic(folder_.path() / "study.yaml", Study(hpo)); }
  fs::path Run() const { return folder_.path() / "runs" / "tiny"; }
  Json Read(const std::string& file) const { return Json::parse(ReadFile(Run() / file)); }
  size_t Calls() const {
    const std::string text = ReadFile(Run() / "calls");
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  std::vector<Json> Trials(const std::string& state = "") const {
    std::vector<Json> trials;
    const Json train = Read("train.json");
    for (const Json& network : train.at("networks")) {
      for (const Json& trial : network.at("trials")) {
        if (state.empty() || trial.at("state") == state) trials.push_back(trial);
      }
    }
    return trials;
  }
  // Epochs in the logs of all trials.
  int64_t Epochs() const {
    int64_t epochs = 0;
    for (const auto& folder : fs::directory_iterator(Run() / "trials")) {
      const std::string text = ReadFile(folder.path() / "epochs.jsonl");
      epochs += std::count(text.begin(), text.end(), '\n');
    }
    return epochs;
  }

  TempFolder folder_;
  static TempFolder* shared_;
};
TempFolder* TrialSearchTest::shared_ = nullptr;

TEST_F(TrialSearchTest, HalvingSparesEpochsAndEndsWithAFullTrainingOfTheBaseline) {
  const HotResult result = Hot("train study.yaml");
  ASSERT_EQ(result.code, 0) << result.output;
  const Json networks = Read("train.json").at("networks");
  EXPECT_NE(networks.at(0).at("best"), "");
  EXPECT_EQ(networks.at(0).at("role"), "baseline");
  EXPECT_EQ(Trials().size(), 4 * networks.size());
  EXPECT_GT(Trials("pruned").size(), 2 * networks.size());
  EXPECT_LT(Epochs(), static_cast<int64_t>(Trials().size()) * 9 / 2);
  for (const Json& trial : Trials("done")) EXPECT_EQ(trial.at("epochs"), 9);
  EXPECT_EQ(Hot("train study.yaml").code, 0);
  EXPECT_THAT(Hot("train study.yaml").output, HasSubstr("up to date"));
}

// The proof that the journal is the truth: whenever the search is killed, the same trials come out, with the same
// results, and no epoch is trained twice.
TEST_F(TrialSearchTest, KilledAnywhereItGoesOnAsIfUndisturbed) {
  ASSERT_EQ(Hot("train study.yaml").code, 0);
  const Json whole = Read("train.json");
  const int64_t epochs = Epochs();
  for (const int every_ms : {400, 800}) {
    fs::remove_all(folder_.path());
    StartIn(folder_.path());
    int kills = 0;
    for (bool done = false; !done && kills < 200; ++kills) {
      Process process({.argv = {"bash", "-c", "cd '" + folder_.path().string() + "' && exec ./hot train study.yaml"},
                       .env = {},
                       .stdout_file = folder_.path() / "log",
                       .stderr_file = folder_.path() / "log"});
      // Longer each time: to start takes a while on a busy machine.
      std::this_thread::sleep_for(std::chrono::milliseconds(every_ms + 100 * kills));
      done = process.Poll().has_value();
      process.Signal(SIGKILL);
      process.Wait();
    }
    ASSERT_TRUE(fs::exists(Run() / "train.json")) << ReadFile(folder_.path() / "log");
    EXPECT_EQ(Read("train.json"), whole) << "killed every " << every_ms << " ms, " << kills << " times";
    EXPECT_EQ(Epochs(), epochs);
  }
}

TEST_F(TrialSearchTest, FaultsOfSingleTrainingsAreSaidAndTheStudyGoesOn) {
  UseStudy("method: random, trials: 3, lr: {low: 1e-4, high: 1e-1}, gamma: 0.5");
  const HotResult result =
      Hot("train study.yaml --set run.workers=1",
          R"({"2": "diverged", "3": "memory", "4": "killed", "6": "disk", "7": "killed", "8": "killed"})");
  ASSERT_EQ(result.code, 0) << result.output;
  const auto failed = Trials("failed");
  ASSERT_EQ(failed.size(), 4u) << result.output;  // the one that was killed once went on
  std::string errors;
  for (const Json& trial : failed) errors += trial.at("error").get<std::string>() + "\n";
  for (const char* text : {"finite", "out of memory", "no space left", "signal 9"}) {
    EXPECT_THAT(errors, HasSubstr(text));
    EXPECT_THAT(result.output, HasSubstr(text)) << "and in a warning";
  }
  EXPECT_NE(Read("train.json").at("networks").at(0).at("best"), "");
}

TEST_F(TrialSearchTest, AfterAFullDiskTheNextCallTrainsOnlyWhatIsMissing) {
  UseStudy("lr: [1e-3, 2e-3], gamma: 0.5");
  std::string all = "{";
  for (int call = 2; call < 200; ++call) all += (call > 2 ? ",\"" : "\"") + std::to_string(call) + "\": \"disk\"";
  const HotResult full = Hot("train study.yaml --set run.workers=1 --set train.hpo.lr=1e-3", all + ",\"1\":\"disk\"}");
  EXPECT_EQ(full.code, 2);
  EXPECT_THAT(full.output, HasSubstr("no space left"));
  fs::remove(Run() / "calls");
  ASSERT_EQ(Hot("train study.yaml").code, 0);
  EXPECT_EQ(Calls(), Trials().size());
  EXPECT_EQ(Trials("done").size(), Trials().size());
}

TEST_F(TrialSearchTest, FinishedTrainingsAreReusedByASearchOverMore) {
  UseStudy("lr: [1e-3], gamma: 0.5");
  ASSERT_EQ(Hot("train study.yaml").code, 0);
  const size_t first = Calls();
  UseStudy("lr: [1e-3, 2e-3], gamma: 0.5");
  ASSERT_EQ(Hot("train study.yaml").code, 0);
  EXPECT_EQ(Trials("done").size(), 2 * first);
  EXPECT_EQ(Calls(), 2 * first);
}

TEST_F(TrialSearchTest, ADamagedResultIsMadeAgain) {
  UseStudy("lr: [1e-3], gamma: 0.5");
  ASSERT_EQ(Hot("train study.yaml").code, 0);
  const std::string trial = Trials()[0].at("trial");
  WriteFileAtomic(Run() / "trials" / trial / "result.json", "{");
  fs::remove(Run() / "train.json");
  fs::remove(Run() / "calls");
  ASSERT_EQ(Hot("train study.yaml").code, 0);
  EXPECT_EQ(ReadFile(Run() / "calls"), trial + " 0\n");
  EXPECT_EQ(Trials("done").size(), Trials().size());
}

TEST_F(TrialSearchTest, ABudgetOfEpochsEndsTheSearch) {
  ASSERT_EQ(Hot("train study.yaml --set train.hpo.budget_epochs=60").code, 0);
  EXPECT_LE(Epochs(), 60);
  EXPECT_NE(Read("train.json").at("networks").at(0).at("best"), "");
}

TEST_F(TrialSearchTest, StatusTellsOfTrainingsWhileTheyRunAndAfter) {
  ASSERT_EQ(Hot("train study.yaml").code, 0);
  const Json status = Json::parse(Hot("status runs/tiny --json").output);
  const Json& train = status.at("train");
  EXPECT_EQ(train.at("begun"), Trials().size());
  EXPECT_EQ(train.at("states").at("pruned"), Trials("pruned").size());
  EXPECT_EQ(train.at("states").at("running"), 0);
  EXPECT_EQ(train.at("left_s"), 0.0);
  const std::string text = Hot("status runs/tiny").output;
  EXPECT_THAT(text, HasSubstr("pruned"));
  EXPECT_THAT(text, HasSubstr("best "));
}

TEST_F(TrialSearchTest, OptunaOpensTheExport) {
  ASSERT_EQ(Hot("train study.yaml --set run.workers=1", R"({"1": "diverged"})").code, 0);
  for (const std::string format : {"sqlite", "journal"}) {
    ASSERT_EQ(Hot("journal export runs/tiny --optuna out." + format + " --format " + format).code, 0);
    EXPECT_EQ(Hot("journal export runs/tiny --optuna out." + format).code, 2) << "it is not overwritten";
    const std::string storage = format == "sqlite" ? "'sqlite:///out.sqlite'"
                                                   : "optuna.storages.JournalStorage(optuna.storages.journal."
                                                     "JournalFileBackend('out.journal'))";
    const ProcessResult read =
        RunProcess({"bash", "-c",
                    "cd '" + folder_.path().string() + "' && " + HOT_PYTHON + " -c \"import optuna, collections\n" +
                        "study = optuna.load_study(study_name='tiny', storage=" + storage + ")\n" +
                        "print(sorted(collections.Counter(t.state.name for t in study.trials).items()))\n" +
                        "print(len(study.best_params), study.user_attrs['metric'])\""});
    size_t done = Trials("done").size(), pruned = Trials("pruned").size();
    EXPECT_THAT(read.output, HasSubstr("[('COMPLETE', " + std::to_string(done) + "), ('FAIL', 1), ('PRUNED', " +
                                       std::to_string(pruned) + ")]"));
    EXPECT_THAT(read.output, HasSubstr("3 coco_ap"));  // lr, gamma, network
  }
}

}  // namespace
}  // namespace hot
