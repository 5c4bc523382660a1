// The main job end to end on a few synthetic pictures: a whole study, a second call, kill -9 at every stage, damaged
// files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <thread>

#include "core/hash.h"
#include "hot_program.h"
#include "models/backbone.h"
#include "store/store.h"
#include "tasks/trial.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr const char* kStages[] = {"profile", "search", "verify", "train", "quantize", "compile", "evaluate"};

class StudyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new TempFolder;
    MakeMeasuredStudy(shared_->path(), "--train 24 --test 8");
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  void SetUp() override {
    fs::copy(shared_->path(), folder_.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
  fs::path Run() const { return folder_.path() / "runs" / "tiny"; }
  Json Read(const std::string& file) const { return Json::parse(ReadFile(Run() / file)); }

  // Of the evaluation: which network won depends on measured times, what is said then doesn't.
  std::string Verdict() const {
    const Json evaluation = Read("evaluation.json");
    const std::string verdict = evaluation.at("verdict");
    const Json& winners = evaluation.at("winners");
    const bool won = !winners.at("accuracy").is_null() || !winners.at("latency").is_null();
    const std::string points = "points of " + evaluation.at("score").get<std::string>();
    EXPECT_THAT(verdict, HasSubstr(won ? points : "keep the baseline"));
    return verdict;
  }

  // All weights of all trials, and the choices: what must not depend on interruptions.
  std::string Fingerprint() const {
    std::string text;
    const Json verified = Read("verify.json"), trained = Read("train.json");
    for (const Json& candidate : verified.at("candidates")) text += candidate.at("id").get<std::string>() + " ";
    for (const Json& network : trained.at("networks")) {
      for (const Json& trial : network.at("trials")) {
        text += Sha256File(Run() / "trials" / trial.at("trial").get<std::string>() / "weights.safetensors") + "\n";
      }
    }
    EXPECT_FALSE(text.empty());
    return text;
  }

  // Of a study that has run, whose measurements and trainings are used again.
  void TestOnAnotherDataSet();
  void AddAFlipTest();
  void QuantizeWithEveryStep();
  void ExpectTheNextStudyCanStartFromIt();

  TempFolder folder_;
  static TempFolder* shared_;
};
TempFolder* StudyTest::shared_ = nullptr;

// Every export of the baseline; then a study whose networks begin with its weights.
void StudyTest::ExpectTheNextStudyCanStartFromIt() {
  for (const std::string format : {"pytorch", "safetensors", "onnx"}) {
    const HotResult exported = RunHot(folder_.path(), "export runs/tiny --format " + format + " --out " + format);
    EXPECT_EQ(exported.code, 0) << exported.output;
  }
  const HotResult next = RunHot(folder_.path(),
                                "train study.yaml --set name=next --set "
                                "model.pretrained=safetensors/weights.safetensors");
  ASSERT_EQ(next.code, 0) << next.output;
  const Json networks = Json::parse(ReadFile(folder_.path() / "runs/next/train.json")).at("networks");
  for (const Json& network : networks) {
    const bool baseline = network.at("role") == "baseline";
    const std::string log =
        ReadFile(folder_.path() / "runs/next/trials" / network.at("best").get<std::string>() / "log.txt");
    EXPECT_THAT(log, HasSubstr("weights.safetensors (hot names): "));
    EXPECT_EQ(log.find("from random: ") == std::string::npos, baseline) << log;
    EXPECT_EQ(log.find("from random: head"), std::string::npos) << log;
  }
}

// The same pictures as those of another data set, where a class has another name.
void StudyTest::TestOnAnotherDataSet() {
  const Json before = Read("evaluation.json");
  const fs::path file = folder_.path() / "elsewhere/annotations/test.json";
  fs::copy(folder_.path() / "data", folder_.path() / "elsewhere", fs::copy_options::recursive);
  WriteFileAtomic(file, std::regex_replace(ReadFile(file), std::regex("\"circle\""), "\"disc\""));
  const std::string elsewhere = " --set data.test_root=elsewhere --set data.test_format=coco --set data.same_classes=";
  const HotResult result = RunHot(folder_.path(), "evaluate study.yaml" + elsewhere + "circle/disc");
  ASSERT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, testing::Not(HasSubstr("no object of")));
  const Json after = Read("evaluation.json");
  for (size_t i = 0; i < before.at("networks").size(); ++i) {
    const Json &voc = before["networks"][i]["artifacts"][1], &coco = after.at("networks").at(i)["artifacts"][1];
    EXPECT_EQ(voc.at("sha256"), coco.at("sha256"));
    EXPECT_EQ(coco.at("test").at("per_class").size(), 3u);
    EXPECT_NEAR(voc.at("test").at("ap50").get<double>(), coco.at("test").at("ap50").get<double>(), 1e-9);
  }
  const HotResult search = RunHot(folder_.path(), "search study.yaml" + elsewhere);
  ASSERT_EQ(search.code, 0) << search.output;
  EXPECT_THAT(search.output, HasSubstr("no object of circle: scored on the other 2 classes"));
}

