// Choices of a slot that learn from a trained network's slot: side by side, resumed, failing.
#include "train/distillation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "models/pretrained/tensor_file.h"
#include "train/test_trial.h"
#include "train/trainer.h"

namespace hot {
namespace {

class DistillationTest : public TrainingTest {
 protected:
  // The teacher has random weights: there is something to imitate in them, too.
  TrialSpec DistillSpec(int slot, int epochs, const std::vector<std::string>& choices) {
    TrialSpec spec = Spec(epochs);
    const Graph graph = TrialGraph(spec, *MakeTask(spec.task));
    spec.pretrained = folder_.path() / "teacher.safetensors";
    WriteSafetensors(spec.pretrained, RandomWeights(graph, 7), ConventionMetadata(spec.task.convention));
    spec.pretrained_sha256 = TensorFileKey(spec.pretrained);
    spec.distill = {.slot = slot, .choices = choices};
    spec.schedule = "cosine", spec.warmup_epochs = 0, spec.lr = 5e-3;
    return spec;
  }
  // Kills between epochs.
  void DistillInPieces(const fs::path& folder, const TrialSpec& spec) {
    const TrialData data = LoadTrialData(spec);
    for (bool done = false; !done;) {
      Distillation distillation(folder, spec, data, never_);
      distillation.RunEpoch();
      done = distillation.finished();
      if (done) distillation.Finish();
    }
  }
};

TEST_F(DistillationTest, ChoicesLearnWhatTheSlotGivesAndKeepTheirWeights) {
  const std::vector<std::string> choices{"irb-k3-e6@fp32", "fused-k3-e3@fp32", "sandglass-k5-e6@fp32"};
  const TrialSpec brief = DistillSpec(2, 1, choices), spec = DistillSpec(2, 12, choices);
  RunTrial(Trial("brief"), brief, never_);
  const TrialResult result = RunTrial(Trial("long"), spec, never_);
  const auto before = ReadDistilledChoices(Trial("brief") / "result.json");
  const auto after = ReadDistilledChoices(Trial("long") / "result.json");
  ASSERT_EQ(after.size(), 3u);
  double mean = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    ASSERT_TRUE(before[i].loss && after[i].loss);
    EXPECT_EQ(after[i].choice, choices[i]);
    EXPECT_LT(*after[i].loss, 0.8 * *before[i].loss) << choices[i];
    mean += (1 - *after[i].loss) / 3;
  }
  EXPECT_NEAR(result.val_score, mean, 1e-12);
  EXPECT_EQ(result.epochs, 12);
  const Weights weights = ReadSafetensors(Trial("long") / "weights.safetensors");
  for (const std::string& choice : choices) {
    const Graph graph =
        BuildSlotPart(FindBackbone(spec.backbone), spec.width, *MakeTask(spec.task), 2, Choice::Parse(choice));
    for (const Parameter& parameter : Parameters(graph)) {
      ASSERT_TRUE(weights.contains(DistilledPrefix(choice) + parameter.name)) << choice << " " << parameter.name;
    }
  }
}

// The loss is that of what runs: the weights that are kept, with their own batch-norm statistics.
TEST_F(DistillationTest, TheLossIsZeroForTheTeachersOwnWeights) {
  const TrialSpec spec = DistillSpec(3, 1, {"irb-k3-e6@fp32"});
  const Graph slot = BuildUpToSlot(FindBackbone(spec.backbone), spec.width,
                                   BaselineChoices(FindBackbone(spec.backbone), spec.width, Precision::kFp32),
                                   *MakeTask(spec.task), 3);
  GraphModule teacher(slot);
  teacher.Load(RandomWeights(TrialGraph(spec, *MakeTask(spec.task)), 7));
  const at::Tensor images = at::rand({2, 3, 64, 64});
  const auto outputs = teacher.Forward(images);
  const Graph alone =
      BuildSlotPart(FindBackbone(spec.backbone), spec.width, *MakeTask(spec.task), 3, Choice::Parse("irb-k3-e6"));
  Student student("own", alone, RandomWeights(TrialGraph(spec, *MakeTask(spec.task)), 7), {});
  const at::Tensor scale = at::ones({outputs[1].size(1)});
  EXPECT_LT(NormalisedError(student.Evaluate(outputs[0]), outputs[1], scale).item<double>(), 1e-10);
  EXPECT_NEAR(NormalisedError(outputs[1] + 2, outputs[1], scale / 4).item<double>(), 1, 1e-4);
}

TEST_F(DistillationTest, TheTeachersOwnChoiceDoesNotBeginWithTheTeachersFirstWeights) {
  TrialSpec spec = DistillSpec(2, 1, {"irb-k3-e6@fp32"});
  spec.seed = 7;  // that of the teacher
  const TrialData data = LoadTrialData(spec);
  Distillation distillation(Trial("own"), spec, data, never_);
  const Weights first = RandomWeights(distillation.students()[0].graph(), 7);
  const Weights weights = distillation.students()[0].Store();
  EXPECT_NE(weights.at("slot2.0.project.conv.weight").data, first.at("slot2.0.project.conv.weight").data);
}

TEST_F(DistillationTest, ChoicesOfTheSlotsLayersBeginWithItsChannelsWhereTheTrialSaysSo) {
  const std::vector<std::string> choices{"irb-k3-e6@fp32", "irb-k3-e3@fp32", "fused-k3-e3@fp32"};
  const TrialSpec nothing = DistillSpec(2, 1, choices);
  TrialSpec spec = nothing;
  spec.distill->inherit = true;
  const TrialData data = LoadTrialData(spec);
  const Weights teacher = ReadSafetensors(spec.pretrained);
  Distillation inherits(Trial("inherits"), spec, data, never_), random(Trial("random"), nothing, data, never_);
  const auto of = [](Distillation& distillation, size_t i) { return distillation.students()[i].Store(); };
  const std::string first = "slot2.0.expand.conv.weight";
  EXPECT_EQ(of(inherits, 0).at(first).data, teacher.at(first).data);
  EXPECT_NE(of(random, 0).at(first).data, teacher.at(first).data);
  EXPECT_NE(of(inherits, 1).at(first).data, of(random, 1).at(first).data);
  EXPECT_EQ(of(inherits, 2).at(first).data, of(random, 2).at(first).data) << "another kind of block";
  WriteFileAtomic(folder_.path() / "trial.json", ToJson(spec));
  EXPECT_EQ(ReadTrial(folder_.path() / "trial.json").distill, spec.distill);
}

TEST_F(DistillationTest, AResumedDistillationGivesTheSameWeights) {
  const TrialSpec spec = DistillSpec(2, 3, {"irb-k3-e3@fp32", "fused-k3-e3@fp32"});
  const fs::path straight = Trial("straight"), pieces = Trial("pieces");
  RunTrial(straight, spec, never_);
  DistillInPieces(pieces, spec);
  EXPECT_EQ(ReadFile(straight / "weights.safetensors"), ReadFile(pieces / "weights.safetensors"));
  EXPECT_EQ(Curve(straight), Curve(pieces));
}

TEST_F(DistillationTest, AChoiceWhoseLossIsNotFiniteIsLeftOutAlsoAfterAKill) {
  const TrialSpec spec = DistillSpec(2, 2, {"irb-k3-e3@fp32", "fused-k3-e3@fp32"});
  const TrialData data = LoadTrialData(spec);
  const fs::path folder = Trial("odd");
  {
    Distillation distillation(folder, spec, data, never_);
    distillation.students()[1].Fail();
    distillation.RunEpoch();
  }
  Distillation resumed(folder, spec, data, never_);
  EXPECT_EQ(resumed.finished_epochs(), 1);
  EXPECT_FALSE(resumed.students()[0].failed());
  EXPECT_TRUE(resumed.students()[1].failed());
  resumed.RunEpoch();
  const auto choices = resumed.Finish();
  EXPECT_TRUE(choices[0].loss);
  EXPECT_FALSE(choices[1].loss);
  EXPECT_FALSE(ReadDistilledChoices(folder / "result.json")[1].loss);
  for (const auto& [name, tensor] : ReadSafetensors(folder / "weights.safetensors")) {
    EXPECT_THAT(name, testing::StartsWith("irb-k3-e3@fp32/"));
  }
  EXPECT_TRUE(std::isfinite(ReadTrialResult(folder / "result.json").val_score));
}

TEST_F(DistillationTest, AStudentWithoutAFiniteLossFailsAndLearnsNoMore) {
  GraphBuilder builder;
  builder.Output(builder.ConvBn("c", builder.Input("x", {2, 4, 4}), 2, 1, 1, 1, Op::kInput));
  const Graph graph = std::move(builder).Build();
  Student student("c", graph, RandomWeights(graph, 1), {});
  const at::Tensor x = at::rand({2, 2, 4, 4}), scale = at::ones({2});
  EXPECT_TRUE(std::isfinite(student.Step(x, x, scale, 1e-3)));
  EXPECT_FALSE(student.failed());
  EXPECT_FALSE(std::isfinite(student.Step(x, x / 0, scale, 1e-3)));
  EXPECT_TRUE(student.failed());
}

TEST_F(DistillationTest, SlotsThatAreNoneAndNoChoicesAreRefused) {
  const TrialData data = LoadTrialData(Spec(1));
  for (const auto& [slot, choices] :
       {std::pair<int, std::vector<std::string>>{8, {"irb-k3-e6"}}, {0, {"irb-k3-e6"}}, {1, {}}}) {
    const TrialSpec spec = DistillSpec(slot, 1, choices);
    EXPECT_THROW(Distillation(Trial("bad"), spec, data, never_), Error) << slot;
  }
}

}  // namespace
}  // namespace hot
