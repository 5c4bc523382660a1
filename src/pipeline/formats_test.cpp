#include "pipeline/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/shapes.h"
#include "graph/key.h"
#include "graph/safetensors.h"
#include "pipeline/calibration_inputs.h"
#include "pipeline/integer_loss.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using testing::ElementsAre;

constexpr Precision kInt8 = Precision::kInt8, kFp32 = Precision::kFp32;

class FormatsTest : public testing::Test {
 protected:
  FormatsTest() : progress_(MakeSilentProgress()), context_{SystemClock(), *progress_, cancelled_} {
    WriteShapes(folder_.path() / "data", {.train_pictures = 6, .test_pictures = 3}, context_);
    Study study;
    study.name = "t";
    study.model.width = {0.35};
    study.model.input = {64, 64};
    study.data.root = study.data.test_root = (folder_.path() / "data").string();
    study.data.test_format = study.data.format;
    study.target.precision = {"int8", "fp32"};
    study.search.precision = "slot";
    study.run.folder = (folder_.path() / "run").string();
    workspace_.emplace(std::move(study), context_);
  }

  std::vector<Choice> Baseline() const { return BaselineChoices(workspace_->backbone(), 0.35, kInt8); }
  // The baseline with these slots (1-based) in float.
  StudyNetwork InFloat(std::initializer_list<int> slots) const {
    StudyNetwork network{.width = 0.35};
    network.choices = Baseline();
    for (const int slot : slots) network.choices[static_cast<size_t>(slot - 1)].precision = kFp32;
    network.id = NetworkId(*workspace_, 0.35, network.choices);
    return network;
  }
  // 1000 ns times its slot in int8, 1500 ns in float; 500 ns outside the slots.
  static double RowNs(int slot, Precision precision) {
    return slot < 1 || slot > 7 ? 500 : slot * (precision == kInt8 ? 1000 : 1500);
  }
  LookupTable Table(Precision precision) const {
    LookupTable table = PlanTable(*workspace_, 0.35, precision).table;
    for (TableRow* row : AllRows(table)) {
      row->latency_ns = RowNs(row->part.starts_with("slot") ? row->part[4] - '0' : 0, precision);
    }
    return table;
  }

  TempFolder folder_;
  std::unique_ptr<Progress> progress_;
  std::atomic<bool> cancelled_ = false;
  Context context_;
  std::optional<Workspace> workspace_;
};

TEST_F(FormatsTest, ANetworkIsItsBlocksAndItsFormatsButATrainingIsOfTheBlocks) {
  const StudyNetwork plain = InFloat({}), third = InFloat({3}), sixth = InFloat({6});
  const Graph graph = GraphOf(*workspace_, 0.35, plain.choices);
  EXPECT_EQ(plain.id, GraphKey(graph, kInt8).substr(0, 12));
  EXPECT_NE(third.id, plain.id);
  EXPECT_NE(third.id, sixth.id);
  EXPECT_EQ(TrainedId(*workspace_, third), plain.id);
  std::vector<StudyNetwork> networks{plain, third, sixth};
  networks[0].baseline = true;
  networks[1].objectives = {"accuracy"};
  networks[2].objectives = {"latency", "accuracy"};
  const std::vector<StudyNetwork> trained = TrainedOnce(*workspace_, networks);
  ASSERT_EQ(trained.size(), 1u);
  EXPECT_TRUE(trained[0].baseline);
  EXPECT_EQ(trained[0].id, plain.id);
  EXPECT_EQ(trained[0].choices, plain.choices);
  EXPECT_THAT(trained[0].objectives, ElementsAre("accuracy", "latency"));
}

TEST_F(FormatsTest, FloatLayersAreThoseOfTheirSlotsWhereverTheyStand) {
  const StudyNetwork network = InFloat({1, 3, 4});
  const Graph graph = GraphOf(*workspace_, 0.35, network.choices);
  const std::set<std::string> layers = FloatLayers(graph, network.choices);
  for (const std::string& name : layers) {
    EXPECT_TRUE(name.starts_with("slot1.") || name.starts_with("slot3.") || name.starts_with("slot4.")) << name;
  }
  // The stem is layer 1; slot 1 has 2, slot 2 2 x 3, slot 3 3 x 3, slot 4 4 x 3.
  EXPECT_EQ(LayerRanges(graph, layers), "2-3,10-30");
  EXPECT_EQ(LayerRanges(graph, {}), "");
  EXPECT_EQ(LayerRanges(graph, FloatLayers(graph, InFloat({1}).choices)), "2-3");
  EXPECT_EQ(WholeJob(*workspace_, graph, network.choices).float_layers, layers);
  EXPECT_EQ(FloatLayers(*workspace_, network, kInt8), layers);
  EXPECT_TRUE(FloatLayers(*workspace_, network, kFp32).empty()) << "the reference is in float anyway";
}

