#include "train/training.h"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "core/error.h"
#include "data/shapes.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "models/backbone.h"
#include "train/torch_pch.h"
#include "train/trainer.h"

namespace hot {
namespace {

// A few synthetic pictures on disk and a trial that trains on them in seconds.
class TrainingTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::atomic<bool> never{false};
    const auto silent = MakeSilentProgress();
    WriteShapes(folder_.path() / "data",
                {.train_pictures = 24, .test_pictures = 4, .width = 96, .height = 80, .seed = 1},
                {SystemClock(), *silent, never});
    at::set_num_threads(1);
  }

  TrialSpec Spec(int epochs) const {
    TrialSpec spec;
    spec.id = "t";
    spec.width = 0.35;
    const Backbone& net = FindBackbone(spec.backbone);
    for (const Choice& choice : BaselineChoices(net, spec.width, Precision::kInt8)) spec.slots.push_back(choice.Name());
    spec.train = {.root = folder_.path() / "data", .split = "trainval"};
    spec.task.classes = ReadDataset(spec.train).classes;
    spec.task.input = {3, 64, 64};
    spec.train.classes = spec.task.classes;
    spec.val_fraction = 0.25;
    spec.epochs = epochs;
    spec.batch = 6;
    spec.lr = 1e-3;
    return spec;
  }

  fs::path Trial(const std::string& name) const {
    EnsureFolder(folder_.path() / name);
    return folder_.path() / name;
  }

  // Lines of epochs.jsonl without the time, which differs from run to run.
  static std::string Curve(const fs::path& trial) {
    std::istringstream lines(ReadFile(trial / "epochs.jsonl"));
    std::string curve;
    for (std::string line; std::getline(lines, line);) curve += line.substr(0, line.find(",\"seconds\"")) + "\n";
    return curve;
  }

  // Starts anew after every `stop` epochs, as kills between epochs would make it.
  void RunInPieces(const fs::path& trial, const TrialSpec& spec, int stop) {
    const TrialData data = LoadTrialData(spec);
    for (bool done = false; !done;) {
      Training training(trial, spec, data, never_);
      for (int i = 0; i < stop && training.finished_epochs() < spec.epochs; ++i) training.RunEpoch();
      done = training.finished_epochs() == spec.epochs;
      if (done) training.Finish();
    }
  }

  const TempFolder folder_;
  const std::atomic<bool> never_{false};
};

// Every feature with a state of its own has a row here.
struct Recipe {
  const char* name;
  void (*change)(TrialSpec&);
};

const Recipe kRecipes[] = {{"plain", [](TrialSpec&) {}},
                           {"validating", [](TrialSpec& s) { s.validate_every = 1; }},
                           {"cosine", [](TrialSpec& s) { s.schedule = "cosine"; }},
                           {"ema", [](TrialSpec& s) { s.ema = 0.9, s.validate_every = 1; }}};

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
                             BadSpec{"schedule", [](TrialSpec& s) { s.schedule = "linear"; }},
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

// Eight pictures, each with one bright box on noise: the whole chain from pixels through matching and loss to decoding
// works only if the network can learn them by heart.
class Overfit : public testing::Test {
 protected:
  static constexpr int kPictures = 8, kSide = 64;

  Overfit() {
    options_.input = {3, kSide, kSide};
    options_.classes = {"dark", "bright"};
    task_ = MakeTask(options_);
    at::manual_seed(1);
    at::set_num_threads(1);
    images_ = at::randn({kPictures, 3, kSide, kSide}) * 0.2;
    Rng rng(3);
    for (int64_t i = 0; i < kPictures; ++i) {
      const int64_t w = 16 + rng.Below(24), h = 16 + rng.Below(24), x = rng.Below(kSide - w), y = rng.Below(kSide - h);
      images_[i].narrow(1, y, h).narrow(2, x, w).fill_(i % 2 == 0 ? -1.0f : 1.0f);
      Object object;
      object.box = {static_cast<float>(x), static_cast<float>(y), static_cast<float>(x + w), static_cast<float>(y + h)};
      object.label = static_cast<int>(i % 2);
      object.area = object.box.area();
      objects_.push_back({object});
    }
  }

  Graph Net() const {
    const Backbone& net = FindBackbone("mobilenet_v2");
    return BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), *task_);
  }

  double Train(GraphModule& module, int steps, double momentum) {
    const auto objective = MakeObjective(*task_, module.graph());
    FlatParameters& parameters = module.parameters();
    const auto size = static_cast<size_t>(parameters.values().numel());
    Adam adam(static_cast<int64_t>(size), {});
    double last = 0;
    module.Train(momentum);
    for (int step = 0; step < steps; ++step) {
      parameters.gradients().zero_();
      const at::Tensor loss = objective->Loss(module.Forward(images_), objects_);
      loss.backward();
      last = loss.item<double>();
      adam.Step({parameters.values().data_ptr<float>(), size}, {parameters.gradients().data_ptr<float>(), size}, 3e-3,
                10);
    }
    return last;
  }

  double ScoreOf(GraphModule& module) {
    const at::NoGradGuard no_grad;
    module.Evaluate();
    const std::vector<at::Tensor> outputs = module.Forward(images_);
    std::vector<ScoredPicture> pictures;
    for (int64_t i = 0; i < kPictures; ++i) {
      std::vector<Tensor> one;
      for (const at::Tensor& output : outputs) {
        const at::Tensor dense = output.narrow(0, i, 1).contiguous(at::MemoryFormat::Contiguous);
        one.emplace_back(dense.sizes().vec());
        std::copy_n(dense.const_data_ptr<float>(), one.back().data.size(), one.back().data.begin());
      }
      pictures.push_back({.id = i, .truth = objects_[static_cast<size_t>(i)], .detections = task_->Decode(one)});
    }
    return Score(pictures, Metric::kAp50);
  }

  TaskOptions options_;
  std::unique_ptr<Task> task_;
  at::Tensor images_;
  std::vector<std::vector<Object>> objects_;
};

TEST_F(Overfit, EightPicturesAreLearntByHeartAndFoundAtInference) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  EXPECT_LT(Train(module, 120, 0.1), 0.05);
  EXPECT_GT(ScoreOf(module), 0.99);
}

// A running average that is too slow for a short training makes a good network look broken; recomputed statistics do
// not.
TEST_F(Overfit, SlowStatisticsBreakInferenceAndRecomputedOnesMendIt) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  EXPECT_LT(Train(module, 120, 0.001), 0.05);
  EXPECT_LT(ScoreOf(module), 0.5);
  const at::NoGradGuard no_grad;
  for (int pass = 1; pass <= 3; ++pass) {
    module.Train(1.0 / pass);
    module.Forward(images_);
  }
  EXPECT_GT(ScoreOf(module), 0.99);
}

}  // namespace
}  // namespace hot