// What was lost is told for every network; artifacts follow the quantization.
void StudyTest::QuantizeWithEveryStep() {
  const Json plain = Read("quantize.json"), before = Read("evaluation.json");
  EXPECT_EQ(plain.at("networks").size(), before.at("networks").size());
  const HotResult result =
      RunHot(folder_.path(),
             "evaluate study.yaml --set quantize.rounding=adaptive --set quantize.correct_bias=true "
             "--set quantize.equalize=true --set quantize.max_drop=0 --set quantize.finetune_epochs=1");
  ASSERT_EQ(result.code, 0) << result.output;
  const Json after = Read("evaluation.json"), quantized = Read("quantize.json");
  for (size_t i = 0; i < before.at("networks").size(); ++i) {
    const Json& entry = quantized.at("networks").at(i);
    EXPECT_EQ(entry.at("id"), plain.at("networks")[i].at("id"));
    EXPECT_TRUE(plain.at("networks")[i].at("float_layers").empty()) << "nothing was promised";
    EXPECT_EQ(entry.at("holds"), entry.at("score") >= entry.at("fp32"));
    const Json& tuned = entry.at("fine_tuned");  // null of networks that lost nothing
    EXPECT_TRUE(!tuned.is_null() || (entry.at("holds") && entry.at("float_layers").empty())) << entry;
    if (!tuned.is_null()) EXPECT_GE(entry.at("score"), std::max(tuned.at("before"), tuned.at("after")));
    EXPECT_GT(entry.at("layers").size(), 30u);
    EXPECT_GT(entry.at("layers")[0].at("sqnr_db"), 20) << "of the input, which is only rounded";
    const Json &was = before["networks"][i]["artifacts"][1], &is = after.at("networks").at(i)["artifacts"][1];
    EXPECT_NE(was.at("sha256"), is.at("sha256"));
    if (entry.at("float_layers").empty()) continue;
    EXPECT_GT(is.at("layers").value("f32", 0), was.at("layers").value("f32", 0));
  }
}

// Scores are of two passes, and so is the time that is said to be needed for them.
void StudyTest::AddAFlipTest() {
  const std::string flip_test = " --set model.flip_test=true --set data.mirror_pairs=p0/p1";
  const HotResult result = RunHot(folder_.path(), "evaluate study.yaml" + flip_test);
  ASSERT_EQ(result.code, 0) << result.output;
  const Json evaluation = Read("evaluation.json");
  EXPECT_EQ(evaluation.at("passes"), 2);
  EXPECT_THAT(evaluation.at("verdict").get<std::string>(), HasSubstr("two passes an object"));
  const Json& baseline = evaluation.at("networks")[0].at("artifacts")[1];
  EXPECT_DOUBLE_EQ(baseline.at("latency").at("predicted_ns"),
                   2 * Read("verify.json").at("baseline").at("latency_ns").get<double>());
  const Json manifest = Json::parse(ReadFile(Run() / baseline.at("folder").get<std::string>() / "manifest.json"));
  EXPECT_EQ(Json::parse(manifest.at("task").at("options").get<std::string>()).at("flip_test"), true);
  const HotResult search = RunHot(folder_.path(),
                                  "search study.yaml --json --quiet --set search.latency_ratio= "
                                  "--set search.latency_ms=10" +
                                      flip_test);
  ASSERT_EQ(search.code, 0) << search.output;
  EXPECT_EQ(Json::parse(search.output).at("budgets").at("latency_ms"), 5) << "of one pass";
}

