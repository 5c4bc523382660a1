// Trials that train an integer network on.
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "quantize/quantized_network.h"
#include "train/test_trial.h"
#include "train/trainer.h"

namespace hot {
namespace {

using FineTuningTest = TrainingTest;

// Leaves an integer network in the trial's folder to be trained on.
void QuantizedStart(const fs::path& trial, TrialSpec& spec) {
  const Graph graph = TrialGraph(spec, *MakeTask(spec.task));
  const Network folded = FoldBatchNorm(graph, RandomWeights(graph, 1));
  WriteQuantized(trial / kQuantizedStem, folded.weights, SyntheticQuantization(folded));
  spec.quantized_sha256 = QuantizedKey(trial / kQuantizedStem);
}

TEST_F(FineTuningTest, AFineTuningIsATrainingOfTheFoldedNetworkAndResumesLikeOne) {
  TrialSpec spec = Spec(2);
  spec.lr = 1e-5, spec.schedule = "cosine", spec.warmup_epochs = 0;
  const fs::path straight = Trial("straight"), pieces = Trial("pieces");
  for (const fs::path& trial : {straight, pieces}) QuantizedStart(trial, spec);
  RunTrial(straight, spec, never_);
  RunInPieces(pieces, spec, 1);
  EXPECT_EQ(ReadFile(straight / "weights.safetensors"), ReadFile(pieces / "weights.safetensors"));
  EXPECT_EQ(Curve(straight), Curve(pieces));
  const Weights before = ReadSafetensors(straight / "quantized.safetensors");
  const Weights after = ReadSafetensors(straight / "weights.safetensors");
  ASSERT_EQ(before.size(), after.size());
  double moved = 0;
  for (const auto& [name, tensor] : after) {
    ASSERT_EQ(tensor.shape, before.at(name).shape) << name;
    for (size_t i = 0; i < tensor.data.size(); ++i)
      moved = std::max(moved, std::abs(static_cast<double>(tensor.data[i]) - before.at(name).data[i]));
  }
  EXPECT_GT(moved, 0);
  EXPECT_LT(moved, 1e-5 * 8 * 3) << "as far as Adam goes in so many steps";
}

TEST_F(FineTuningTest, AFineTuningRefusesAnotherStartThanItsOwn) {
  TrialSpec spec = Spec(1);
  const fs::path trial = Trial("other");
  QuantizedStart(trial, spec);
  WriteFileAtomic(trial / "quantized.json", ReadFile(trial / "quantized.json") + " ");
  try {
    RunTrial(trial, spec, never_);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_NE(std::string(error.what()).find("is not the network that this fine-tuning was begun with"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace hot
