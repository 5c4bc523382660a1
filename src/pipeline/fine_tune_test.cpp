// What is asked of hot-train, and what is made of its answer. The training itself: train/fine_tuning_test.cpp.
#include "pipeline/fine_tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "graph/safetensors.h"
#include "models/backbone.h"

namespace hot {
namespace {

// Instead of hot-train: adds one to every weight, or fails.
class FakeExecutor : public Executor {
 public:
  std::string_view name() const override { return "fake"; }
  int capacity() const override { return 1; }
  void Start(const TrialJob& job) override {
    ++started;
    spec = ReadTrial(job.folder / "trial.json");
    start = ReadSafetensors(job.folder / "quantized.safetensors");
    key = QuantizedKey(job.folder / kQuantizedStem);
    if (error.empty()) {
      Weights weights = start;
      for (auto& [name, tensor] : weights) {
        for (float& value : tensor.data) value += 1;
      }
      weights.erase(missing);
      WriteSafetensors(job.folder / "weights.safetensors", weights);
      WriteFileAtomic(job.folder / "result.json", ToJson(TrialResult{.epochs = spec.epochs, .seconds = 7}));
    }
    outcomes_.push_back({.folder = job.folder, .done = error.empty(), .error = error});
  }
  std::vector<TrialOutcome> Poll() override { return std::exchange(outcomes_, {}); }

  std::string error, missing;
  int started = 0;
  TrialSpec spec;
  Weights start;
  std::string key;

 private:
  std::vector<TrialOutcome> outcomes_;
};

// A pose network: its training has outputs that do not ship.
class FineTuneTest : public testing::Test {
 protected:
  void SetUp() override {
    TrialSpec spec{.id = "t", .width = 0.35};
    const Backbone& net = FindBackbone(spec.backbone);
    for (const Choice& choice : BaselineChoices(net, spec.width, Precision::kInt8)) spec.slots.push_back(choice.Name());
    spec.task.task = "cpn";
    spec.task.input = {3, 64, 64};
    spec.task.classes = {"a"};
    spec.task.keypoints = {"left", "right"};
    spec.task.pyramid_channels = 16;
    spec.lr = 0.005;
    spec.precision = "bf16", spec.freeze = "slot1", spec.patience = 3;
    spec.pretrained = "elsewhere.safetensors", spec.pretrained_sha256 = "12ab";
    EnsureFolder(tuning_.trained);
    WriteFileAtomic(tuning_.trained / "trial.json", ToJson(spec));
    const auto task = MakeTask(spec.task);
    const Graph training = TrialGraph(spec, *task);
    const Weights weights = RandomWeights(training, 1);
    WriteSafetensors(tuning_.trained / "weights.safetensors", weights);
    quantized_.exact = FoldBatchNorm(TrialGraph(spec, *task, Purpose::kShipping), weights);
    quantized_.network = quantized_.exact;
    quantized_.network.weights.begin()->second.data[0] = 0.125f;  // as rounding may leave it
    quantized_.quantization = SyntheticQuantization(quantized_.network);
  }

  FineTuned Run() {
    return FineTune(tuning_, quantized_, executor_, {SystemClock(), *silent_, cancelled_}, [](int) {});
  }

  const TempFolder folder_;
  const FineTuning tuning_{.trained = folder_.path() / "t", .folder = folder_.path() / "t-int8", .epochs = 5};
  const std::unique_ptr<Progress> silent_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};
  QuantizedNetwork quantized_;
  FakeExecutor executor_;
};

TEST_F(FineTuneTest, StartsFromTheIntegersWithAFractionOfTheLearningRate) {
  const FineTuned tuned = Run();
  const TrialSpec& spec = executor_.spec;
  EXPECT_EQ(spec.id, "t-int8");
  EXPECT_EQ(spec.epochs, 5);
  EXPECT_DOUBLE_EQ(spec.lr, 0.0001);
  EXPECT_EQ(spec.schedule, "cosine");
  EXPECT_EQ(spec.warmup_epochs, 0);
  EXPECT_EQ(spec.precision, "fp32");
  EXPECT_EQ(spec.freeze, "none");
  EXPECT_EQ(spec.patience, 0);
  EXPECT_TRUE(spec.pretrained.empty());
  EXPECT_EQ(spec.quantized_sha256, executor_.key);
  EXPECT_GT(executor_.start.size(), quantized_.network.weights.size()) << "with GlobalNet's layers";
  EXPECT_EQ(tuned.seconds, 7);
  ASSERT_TRUE(tuned.network.has_value());
  EXPECT_EQ(tuned.network->quantization.activations, quantized_.quantization.activations);
  const Weights& weights = tuned.network->network.weights;
  ASSERT_EQ(weights.size(), quantized_.network.weights.size());
  for (const auto& [name, tensor] : quantized_.network.weights) {
    EXPECT_EQ(executor_.start.at(name).data, tensor.data) << name;
    EXPECT_EQ(weights.at(name).data[0], tensor.data[0] + 1) << name;
    EXPECT_EQ(tuned.network->exact.weights.at(name).data, weights.at(name).data) << name;
  }
}

TEST_F(FineTuneTest, AFinishedOneIsNotTrainedAgainUnlessItStartsElsewhere) {
  Run();
  EXPECT_TRUE(Run().network.has_value());
  EXPECT_EQ(executor_.started, 1);
  quantized_.network.weights.begin()->second.data[0] = 0.25f;
  EXPECT_TRUE(Run().network.has_value());
  EXPECT_EQ(executor_.started, 2);
  EXPECT_EQ(executor_.start.at(quantized_.network.weights.begin()->first).data[0], 0.25f);
}

TEST_F(FineTuneTest, AFailedOneIsSaidAndTriedAgain) {
  executor_.error = "the loss is no longer a finite number";
  const FineTuned tuned = Run();
  EXPECT_FALSE(tuned.network.has_value());
  EXPECT_EQ(tuned.error, executor_.error);
  executor_.error = "";
  EXPECT_TRUE(Run().network.has_value());
}

TEST_F(FineTuneTest, WeightsOfAnotherNetworkAreRefused) {
  executor_.missing = quantized_.network.weights.begin()->first;
  try {
    Run();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_NE(std::string(error.what()).find(executor_.missing), std::string::npos) << error.what();
  }
}

TEST_F(FineTuneTest, StopsWhenItIsCancelled) {
  cancelled_ = true;
  try {
    Run();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled);
  }
}

}  // namespace
}  // namespace hot