TEST_F(StudyTest, RunsWholeAndThenHasNothingToDo) {
  const HotResult first = RunHot(folder_.path(), "optimize study.yaml");
  ASSERT_EQ(first.code, 0) << first.output;
  const Json evaluation = Read("evaluation.json");
  EXPECT_GE(evaluation.at("networks").size(), 2u);
  for (const Json& network : evaluation.at("networks")) {
    ASSERT_EQ(network.at("artifacts").size(), 2u);  // fp32 and int8
    const Json& int8 = network.at("artifacts")[1];
    EXPECT_EQ(int8.at("precision"), "int8");
    EXPECT_GT(int8.at("latency").at("median_ns"), 0);
    EXPECT_EQ(Sha256File(Run() / int8.at("folder").get<std::string>() / "model.onnx"), int8.at("sha256"));
  }
  EXPECT_THAT(ReadFile(Run() / "report.html"), HasSubstr("<html"));
  const HotResult second = RunHot(folder_.path(), "optimize study.yaml");
  EXPECT_EQ(second.code, 0);
  for (const char* stage : kStages) EXPECT_THAT(second.output, HasSubstr(std::string(stage)));
  EXPECT_THAT(second.output, testing::Not(HasSubstr("measured,")));
  EXPECT_EQ(RunHot(folder_.path(), "status runs/tiny").code, 0);
  const std::string best = Read("train.json").at("networks")[0].at("best");
  EXPECT_THAT(ReadFile(Run() / "trials" / best / "log.txt"), HasSubstr("computes on: cpu"));
  ExpectTheNextStudyCanStartFromIt();
  TestOnAnotherDataSet();
  QuantizeWithEveryStep();
}

// Nothing is measured before, and no training is begun.
TEST_F(StudyTest, AGpuThatIsNotThereIsSaidAtOnce) {
  if (fs::exists("/dev/nvidia0")) GTEST_SKIP() << "skipped: this machine has a GPU";
  const HotResult result = RunHot(folder_.path(), "optimize study.yaml --set train.device=cuda");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.output, HasSubstr("error: train.device: cuda: this machine has no NVIDIA GPU (no /dev/nvidia0) "
                                       "(with train.device: auto it is the CPU then)\n"));
  EXPECT_FALSE(fs::exists(Run() / "table.json"));
  EXPECT_FALSE(fs::exists(Run() / "trials"));
  const ProcessResult gpus = RunProcess({HOT_BINARY_DIR "/bin/hot-train", "--gpus"});
  EXPECT_EQ(gpus.status.code, 0);
  EXPECT_THAT(gpus.output, testing::StartsWith("0 "));
  EXPECT_EQ(RunProcess({HOT_BINARY_DIR "/bin/hot-train", "trial", "--device", "gpu", "--epochs"}).status.code, 2);
}

// The real hot-train in less memory than its batches need: one line and an exit code, which the search tells of
// (trial_search_test).
TEST_F(StudyTest, ATrainingThatRunsOutOfMemorySaysSo) {
  const fs::path trial = folder_.path() / "trial";
  EnsureFolder(trial);
  TrialSpec spec{.id = "large", .width = 1.0};
  const Backbone& net = FindBackbone(spec.backbone);
  for (const Choice& choice : BaselineChoices(net, spec.width, Precision::kInt8)) spec.slots.push_back(choice.Name());
  spec.train = {.root = folder_.path() / "data", .split = "trainval", .classes = {"circle", "square", "triangle"}};
  spec.task.classes = spec.train.classes;
  spec.task.input = {3, 2048, 2048};
  spec.batch = 20;
  WriteFileAtomic(trial / "trial.json", ToJson(spec) + "\n");
  const ProcessResult result = RunProcess(
      {"bash", "-c", "ulimit -v 6000000; exec " HOT_BINARY_DIR "/bin/hot-train '" + trial.string() + "' 2>&1"});
  EXPECT_EQ(result.status.code, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("error: out of memory (close other programs, or choose a smaller input or "
                                       "batch)\n"));
  EXPECT_FALSE(fs::exists(trial / "result.json"));
}