TEST_F(FormatsTest, CostsAreOfEachSlotsFormat) {
  const Graph graph = GraphOf(*workspace_, 0.35, Baseline());
  const Costs int8 = ComputeCosts(graph, kInt8);
  EXPECT_EQ(CostsOf(*workspace_, InFloat({}), kInt8).weight_bytes, int8.weight_bytes);
  const StudyNetwork sixth = InFloat({6});
  const Graph part = BuildSlotPart(workspace_->backbone(), 0.35, workspace_->task(), 6, sixth.choices[5]);
  const int64_t more = ComputeCosts(part, kFp32).weight_bytes - ComputeCosts(part, kInt8).weight_bytes;
  EXPECT_EQ(CostsOf(*workspace_, sixth, kInt8).weight_bytes, int8.weight_bytes + more);
  EXPECT_EQ(CostsOf(*workspace_, sixth, kFp32).weight_bytes, ComputeCosts(graph, kFp32).weight_bytes);
  EXPECT_GT(CostsOf(*workspace_, InFloat({1}), kInt8).peak_activation_bytes, int8.peak_activation_bytes);
}

TEST_F(FormatsTest, BordersAreWhatPairsTakeMoreThanTheirRows) {
  const std::vector<BorderPart> parts = PlanBorders(*workspace_);
  ASSERT_EQ(parts.size(), 2u + 6 * 4 + 2);
  const std::vector<LookupTable> tables{Table(kInt8), Table(kFp32)};
  std::vector<MeasurementRow> measured;
  for (const BorderPart& part : parts) {
    // Everywhere 300 ns less than the rows say, and 40 ns more for a conversion.
    const double conversion = part.before == part.after ? 0 : 40;
    measured.emplace_back().median_ns =
        RowNs(part.slot, part.before) + RowNs(part.slot + 1, part.after) - 300 + conversion;
  }
  LookupTable first = tables[0];
  first.borders = BordersOf(*workspace_, 0.35, parts, measured, tables);
  EXPECT_EQ(first.borders.size(), 1u + 6 * 3 + 1);
  EXPECT_EQ(BorderNs(first, 0, kInt8, kFp32), 40);
  EXPECT_EQ(BorderNs(first, 3, kInt8, kFp32), 40);
  EXPECT_EQ(BorderNs(first, 3, kFp32, kInt8), 40);
  EXPECT_EQ(BorderNs(first, 3, kFp32, kFp32), 0);
  EXPECT_EQ(BorderNs(first, 7, kFp32, kInt8), 40);

  const LookupTable joined = JoinFormats(first, tables[1]);
  const double plain = Predict(joined, Baseline(), {}).latency_ns;
  EXPECT_EQ(Predict(joined, InFloat({3}).choices, {}).latency_ns, plain + 500 * 3 + 2 * 40);
  EXPECT_EQ(Predict(joined, InFloat({1, 2}).choices, {}).latency_ns, plain + 500 * 3 + 2 * 40);
  for (size_t s = 0; s < 7; ++s) {
    ASSERT_EQ(joined.slots[s].size(), 2 * first.slots[s].size());
    const TableRow& in_float = joined.slots[s].back();
    EXPECT_EQ(in_float.choice.precision, kFp32);
    EXPECT_EQ(in_float.latency_ns, 1500 * static_cast<double>(s + 1) + (s == 0 || s == 6 ? 40 : 0));
    EXPECT_EQ(in_float.carried_bytes, joined.slots[s].front().carried_bytes) << "taps are int8";
    EXPECT_EQ(in_float.peak_bytes, 4 * joined.slots[s][first.slots[s].size() - 1].peak_bytes);
  }
}

TEST_F(FormatsTest, APartIsInFloatWhereItsSlotIs) {
  for (const BorderPart& part : PlanBorders(*workspace_)) {
    const LatencyJob job = JobOf(part);
    const bool all = part.before == kFp32 && part.after == kFp32;
    EXPECT_EQ(job.precision, all ? kFp32 : kInt8);
    EXPECT_EQ(job.float_layers.empty(), all || part.before == part.after);
    const int slot = part.before == kFp32 ? part.slot : part.slot + 1;
    for (const std::string& layer : job.float_layers) {
      EXPECT_TRUE(layer.starts_with("slot" + std::to_string(slot) + ".")) << layer;
    }
  }
}

TEST_F(FormatsTest, WhatIntegersCostIsMeasuredInTheUnitOfTheTeachersChannels) {
  const Weights teacher = RandomWeights(GraphOf(*workspace_, 0.35, Baseline()), 1);
  const auto pictures = CalibrationInputs(workspace_->TrialTemplate(), 4);
  TaughtSlot taught = TeachSlot(*workspace_, 0.35, 3, teacher, pictures);
  ASSERT_EQ(taught.read.size(), pictures.size());
  const Graph part = BuildSlotPart(workspace_->backbone(), 0.35, workspace_->task(), 3, Choice::Parse("irb-k3-e3"));
  EXPECT_EQ(std::ssize(taught.scales), part.node(part.outputs()[0]).shape.c);
  EXPECT_EQ(taught.read[0].shape[1], part.node(part.inputs()[0]).shape.c);
  const Weights weights = RandomWeights(part, 2);
  const double loss = IntegerLoss(*workspace_, taught, "irb-k3-e3@fp32", weights, kInt8);
  EXPECT_GT(loss, 0);
  EXPECT_LT(loss, 0.3);
  EXPECT_LT(IntegerLoss(*workspace_, taught, "irb-k3-e3@fp32", weights, Precision::kInt16x8), loss);
  for (double& scale : taught.scales) scale *= 2;  // channels that move less
  EXPECT_NEAR(IntegerLoss(*workspace_, taught, "irb-k3-e3@fp32", weights, kInt8), 2 * loss, 1e-6 * loss);
}

}  // namespace
}  // namespace hot
