#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/hash.h"
#include "train/epoch_log.h"

namespace hot {
namespace {

Checkpoint Example(int epochs) {
  return {.trial = "abc",
          .epochs = epochs,
          .steps = 123456789012,
          .loss = 0.1,
          .seconds = 1.0 / 3.0,
          .values = {1.5f, -0.0f, 3e-38f},
          .statistics = {2.0f},
          .first_moment = {1, 2, 3},
          .second_moment = {4, 5, 6},
          .average = {0.25f}};
}

TEST(Checkpoint, ComesBackToTheLastBit) {
  const TempFolder folder;
  const fs::path path = folder.path() / "checkpoint.pt";
  const Checkpoint saved = Example(7);
  WriteCheckpoint(path, saved);
  const Checkpoint read = ReadCheckpoint(path);
  EXPECT_EQ(read.trial, "abc");
  EXPECT_EQ(read.epochs, 7);
  EXPECT_EQ(read.steps, saved.steps);
  EXPECT_EQ(read.loss, saved.loss);
  EXPECT_EQ(read.seconds, saved.seconds);
  EXPECT_EQ(read.values, saved.values);
  EXPECT_EQ(read.statistics, saved.statistics);
  EXPECT_EQ(read.first_moment, saved.first_moment);
  EXPECT_EQ(read.second_moment, saved.second_moment);
  EXPECT_EQ(read.average, saved.average);
}

TEST(Checkpoint, KeepsTheOneBefore) {
  const TempFolder folder;
  const fs::path path = folder.path() / "checkpoint.pt";
  WriteCheckpoint(path, Example(1));
  EXPECT_FALSE(fs::exists(PreviousCheckpoint(path)));
  WriteCheckpoint(path, Example(2));
  EXPECT_EQ(ReadCheckpoint(path).epochs, 2);
  EXPECT_EQ(ReadCheckpoint(folder.path() / "checkpoint.prev.pt").epochs, 1);
}

TEST(Checkpoint, DamageIsNoticedWhereverItIs) {
  const TempFolder folder;
  const fs::path path = folder.path() / "checkpoint.pt";
  WriteCheckpoint(path, Example(1));
  const std::string good = ReadFile(path);
  const auto expect_loss = [&](const std::string& bytes, const std::string& what) {
    WriteFileAtomic(path, bytes);
    try {
      ReadCheckpoint(path);
      ADD_FAILURE() << what << " was not noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDataLoss) << what;
      EXPECT_EQ(error.where(), path.string());
    }
  };
  for (size_t length : {size_t{0}, size_t{5}, size_t{80}, good.size() / 2, good.size() - 1}) {
    expect_loss(good.substr(0, length), "a cut at " + std::to_string(length));
  }
  for (size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    expect_loss(bad, "a changed byte at " + std::to_string(at));
  }
  EXPECT_THROW(ReadCheckpoint(folder.path() / "none.pt"), Error);
}

// A right digest does not make the content right: another version, or a tool, may have written it.
TEST(Checkpoint, ContentThatDoesNotFitIsNoticedBehindARightDigest) {
  const TempFolder folder;
  const fs::path path = folder.path() / "checkpoint.pt";
  const std::string head = R"({"trial":"t","epochs":1,"steps":2,"loss":0.5,"seconds":1,"floats":{"statistics":0,)"
                           R"("first_moment":0,"second_moment":0,"values":)";
  const std::string bodies[] = {"",
                                "no header",
                                "[1]\n",
                                head + "1}}",
                                head + "1}}\nabc",
                                head + "1}}\nabcdefgh",
                                head + "4611686018427387905}}\nabcd",
                                head + "-1}}\nabcd",
                                head + "\"1\"}}\nabcd"};
  for (const std::string& body : bodies) {
    SCOPED_TRACE(body);
    WriteFileAtomic(path, "hot-checkpoint 1 " + Sha256Hex(body) + "\n" + body);
    EXPECT_THROW(ReadCheckpoint(path), Error);
  }
  WriteFileAtomic(path, "hot-checkpoint 1 " + Sha256Hex(head + "1}}\nabcd") + "\n" + head + "1}}\nabcd");
  EXPECT_EQ(ReadCheckpoint(path).values.size(), 1u);
}

TEST(EpochLog, DropsWhatIsBehindTheCheckpoint) {
  const TempFolder folder;
  const fs::path path = folder.path() / "epochs.jsonl";
  KeepEpochs(path, 3);
  EXPECT_FALSE(fs::exists(path));
  for (int epoch = 1; epoch <= 3; ++epoch) AppendEpoch(path, {.epoch = epoch, .loss = 0.5, .lr = 0.1, .seconds = 2});
  const std::string three = ReadFile(path);
  AppendEpoch(path, {.epoch = 4, .loss = 0.25, .lr = 0.1, .seconds = 2, .val = 0.75});
  EXPECT_NE(ReadFile(path).find("\"val\":0.75"), std::string::npos);
  AppendLine(path, "{\"epoch\":5,\"lo");
  KeepEpochs(path, 3);
  EXPECT_EQ(ReadFile(path), three);
  KeepEpochs(path, 0);
  EXPECT_EQ(ReadFile(path), "");
}

}  // namespace
}  // namespace hot