TEST_F(StudyTest, PosesRunWholeAndThenHaveNothingToDo) {
  WriteFileAtomic(folder_.path() / "study.yaml", TinyPoseStudy());
  const HotResult first = RunHot(folder_.path(), "optimize study.yaml");
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_THAT(first.output, HasSubstr("pictures are not mirrored (data.mirror_pairs)"));
  const Json evaluation = Read("evaluation.json");
  EXPECT_EQ(evaluation.at("predicted"), "keypoints");
  EXPECT_EQ(Read("train.json").at("predicted"), "keypoints");
  EXPECT_EQ(evaluation.at("score"), "pck@0.2");
  EXPECT_EQ(evaluation.at("test_pictures"), 8);
  EXPECT_GT(evaluation.at("test_views"), 8);
  for (const Json& network : evaluation.at("networks")) {
    ASSERT_EQ(network.at("artifacts").size(), 2u);
    for (const Json& artifact : network.at("artifacts")) {
      EXPECT_GT(artifact.at("latency").at("median_ns"), 0);
      EXPECT_EQ(artifact.at("test").at("per_keypoint").size(), 4u);
      EXPECT_FALSE(artifact.at("test").contains("coco_ap")) << "nobody has tolerances for corners of shapes";
      const Json manifest = Json::parse(ReadFile(Run() / artifact.at("folder").get<std::string>() / "manifest.json"));
      const Json options = Json::parse(manifest.at("task").at("options").get<std::string>());
      EXPECT_EQ(options.at("keypoints").size(), 4u);
      EXPECT_EQ(manifest.at("outputs").at("names"), Json::array({"head.refine"})) << "GlobalNet's maps don't ship";
    }
  }
  const Json table = Read("table.json").at("tables")[0];
  for (const Json& row : table.at("rows")) EXPECT_NE(row.at("part"), "tail") << "nobody reads it";
  EXPECT_THAT(ReadFile(Run() / "report.html"), HasSubstr(Verdict()));
  const HotResult second = RunHot(folder_.path(), "optimize study.yaml");
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.output, testing::Not(HasSubstr("measured,")));
  AddAFlipTest();
}

TEST_F(StudyTest, ClassificationRunsWholeAndThenHasNothingToDo) {
  WriteFileAtomic(folder_.path() / "study.yaml", TinyClassifyStudy());
  const HotResult first = RunHot(folder_.path(), "optimize study.yaml");
  ASSERT_EQ(first.code, 0) << first.output;
  const Json evaluation = Read("evaluation.json");
  EXPECT_EQ(evaluation.at("predicted"), "classes");
  EXPECT_EQ(evaluation.at("score"), "top1");
  for (const Json& network : evaluation.at("networks")) {
    ASSERT_EQ(network.at("artifacts").size(), 2u);
    for (const Json& artifact : network.at("artifacts")) {
      EXPECT_GT(artifact.at("latency").at("median_ns"), 0);
      const Json& test = artifact.at("test");
      double right = 0, pictures = 0;
      for (const Json& row : test.at("per_class")) {
        right += row.at("top1").get<double>() * row.at("pictures").get<double>();
        pictures += row.at("pictures").get<double>();
      }
      EXPECT_EQ(pictures, evaluation.at("test_pictures"));
      EXPECT_NEAR(test.at("score").get<double>(), right / pictures, 1e-9);
      EXPECT_EQ(test.at("score"), test.at("top1"));
      const Json manifest = Json::parse(ReadFile(Run() / artifact.at("folder").get<std::string>() / "manifest.json"));
      EXPECT_EQ(manifest.at("task").at("classes"), Json::array({"circle", "square", "triangle"}));
      EXPECT_EQ(manifest.at("outputs").at("names"), Json::array({"head.classifier"}));
    }
  }
  EXPECT_THAT(ReadFile(Run() / "report.html"), HasSubstr(Verdict()));
  const HotResult second = RunHot(folder_.path(), "optimize study.yaml");
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.output, testing::Not(HasSubstr("measured,")));
}

TEST_F(StudyTest, ResNetsRunWholeAndThenHaveNothingToDo) {
  const std::string study = "study.yaml --set name=resnet --set model.backbone=resnet18 --set model.width=0.25";
  const HotResult first = RunHot(folder_.path(), "optimize " + study);
  ASSERT_EQ(first.code, 0) << first.output;
  const auto read = [&](const char* file) { return Json::parse(ReadFile(folder_.path() / "runs/resnet" / file)); };
  const Json table = read("table.json").at("tables")[0];
  std::set<std::string> parts;
  for (const Json& row : table.at("rows")) parts.insert(row.at("part"));
  EXPECT_THAT(parts, testing::ElementsAre("head", "slot1", "slot2", "slot3", "slot4", "stem"));
  const Json evaluation = read("evaluation.json");
  EXPECT_EQ(evaluation.at("networks")[0].at("slots")[0], "basic-k3-e1@int8");
  for (const Json& network : evaluation.at("networks")) {
    for (const Json& artifact : network.at("artifacts")) EXPECT_GT(artifact.at("latency").at("median_ns"), 0);
  }
  const HotResult second = RunHot(folder_.path(), "optimize " + study);
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.output, testing::Not(HasSubstr("measured,")));
}

