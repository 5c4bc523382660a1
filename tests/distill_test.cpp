// The stage distill of `search.quality: distill` with a stand-in for hot-train, whose losses are a formula: scores
// decide the search, a choice that did not learn is left out, and a kill costs no finished slot. What hot-train itself
// does is in train/distillation_test, what is made of its weights in pipeline/distilled_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "hot_program.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

// A choice's loss is a hash of slot and name; that of $HOT_LAME in slot 4 is not finite.
constexpr const char* kFakeTrain = R"(
import ctypes, json, os, sys, time, zlib
ctypes.CDLL(None).prctl(1, 9)  # as hot-train: dies with hot
if os.getppid() == 1: sys.exit(1)
folder = sys.argv[1]
trial = json.load(open(folder + '/trial.json'))
with open(folder + '/../../../calls', 'a') as file: file.write(os.path.basename(folder) + '\n')
for epoch in range(1, trial['epochs'] + 1):
    time.sleep(0.02)
    with open(folder + '/epochs.jsonl', 'a') as file: file.write(json.dumps({'epoch': epoch, 'seconds': 2.0}) + '\n')
result = {'version': 1, 'val_score': 0.5, 'train_loss': 1.0, 'epochs': trial['epochs'], 'seconds': 1}
if 'distill' in trial:
    slot = trial['distill']['slot']
    result['choices'] = [{'choice': c, 'loss': None if (slot, c[:9]) == (4, os.environ.get('HOT_LAME', '')) else
                          zlib.crc32((str(slot) + c).encode()) / 2**32} for c in trial['distill']['choices']]
open(folder + '/weights.safetensors', 'w').write('weights')
open(folder + '/result.json.new', 'w').write(json.dumps(result))
os.rename(folder + '/result.json.new', folder + '/result.json')
)";

class DistillTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::copy(MeasuredStudy(), folder_.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    fs::copy_file(HOT_BINARY_DIR "/bin/hot", folder_.path() / "hot");
    WriteFileAtomic(folder_.path() / "hot-train", std::string("#!") + HOT_PYTHON + "\n" + kFakeTrain);
    ::chmod((folder_.path() / "hot-train").c_str(), 0755);
  }
  std::vector<std::string> Command(const std::string& arguments, const std::string& lame) const {
    return {"bash", "-c",
            "cd '" + folder_.path().string() + "' && HOT_LAME='" + lame + "' exec ./hot " + arguments +
                " --set search.quality=distill --set search.latency_ratio=9 --set run.workers=2"};
  }
  HotResult Hot(const std::string& arguments, const std::string& lame = "") const {
    const ProcessResult result = RunProcess(Command(arguments, lame));
    return {.code = result.status.code, .output = result.output};
  }
  Json Read(const std::string& file) const { return Json::parse(ReadFile(folder_.path() / "runs" / "tiny" / file)); }
  // Names of the folders that hot-train was started on.
  std::vector<std::string> Calls() const {
    std::istringstream lines(ReadFile(folder_.path() / "runs" / "tiny" / "calls"));
    std::vector<std::string> calls;
    for (std::string line; std::getline(lines, line);) calls.push_back(line);
    return calls;
  }
  // The best score of a slot, with the choice that has it.
  static std::pair<double, std::string> Best(const Json& slot) {
    std::pair<double, std::string> best{-1e9, ""};
    for (const Json& choice : slot.at("choices")) {
      if (!choice.at("quality").is_null()) best = std::max(best, {choice["quality"].get<double>(), choice["choice"]});
    }
    return best;
  }

  TempFolder folder_;
};

