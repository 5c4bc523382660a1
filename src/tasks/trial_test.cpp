#include "tasks/trial.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace hot {
namespace {

TEST(Trial, RoundTripsThroughJson) {
  TempFolder folder;
  TrialSpec spec;
  spec.id = "abc";
  spec.slots = {"irb-k3-e1@int8"};
  spec.task.classes = {"a", "b"};
  spec.lr = 0.0007;
  spec.metric = Metric::kVoc07;
  spec.augment.flip = 0.25;
  WriteFileAtomic(folder.path() / "trial.json", ToJson(spec));
  EXPECT_EQ(ToJson(ReadTrial(folder.path() / "trial.json")), ToJson(spec));
  const TrialResult result{.val_score = 0.5, .train_loss = 1.25, .epochs = 7, .seconds = 3.5};
  WriteFileAtomic(folder.path() / "result.json", ToJson(result));
  EXPECT_EQ(ToJson(ReadTrialResult(folder.path() / "result.json")), ToJson(result));
}

TEST(Trial, BrokenFilesAreNamed) {
  TempFolder folder;
  for (const char* text : {"", "{", "{}", "{\"version\": 2}"}) {
    WriteFileAtomic(folder.path() / "trial.json", text);
    try {
      ReadTrial(folder.path() / "trial.json");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("trial.json"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace hot
