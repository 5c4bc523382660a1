#include "train/training.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "core/error.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "train/test_trial.h"
#include "train/torch_pch.h"
#include "train/trainer.h"

namespace hot {
namespace {

// Every feature with a state of its own has a row here.
struct Recipe {
  const char* name;
  void (*change)(TrialSpec&);
};

const Recipe kRecipes[] = {
    {"plain", [](TrialSpec&) {}},
    {"averaged", [](TrialSpec& s) { s.schedule = "cosine", s.ema = 0.9, s.validate_every = 1; }},
    {"bf16", [](TrialSpec& s) { s.precision = "bf16", s.freeze = "slot1"; }},
    {"frozen", [](TrialSpec& s) { s.optimizer = "adamw", s.weight_decay = 0.1, s.freeze = "slot2"; }},
    {"unfrozen",
     [](TrialSpec& s) { s.optimizer = "nesterov", s.freeze = "backbone", s.freeze_epochs = 2, s.ema = 0.9; }},
    {"patient", [](TrialSpec& s) {
       s.validate_every = 1, s.patience = 3;
       s.augment.vertical_flip = s.augment.transpose = 0.5;
     }}};

TEST_F(TrainingTest, ResumedRunsGiveTheSameWeightsToTheLastBit) {
  for (const Recipe& recipe : kRecipes) {
    SCOPED_TRACE(recipe.name);
    TrialSpec spec = Spec(4);
    recipe.change(spec);
    const fs::path straight = Trial(recipe.name), pieces = Trial(std::string(recipe.name) + "-pieces");
    RunTrial(straight, spec, never_);
    RunInPieces(pieces, spec, 2);
    EXPECT_EQ(ReadFile(straight / "weights.safetensors"), ReadFile(pieces / "weights.safetensors"));
    EXPECT_EQ(Curve(straight), Curve(pieces));
    const TrialResult a = ReadTrialResult(straight / "result.json"), b = ReadTrialResult(pieces / "result.json");
    EXPECT_EQ(a.val_score, b.val_score);
    EXPECT_EQ(a.train_loss, b.train_loss);
    EXPECT_EQ(a.epochs, 4);
  }
}

// Validation in between looks at other weights and statistics; the training must not notice.
TEST_F(TrainingTest, AveragingAndValidatingLeaveTheTrainingAlone) {
  TrialSpec plain = Spec(3), averaged = Spec(3);
  averaged.ema = 0.9;
  averaged.validate_every = 1;
  const TrialData data = LoadTrialData(plain);
  Training a(Trial("plain"), plain, data, never_), b(Trial("averaged"), averaged, data, never_);
  for (int epoch = 0; epoch < 2; ++epoch) {
    a.RunEpoch();
    b.RunEpoch();
  }
  const Checkpoint of_a = ReadCheckpoint(Trial("plain") / "checkpoint.pt"),
                   of_b = ReadCheckpoint(Trial("averaged") / "checkpoint.pt");
  EXPECT_EQ(of_a.values, of_b.values);
  EXPECT_EQ(of_a.statistics, of_b.statistics);
  EXPECT_EQ(of_b.average.size(), of_b.values.size());
  EXPECT_NE(of_b.average, of_b.values);
}

TEST_F(TrainingTest, TheAverageIsWhatIsStored) {
  TrialSpec spec = Spec(2);
  spec.ema = 0.9;
  RunTrial(Trial("t"), spec, never_);
  const Checkpoint last = ReadCheckpoint(Trial("t") / "checkpoint.pt");
  GraphModule module(TrialGraph(spec, *MakeTask(spec.task)));
  module.Load(ReadSafetensors(Trial("t") / "weights.safetensors"));
  const at::Tensor& stored = module.parameters().values();
  EXPECT_EQ(std::vector<float>(stored.data_ptr<float>(), stored.data_ptr<float>() + stored.numel()), last.average);
}

TEST_F(TrainingTest, CpuTimeIsSummedOverResumptions) {
  const TrialSpec spec = Spec(2);
  const TrialData data = LoadTrialData(spec);
  const fs::path trial = Trial("t");
  Training(trial, spec, data, never_).RunEpoch();
  Checkpoint checkpoint = ReadCheckpoint(trial / "checkpoint.pt");
  ASSERT_TRUE(checkpoint.cpu_seconds);
  EXPECT_GT(*checkpoint.cpu_seconds, 0);
  checkpoint.cpu_seconds = 1000;
  WriteCheckpoint(trial / "checkpoint.pt", checkpoint);
  EXPECT_GT(RunTrial(trial, spec, never_).cpu_seconds, 1000);
}

TEST_F(TrainingTest, CpuTimeStaysUnknownWhenAnOlderVersionBegan) {
  const TrialSpec spec = Spec(2);
  const TrialData data = LoadTrialData(spec);
  const fs::path trial = Trial("t");
  Training(trial, spec, data, never_).RunEpoch();
  Checkpoint checkpoint = ReadCheckpoint(trial / "checkpoint.pt");
  checkpoint.cpu_seconds.reset();
  WriteCheckpoint(trial / "checkpoint.pt", checkpoint);
  EXPECT_EQ(RunTrial(trial, spec, never_).cpu_seconds, std::nullopt);
}

// Name of a parameter -> whether training changed it.
std::map<std::string, bool> Changed(const Weights& before, const Weights& after) {
  std::map<std::string, bool> changed;
  for (const auto& [name, tensor] : before) changed[name] = tensor.data != after.at(name).data;
  return changed;
}

TEST_F(TrainingTest, FrozenPartsKeepWeightsAndStatistics) {
  TrialSpec spec = Spec(2);
  spec.freeze = "slot2";
  spec.weight_decay = 0.1;
  const Graph graph = TrialGraph(spec, *MakeTask(spec.task));
  RunTrial(Trial("t"), spec, never_);
  const Weights after = ReadSafetensors(Trial("t") / "weights.safetensors");
  for (const auto& [name, changed] : Changed(RandomWeights(graph, spec.seed), after)) {
    const bool frozen = name.starts_with("stem.") || name.starts_with("slot1.") || name.starts_with("slot2.");
    EXPECT_EQ(changed, !frozen) << name;
  }
}

// A candidate takes what it shares with the file; its own slot is random, so it is trained, and so is what reads it.
TEST_F(TrainingTest, OnlyWhatIsInheritedIsFrozen) {
  TrialSpec spec = Spec(1);
  const auto task = MakeTask(spec.task);
  spec.pretrained = folder_.path() / "w.safetensors";
  const Weights file = RandomWeights(TrialGraph(spec, *task), 5);
  WriteSafetensors(spec.pretrained, file);
  spec.freeze = "backbone";
  spec.slots[2] = "irb-k5-e6@int8";
  RunTrial(Trial("t"), spec, never_);
  const Weights before = MakeInitialWeights(spec, TrialGraph(spec, *task)).weights;
  EXPECT_EQ(before.at("slot4.0.expand.conv.weight").data, file.at("slot4.0.expand.conv.weight").data);
  for (const auto& [name, changed] : Changed(before, ReadSafetensors(Trial("t") / "weights.safetensors"))) {
    const bool frozen = name.starts_with("stem.") || name.starts_with("slot1.") || name.starts_with("slot2.");
    EXPECT_EQ(changed, !frozen) << name;
  }
}

TEST_F(TrainingTest, AfterItsEpochsAFrozenPartIsTrained) {
  TrialSpec spec = Spec(3);
  spec.freeze = "backbone";
  spec.freeze_epochs = 2;
  const TrialData data = LoadTrialData(spec);
  Training training(Trial("t"), spec, data, never_);
  const Weights start = training.module().Store();
  const auto backbone_changed = [&] {
    int count = 0;
    for (const auto& [name, changed] : Changed(start, training.module().Store()))
      count += changed && !name.starts_with("head.") ? 1 : 0;
    return count;
  };
  training.RunEpoch();
  training.RunEpoch();
  EXPECT_EQ(backbone_changed(), 0);
  training.RunEpoch();
  EXPECT_GT(backbone_changed(), 100);
}

// A learning rate of nothing: no validation after the first can be better, so patience runs out.
TEST_F(TrainingTest, PatienceEndsATrainingThatGetsNoBetter) {
  TrialSpec spec = Spec(20);
  spec.lr = 1e-30;
  spec.batchnorm_momentum = 0;
  spec.validate_every = 2;
  spec.patience = 3;
  const TrialResult result = RunTrial(Trial("t"), spec, never_);
  EXPECT_EQ(result.epochs, 8);  // validated after 2, 4, 6, 8
  EXPECT_EQ(ReadTrialResult(Trial("t") / "result.json").epochs, 8);
}

TEST_F(TrainingTest, TheBestValidatedWeightsAreKept) {
  TrialSpec spec = Spec(4);
  spec.validate_every = 1;
  spec.patience = 4;
  const TrialData data = LoadTrialData(spec);
  const fs::path trial = Trial("t");
  {
    Training training(trial, spec, data, never_);
    training.RunEpoch();
    training.RunEpoch();
  }
  Checkpoint checkpoint = ReadCheckpoint(trial / "checkpoint.pt");
  checkpoint.best_score = 2;  // better than any
  checkpoint.best_values.assign(checkpoint.values.size(), 0.0f);
  checkpoint.best_statistics.assign(checkpoint.statistics.size(), 1.0f);
  WriteCheckpoint(trial / "checkpoint.pt", checkpoint);
  EXPECT_EQ(RunTrial(trial, spec, never_).val_score, 2);
  for (const auto& [name, tensor] : ReadSafetensors(trial / "weights.safetensors")) {
    const float expected = name.find(".running_") == std::string::npos ? 0.0f : 1.0f;
    EXPECT_EQ(tensor.data.front(), expected) << name;
  }
}

// What successive halving does: stop a full-length schedule, score it, and go on when it is among the best.
TEST_F(TrainingTest, ATrainingThatWasPausedEndsWithTheSameWeights) {
  for (const double ema : {0.0, 0.9}) {
    TrialSpec spec = Spec(4);
    spec.ema = ema;
    const std::string name = ema > 0 ? "ema" : "plain";
    RunTrial(Trial(name), spec, never_);
    for (const int epoch : {1, 3}) {
      const TrialResult paused = RunTrial(Trial(name + "-paused"), spec, never_, epoch);
      EXPECT_EQ(paused.epochs, epoch);
      EXPECT_EQ(ResultOf(Trial(name + "-paused"), epoch)->val_score, paused.val_score);
      EXPECT_FALSE(fs::exists(Trial(name + "-paused") / "result.json"));
    }
    RunTrial(Trial(name + "-paused"), spec, never_);
    EXPECT_EQ(ReadFile(Trial(name) / "weights.safetensors"), ReadFile(Trial(name + "-paused") / "weights.safetensors"));
    EXPECT_EQ(Curve(Trial(name)), Curve(Trial(name + "-paused")));
  }
}

TEST_F(TrainingTest, LeavesWeightsThatFitTheNetwork) {
  const TrialSpec spec = Spec(1);
  RunTrial(Trial("t"), spec, never_);
  const auto task = MakeTask(spec.task);
  CheckWeights(TrialGraph(spec, *task), ReadSafetensors(Trial("t") / "weights.safetensors"), "weights");
}

TEST_F(TrainingTest, ADamagedCheckpointFallsBackToTheOneBefore) {
  const TrialSpec spec = Spec(3);
  const TrialData data = LoadTrialData(spec);
  const fs::path trial = Trial("t");
  {
    Training training(trial, spec, data, never_);
    training.RunEpoch();
    training.RunEpoch();
  }
  const std::string bytes = ReadFile(trial / "checkpoint.pt");
  WriteFileAtomic(trial / "checkpoint.pt", std::string_view(bytes).substr(0, bytes.size() / 2));
  testing::internal::CaptureStdout();
  {
    Training training(trial, spec, data, never_);
    EXPECT_EQ(training.finished_epochs(), 1);
  }
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_NE(said.find("checkpoint.pt: the checkpoint is cut off or was changed"), std::string::npos) << said;
  EXPECT_EQ(Curve(trial).find("\"epoch\":2"), std::string::npos);
  RunTrial(trial, spec, never_);
  RunTrial(Trial("straight"), spec, never_);
  EXPECT_EQ(ReadFile(trial / "weights.safetensors"), ReadFile(Trial("straight") / "weights.safetensors"));
}

TEST_F(TrainingTest, ACheckpointOfOtherSettingsIsNotUsed) {
  TrialSpec spec = Spec(2);
  const TrialData data = LoadTrialData(spec);
  Training(Trial("t"), spec, data, never_).RunEpoch();
  spec.lr = 2e-3;
  EXPECT_EQ(Training(Trial("t"), spec, data, never_).finished_epochs(), 0);
}

TEST_F(TrainingTest, CancellingKeepsTheCheckpoint) {
  const TrialSpec spec = Spec(3);
  const TrialData data = LoadTrialData(spec);
  std::atomic<bool> cancelled{false};
  Training training(Trial("t"), spec, data, cancelled);
  training.RunEpoch();
  cancelled = true;
  try {
    training.RunEpoch();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled);
  }
  EXPECT_EQ(ReadCheckpoint(Trial("t") / "checkpoint.pt").epochs, 1);
  EXPECT_FALSE(fs::exists(Trial("t") / "result.json"));
}

TEST_F(TrainingTest, ALossThatIsNotFiniteNamesEpochAndBatch) {
  TrialSpec spec = Spec(2);
  spec.lr = std::numeric_limits<double>::infinity();
  spec.warmup_epochs = 0;
  try {
    RunTrial(Trial("t"), spec, never_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kAborted);
    EXPECT_NE(std::string(error.what()).find("t: epoch 1, batch 2"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("train.hpo.lr"), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(Trial("t") / "result.json"));
}

TEST_F(TrainingTest, AFullDiskIsSaidAndKeepsTheLastCheckpoint) {
  const TrialSpec spec = Spec(2);
  const TrialData data = LoadTrialData(spec);
  Training training(Trial("t"), spec, data, never_);
  training.RunEpoch();
  fs::remove(Trial("t") / "epochs.jsonl");
  fs::create_symlink("/dev/full", Trial("t") / "epochs.jsonl");
  try {
    training.RunEpoch();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kResourceExhausted) << error.what();
  }
  EXPECT_EQ(ReadCheckpoint(Trial("t") / "checkpoint.pt").epochs, 1);
}

struct BadSpec {
  const char* name;
  void (*spoil)(TrialSpec&);
};

TEST_F(TrainingTest, BadSettingsAreRefused) {
  for (const BadSpec& bad : {BadSpec{"optimizer", [](TrialSpec& s) { s.optimizer = "sgdm"; }},
                             BadSpec{"precision", [](TrialSpec& s) { s.precision = "fp16"; }},
                             BadSpec{"schedule", [](TrialSpec& s) { s.schedule = "linear"; }},
                             BadSpec{"freeze", [](TrialSpec& s) { s.freeze = "slot8"; }},
                             BadSpec{"freeze", [](TrialSpec& s) { s.freeze = "head"; }},
                             BadSpec{"slots", [](TrialSpec& s) { s.slots.pop_back(); }},
                             BadSpec{"block", [](TrialSpec& s) { s.slots[0] = "conv-k3-e1@int8"; }},
                             BadSpec{"backbone", [](TrialSpec& s) { s.backbone = "vgg"; }}}) {
    TrialSpec spec = Spec(1);
    bad.spoil(spec);
    try {
      RunTrial(Trial("t"), spec, never_);
      ADD_FAILURE() << bad.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << bad.name;
    }
  }
}

}  // namespace
}  // namespace hot