TEST_F(DistillTest, ScoresDecideTheSearchAndWhatDidNotLearnIsLeftOut) {
  const HotResult result = Hot("search study.yaml", "irb-k5-e9");
  ASSERT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("slot4: irb-k5-e9@fp32 did not learn"));
  const Json width = Read("distill.json").at("widths").at(0), found = Read("search.json").at("candidates");
  ASSERT_EQ(width.at("slots").size(), 7u);
  const Json& best = found.at(0);
  ASSERT_EQ(best.at("objective"), "accuracy");
  double sum = 0;
  for (size_t slot = 0; slot < 7; ++slot) {
    const auto [quality, choice] = Best(width["slots"][slot]);
    EXPECT_EQ(best.at("slots").at(slot).get<std::string>(), choice.substr(0, choice.find('@')) + "@int8");
    sum += quality;
  }
  EXPECT_NEAR(best.at("quality").get<double>(), sum / 7, 1e-5);
  EXPECT_THAT(result.output,
              testing::ContainsRegex("width 0.35: .+0.* ms buys [0-9.]+ points of quality \\([0-9.]+ %"));
  const Json price = Read("search.json").at("prices").at(0);
  EXPECT_NEAR(price.at("quality").get<double>(), sum / 7, 1e-5);
  EXPECT_EQ(price.count("macs"), 0u);
  for (const Json& candidate : found) EXPECT_NE(candidate.at("slots").at(3), "irb-k5-e9@int8");
  const HotResult macs = RunHot(folder_.path(), "search study.yaml --set search.latency_ratio=9");
  ASSERT_EQ(macs.code, 0) << macs.output;
  EXPECT_NE(Read("search.json").at("candidates").at(0).at("slots"), best.at("slots"));
  EXPECT_FALSE(Read("search.json").at("candidates").at(0).contains("quality"));
}

// Seconds are fake hot-train's: 2 an epoch on a few of the pictures.
TEST_F(DistillTest, APlanCountsTheTeacherAndWhatImitatesIt) {
  const auto stages = [&](const std::string& arguments) {
    const HotResult result = Hot("optimize study.yaml --plan --json 2>log " + arguments);
    EXPECT_EQ(result.code, 0) << result.output;
    return Json::parse(result.output).at("stages");
  };
  const Json five = stages(""), ten = stages("--set search.distill_epochs=10");
  ASSERT_EQ(five.at(1).at("stage"), "distill");
  EXPECT_EQ(five[1].at("work"), "1 baselines to train, 7 slots to imitate for 5 epochs");
  EXPECT_FALSE(five[1].at("guess"));
  const double of_five = five[1].at("seconds"), more = ten.at(1).at("seconds").get<double>() - of_five;
  EXPECT_GT(more, 0);
  EXPECT_GT(of_five - more, 0) << "beside the imitation, a training";
  const Json longer = stages("--set train.epochs=100");
  EXPECT_GT(longer.at(1).at("seconds"), of_five);
}

TEST_F(DistillTest, AKillCostsNoFinishedSlotAndNothingIsDoneTwice) {
  Process process({.argv = Command("distill study.yaml --set search.distill_epochs=20", ""),
                   .env = {},
                   .stdout_file = folder_.path() / "log",
                   .stderr_file = folder_.path() / "log"});
  const fs::path calls = folder_.path() / "runs" / "tiny" / "calls";
  while (!process.Poll() && (!fs::exists(calls) || Calls().size() < 5)) {  // the teacher, two slots done, two begun
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  process.Signal(SIGKILL);
  process.Wait();
  const size_t before = Calls().size();
  EXPECT_LT(before, 8u) << "all was done before the kill";
  const HotResult second = Hot("distill study.yaml --set search.distill_epochs=20");
  ASSERT_EQ(second.code, 0) << second.output;
  EXPECT_LE(Calls().size(), 8u + 2u) << "only what was running is begun again";
  EXPECT_GE(Calls().size(), 8u);
  const size_t all = Calls().size();
  EXPECT_THAT(Hot("distill study.yaml --set search.distill_epochs=20").output, HasSubstr("up to date"));
  EXPECT_EQ(Calls().size(), all);
  ASSERT_EQ(Hot("distill study.yaml --set search.distill_epochs=3").code, 0);
  EXPECT_EQ(Calls().size(), all + 7) << "another time to learn: the slots, but not the teacher";
}

TEST_F(DistillTest, TheBaselinesOwnChoiceHasToLearnAndPercentEndAtHundred) {
  const HotResult lame = Hot("distill study.yaml", "irb-k3-e6");
  EXPECT_EQ(lame.code, 3) << lame.output;
  EXPECT_THAT(lame.output, HasSubstr("slot4: irb-k3-e6@fp32: the baseline's own choice did not learn"));
  const HotResult percent = Hot("search study.yaml --set search.quality_min=101");
  EXPECT_EQ(percent.code, 2) << percent.output;
  EXPECT_THAT(percent.output, HasSubstr("search.quality_min: more than 100 %"));
  const HotResult macs = RunHot(folder_.path(), "distill study.yaml");
  EXPECT_EQ(macs.code, 2) << macs.output;
  EXPECT_THAT(macs.output, HasSubstr("distill: the study has no such stage"));
}

}  // namespace
}  // namespace hot