TEST_F(StudyTest, SearchPrintsTheDocumentedJson) {
  const HotResult result = RunHot(folder_.path(), "search study.yaml --json --quiet");
  ASSERT_EQ(result.code, 0) << result.output;
  const Json json = Json::parse(result.output);
  EXPECT_EQ(json.at("version"), 1);
  ASSERT_FALSE(json.at("candidates").empty());
  for (const Json& candidate : json.at("candidates")) {
    for (const char* key : {"id", "rank", "objective", "width", "slots", "latency_ns", "macs", "flash_kib", "ram_kib",
                            "solver", "optimal", "solve_ns"}) {
      EXPECT_TRUE(candidate.contains(key)) << key;
    }
    EXPECT_EQ(candidate.at("slots").size(), 7u);
    EXPECT_TRUE(candidate.at("optimal"));
  }
}

// A new run finds the same numbers in the journal, though some were unsteady: they have had their second try, or get
// it now.
TEST_F(StudyTest, UnsteadyRowsGetASecondTryAndNoThird) {
  ASSERT_EQ(RunHot(folder_.path(), "profile study.yaml --quiet").code, 0);
  const std::string device = Read("table.json").at("device").at("fingerprint");
  const fs::path journal = folder_.path() / "runs" / "journal.sqlite";
  std::vector<MeasurementRow> rows = OpenStore(journal)->Measurements(device);
  ASSERT_GT(rows.size(), 20u);
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(journal.string() + end);
  {
    const auto store = OpenStore(journal);
    for (MeasurementRow& row : rows) row.steady = row.key.flags.find(";part") == std::string::npos;
    for (const MeasurementRow& row : rows) store->AddMeasurement(row);
    for (size_t i = 2; i < rows.size(); ++i) store->AddMeasurement(rows[i]);
  }
  fs::remove_all(Run());
  const HotResult again = RunHot(folder_.path(), "profile study.yaml");
  ASSERT_EQ(again.code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr(" rows, 2 measured, "));
  fs::remove_all(Run());
  EXPECT_THAT(RunHot(folder_.path(), "profile study.yaml").output, HasSubstr(" rows, 0 measured, "));
}

// Starts the study, kills it as soon as `stage` is at work, and goes on: the result is that of an undisturbed run.
TEST_F(StudyTest, KillNineAnywhereChangesNothing) {
  ASSERT_EQ(RunHot(folder_.path(), "evaluate study.yaml").code, 0);
  const std::string undisturbed = Fingerprint();
  const std::string epochs =
      ReadFile(Run() / "trials" / Read("train.json").at("networks")[0].at("best").get<std::string>() / "epochs.jsonl");
  fs::remove_all(Run());  // the journal stays: given the same rows, everything must come out the same

  const std::string program = HOT_BINARY_DIR "/bin/hot";
  for (int wait_ms : {150, 400, 900, 1500, 2500, 4000, 6000}) {
    Process process(
        {.argv = {"bash", "-c", "cd '" + folder_.path().string() + "' && exec '" + program + "' evaluate study.yaml"},
         .env = {},
         .stdout_file = folder_.path() / "log",
         .stderr_file = folder_.path() / "log"});
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    process.Signal(SIGKILL);
    process.Wait();
  }
  const HotResult last = RunHot(folder_.path(), "evaluate study.yaml");
  ASSERT_EQ(last.code, 0) << last.output;
  EXPECT_EQ(Fingerprint(), undisturbed);
  const std::string again =
      ReadFile(Run() / "trials" / Read("train.json").at("networks")[0].at("best").get<std::string>() / "epochs.jsonl");
  EXPECT_EQ(std::count(again.begin(), again.end(), '\n'), std::count(epochs.begin(), epochs.end(), '\n'));
}

TEST_F(StudyTest, DamagedArtifactsAndFilesAreRefusedByName) {
  ASSERT_EQ(RunHot(folder_.path(), "evaluate study.yaml").code, 0);
  const fs::path artifact =
      Run() / Read("evaluation.json").at("networks")[0].at("artifacts")[1].at("folder").get<std::string>();
  const std::string model = ReadFile(artifact / "model.onnx");
  WriteFileAtomic(artifact / "model.onnx", model.substr(0, model.size() / 2));
  fs::remove(Run() / "stages" / "evaluate.json");
  const HotResult result = RunHot(folder_.path(), "evaluate study.yaml");
  EXPECT_EQ(result.code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr(artifact.filename().string()));

  WriteFileAtomic(Run() / "verify.json", "{");
  const HotResult broken = RunHot(folder_.path(), "train study.yaml");
  EXPECT_EQ(broken.code, 2) << broken.output;
  EXPECT_THAT(broken.output, HasSubstr("verify.json"));
}

}  // namespace
}  // namespace hot
