// The quantize stage while it fine-tunes: killed there and called again, a study ends with what an undisturbed one
// gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/hash.h"
#include "hot_program.h"

namespace hot {
namespace {

using Json = nlohmann::json;

constexpr int kEpochs = 12;

class FineTuneTest : public testing::Test {
 protected:
  void SetUp() override { MakeMeasuredStudy(folder_.path(), "--train 24 --test 8"); }

  fs::path Run() const { return folder_.path() / "runs" / "tiny"; }
  fs::path Trial(const Json& network) const {
    return Run() / "trials" / network.at("fine_tuned").at("trial").get<std::string>();
  }

  Json Networks() const { return Json::parse(ReadFile(Run() / "quantize.json")).at("networks"); }

  // What the stage found, without times: each network's entry, and its fine-tuned weights.
  std::string Outcome() const {
    std::string text;
    for (Json network : Networks()) {
      network.erase("seconds");
      if (!network.at("fine_tuned").is_null()) {
        text += Sha256File(Trial(network) / "weights.safetensors") + " ";
        network["fine_tuned"].erase("seconds");
      }
      text += network.dump() + "\n";
    }
    return text;
  }

  // The first network that was fine-tuned; null: none was.
  Json FineTuned() const {
    for (const Json& network : Networks()) {
      if (!network.at("fine_tuned").is_null()) return network;
    }
    return nullptr;
  }

  static std::ptrdiff_t Epochs(const fs::path& trial) {
    if (!fs::exists(trial / "epochs.jsonl")) return 0;
    const std::string lines = ReadFile(trial / "epochs.jsonl");
    return std::ranges::count(lines, '\n');
  }

  // As if the stage had not begun.
  void Forget() {
    for (const Json& network : Networks()) {
      if (!network.at("fine_tuned").is_null()) fs::remove_all(Trial(network));
    }
    for (const char* made : {"quantize.json", "stages/quantize.json", "quantization"}) fs::remove_all(Run() / made);
  }

  // Starts the stage and kills it once the trial has so many epochs.
  void KillAfter(std::ptrdiff_t epochs, const fs::path& trial, const std::string& arguments) {
    Process process({.argv = {"bash", "-c",
                              "cd '" + folder_.path().string() + "' && exec '" HOT_BINARY_DIR "/bin/hot' " + arguments},
                     .env = {},
                     .stdout_file = folder_.path() / "log",
                     .stderr_file = folder_.path() / "log"});
    while (Epochs(trial) < epochs && !process.Poll()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    process.Signal(SIGKILL);
    process.Wait();
  }

  TempFolder folder_;
};

TEST_F(FineTuneTest, KillNineChangesNothing) {
  // Nothing may be lost, so that fine-tuning is tried wherever a score fell by the least. Which calibration does that
  // to so small networks is chance.
  std::string stage;
  for (const int pictures : {8, 1, 2, 3, 4, 5}) {
    stage = "quantize study.yaml --set train.metric=coco_ap --set quantize.max_drop=0 --set quantize.finetune_epochs=" +
            std::to_string(kEpochs) + " --set quantize.pictures=" + std::to_string(pictures);
    const HotResult result = RunHot(folder_.path(), stage);
    ASSERT_EQ(result.code, 0) << result.output;
    if (!FineTuned().is_null()) break;
  }
  ASSERT_FALSE(FineTuned().is_null()) << "no calibration costs any network anything";
  const std::string undisturbed = Outcome();
  const fs::path trial = Trial(FineTuned());
  Forget();

  for (const int epochs : {1, 2, 5}) {
    KillAfter(epochs, trial, stage);
    EXPECT_GE(Epochs(trial), epochs);
    EXPECT_FALSE(fs::exists(trial / "result.json")) << "it was not killed while it was at work";
  }
  const HotResult last = RunHot(folder_.path(), stage);
  ASSERT_EQ(last.code, 0) << last.output;
  EXPECT_EQ(Outcome(), undisturbed);
  EXPECT_EQ(Epochs(trial), kEpochs) << "each once";
}

}  // namespace
}  // namespace hot
