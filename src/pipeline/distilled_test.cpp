// What tables and trainings get of a distillation's files. The stage that makes them: tests/distill_test.cpp.
#include "pipeline/distilled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/shapes.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

class DistilledTest : public testing::Test {
 protected:
  DistilledTest() : progress_(MakeSilentProgress()), context_{SystemClock(), *progress_, cancelled_} {
    WriteShapes(folder_.path() / "data", {.train_pictures = 6, .test_pictures = 3}, context_);
    Study study;
    study.name = "t";
    study.model.width = {0.35};
    study.model.input = {64, 64};
    study.data.root = study.data.test_root = (folder_.path() / "data").string();
    study.data.test_format = study.data.format;
    study.search.quality = "distill";
    study.run.folder = (folder_.path() / "run").string();
    workspace_.emplace(std::move(study), context_);
  }

  std::vector<Choice> Baseline() const {
    return BaselineChoices(workspace_->backbone(), 0.35, workspace_->precision());
  }
  StudyNetwork Network(std::vector<Choice> choices) const {
    StudyNetwork network{.id = NetworkId(*workspace_, 0.35, choices), .width = 0.35};
    network.choices = std::move(choices);
    return network;
  }

  // The teacher, and two choices of slot 2: one learned, one did not.
  void WriteDistilled() const {
    const fs::path folder = workspace_->folder() / "distill" / "abc";
    EnsureFolder(folder / "teacher");
    EnsureFolder(folder / "slot2");
    WriteSafetensors(folder / "teacher" / "weights.safetensors", Teacher());
    WriteFileAtomic(folder / "slot2" / "trial.json", "{}");
    Weights blocks;
    for (const auto& [name, tensor] : Learned()) blocks[DistilledPrefix("fused-k5-e3@fp32") + name] = tensor;
    WriteSafetensors(folder / "slot2" / "weights.safetensors", blocks);
    const Json choices{{{"choice", "fused-k5-e3@fp32"}, {"quality", 0.75}},
                       {{"choice", "irb-k3-e9@fp32"}, {"quality", nullptr}}};
    const Json slots{{{"slot", "slot2"}, {"choices", choices}}};
    WriteRunJson(*workspace_, "distill.json",
                 {{"version", 1}, {"widths", {{{"width", 0.35}, {"folder", "distill/abc"}, {"slots", slots}}}}});
  }
  Weights Teacher() const { return RandomWeights(GraphOf(*workspace_, 0.35, Baseline()), 1); }
  Weights Learned() const {
    return RandomWeights(
        BuildSlotPart(workspace_->backbone(), 0.35, workspace_->task(), 2, Choice::Parse("fused-k5-e3")), 2);
  }

  TempFolder folder_;
  std::unique_ptr<Progress> progress_;
  std::atomic<bool> cancelled_ = false;
  Context context_;
  std::optional<Workspace> workspace_;
};

TEST_F(DistilledTest, RowsGetTheScoresOfTheirChoicesWhateverTheirPrecision) {
  WriteDistilled();
  std::vector<LookupTable> tables{PlanTable(*workspace_, 0.35, Precision::kInt8).table};
  AddQuality(*workspace_, tables);
  int scored = 0;
  for (const auto& rows : tables[0].slots) {
    for (const TableRow& row : rows) {
      EXPECT_EQ(row.searched, row.quality.has_value());
      if (!row.quality) continue;
      ++scored;
      EXPECT_EQ(row.part + " " + row.choice.Name(), "slot2 fused-k5-e3@int8");
      EXPECT_EQ(*row.quality, 0.75);
    }
  }
  EXPECT_EQ(scored, 1);
  tables[0].width = 0.7;
  EXPECT_THROW(AddQuality(*workspace_, tables), Error);
}

TEST_F(DistilledTest, NetworksStartFromTheTeacherWithTheLearnedBlocksWhereTheyDiffer) {
  WriteDistilled();
  std::vector<Choice> choices = Baseline();
  choices[1] = Choice::Parse("fused-k5-e3@int8");
  for (const StudyNetwork& network : {Network(Baseline()), Network(choices)}) {
    TrialSpec spec = workspace_->TrialTemplate();
    spec.width = 0.35;
    StartFromDistilled(*workspace_, network, spec);
    const Graph graph = GraphOf(*workspace_, 0.35, network.choices);
    const InitialWeights initial = MakeInitialWeights(spec, graph);
    ASSERT_TRUE(initial.inheritance);
    EXPECT_THAT(initial.inheritance->random, testing::IsEmpty());
    const Weights teacher = Teacher(), learned = Learned();
    const bool exchanged = network.choices != Baseline();
    for (const auto& [name, tensor] : initial.weights) {
      const Weights& source = exchanged && name.starts_with("slot2.") ? learned : teacher;
      EXPECT_EQ(tensor.data, source.at(name).data) << name;
    }
  }
}

TEST_F(DistilledTest, AChoiceThatDidNotLearnHasNothingToStartFrom) {
  WriteDistilled();
  std::vector<Choice> choices = Baseline();
  choices[1] = Choice::Parse("irb-k3-e9@int8");
  TrialSpec spec = workspace_->TrialTemplate();
  EXPECT_THROW(StartFromDistilled(*workspace_, Network(choices), spec), Error);
}

}  // namespace
}  // namespace hot
