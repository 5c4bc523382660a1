// Studies whose search is another one than the default: slots and choices of their own, and budgets on other latencies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "hot_program.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

class SpacesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(RunHot(folder_.path(), "data make shapes data --train 24 --test 8").code, 0);
    WriteFileAtomic(folder_.path() / "study.yaml", TinyStudy());
  }
  Json Read(const std::string& file) const { return Json::parse(ReadFile(folder_.path() / "runs" / file)); }

  TempFolder folder_;
};

// 17 slots, with what the study says may stand there; the baseline's block of the first is none of that.
TEST_F(SpacesTest, AFinerSpaceOfTheStudysOwnRunsWhole) {
  const HotResult result =
      RunHot(folder_.path(),
             "optimize study.yaml --set name=blocks --set model.slots=block --set train.epochs=1 --set "
             "'model.space={default: {block: [irb, fused], kernel: 3, expansion: [3, 6]}, "
             "slot1: [irb-k5-e1, fused-k3-e1]}'");
  ASSERT_EQ(result.code, 0) << result.output;
  const auto read = [&](const std::string& file) { return Read("blocks/" + file); };
  std::map<std::string, std::set<std::string>> rows;
  const Json table = read("table.json"), search = read("search.json"), evaluation = read("evaluation.json");
  for (const Json& row : table.at("tables")[0].at("rows")) {
    const std::string name = row.at("choice").get<std::string>() + (row.contains("searched") ? " measured" : "");
    rows[row.at("part")].insert(name);
    EXPECT_GT(row.at("latency_ns"), 0);
  }
  EXPECT_EQ(rows.size(), 17u + 3u);
  EXPECT_THAT(rows["slot1"], testing::ElementsAre("fused-k3-e1@int8", "irb-k3-e1@int8 measured", "irb-k5-e1@int8"));
  EXPECT_THAT(rows["slot17"],
              testing::ElementsAre("fused-k3-e3@int8", "fused-k3-e6@int8", "irb-k3-e3@int8", "irb-k3-e6@int8"));
  EXPECT_EQ(read("verify.json").at("baseline").at("slots")[0], "irb-k3-e1@int8");
  for (const Json& candidate : search.at("candidates")) {
    EXPECT_EQ(candidate.at("slots").size(), 17u);
    EXPECT_NE(candidate.at("slots")[0], "irb-k3-e1@int8");
  }
  for (const Json& network : evaluation.at("networks")) EXPECT_EQ(network.at("slots").size(), 17u);
}

// Latency is of the whole way from the file to the detections, in the table, in the networks that decide, and in the
// verdict; and of its 90th percentile.
TEST_F(SpacesTest, BudgetsEndToEndOnThe90thPercentile) {
  const std::string study =
      "study.yaml --set name=whole --set train.epochs=1 --set 'model.space={default: [irb-k3-e3, "
      "irb-k3-e6], slot1: irb-k3-e1}' --set search.latency_scope=end_to_end --set "
      "search.latency_statistic=p90";
  const HotResult result = RunHot(folder_.path(), "optimize " + study);
  ASSERT_EQ(result.code, 0) << result.output;
  const Json table = Read("whole/table.json").at("tables")[0];
  std::map<std::string, double> fixed;
  for (const Json& row : table.at("rows")) {
    if (row.at("choice") == "") fixed[row.at("part")] = row.at("latency_ns");
  }
  std::vector<std::string> parts;
  for (const auto& [part, ns] : fixed) {
    parts.push_back(part);
    EXPECT_GT(ns, 0) << part;
  }
  EXPECT_THAT(parts, testing::ElementsAre("decode", "head", "output", "resize", "stem", "tail"));
  EXPECT_GE(table.at("p90_over_median"), 1);
  const double around = fixed["decode"] + fixed["resize"] + fixed["output"];
  const Json verified = Read("whole/verify.json");
  EXPECT_EQ(verified.at("latency_scope"), "end_to_end");
  EXPECT_EQ(verified.at("latency_statistic"), "p90");
  for (const Json& network : verified.at("networks")) EXPECT_GT(network.at("measured_ns"), 0.5 * around);
  const Json evaluation = Read("whole/evaluation.json");
  EXPECT_THAT(evaluation.at("verdict"), HasSubstr("end to end"));
  EXPECT_THAT(evaluation.at("verdict"), HasSubstr("by their p90"));
  for (const Json& network : evaluation.at("networks")) {
    for (const Json& artifact : network.at("artifacts")) {
      const Json& latency = artifact.at("latency");
      EXPECT_GE(latency.at("samples"), 64);
      EXPECT_GE(latency.at("statistic_ns"), latency.at("median_ns"));
      EXPECT_GT(latency.at("median_ns"), 0.5 * around);
      EXPECT_TRUE(artifact.at("ram").at("runtime_kib").is_null()) << "OpenVINO says nothing";
    }
  }
  const HotResult second = RunHot(folder_.path(), "optimize " + study);
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.output, testing::Not(HasSubstr("measured,")));
}

bool IsInFloat(const Json& choice) { return choice.get<std::string>().ends_with("@fp32"); }
int64_t SlotsInFloat(const Json& network) { return std::ranges::count_if(network.at("slots"), IsInFloat); }

// Of MobileNetV2's inverted residuals: three layers a block, two where nothing is expanded.
int LayersInFloat(const Json& network) {
  constexpr int kLayers[] = {2, 2 * 3, 3 * 3, 4 * 3, 3 * 3, 3 * 3, 3};
  int layers = 0;
  for (size_t slot = 0; slot < std::size(kLayers); ++slot) {
    if (IsInFloat(network.at("slots").at(slot))) layers += kLayers[slot];
  }
  return layers;
}

// Each slot in int8 or float, by what int8 loses there and by what float weighs.
TEST_F(SpacesTest, SlotsInFormatsOfTheirOwn) {
  const std::string study =
      "study.yaml --set name=formats --set train.epochs=1 --set search.precision=slot --set search.quality=distill "
      "--set search.distill_epochs=1 --set target.precision=int8,fp32 --set search.latency_ratio=9 "
      "--set search.flash_kib=1100 --set 'model.space={default: [irb-k3-e3, irb-k3-e6], slot1: irb-k3-e1}'";
  const HotResult result = RunHot(folder_.path(), "optimize " + study);
  ASSERT_EQ(result.code, 0) << result.output;
  EXPECT_EQ(Read("formats/table.json").at("tables")[0].at("borders").size(), 1u + 6 * 3 + 1);
  const Json distilled = Read("formats/distill.json").at("widths")[0],
             best = Read("formats/verify.json")["candidates"][0];
  for (const Json& slot : distilled.at("slots")) {
    for (const Json& choice : slot.at("choices")) EXPECT_GT(choice.at("int8_loss"), 0) << slot.at("slot");
  }
  EXPECT_EQ(best.at("objective"), "accuracy");
  EXPECT_GT(SlotsInFloat(best), 0) << "float loses less";
  EXPECT_LT(SlotsInFloat(best), 7) << "but does not fit";
  EXPECT_LE(best.at("flash_kib"), 1100);
  std::set<std::string> ids;
  const Json evaluation = Read("formats/evaluation.json"), trained = Read("formats/train.json");
  for (const Json& network : evaluation.at("networks")) {
    EXPECT_TRUE(ids.insert(network.at("id")).second);
    const Json& artifacts = network.at("artifacts");  // fp32, int8
    EXPECT_EQ(artifacts.at(1).at("layers").at("i8"),
              artifacts[0].at("layers").at("f32").get<int>() - LayersInFloat(network));
    if (network.at("id") == best.at("id")) EXPECT_EQ(network.at("flash_kib"), best.at("flash_kib"));
  }
  EXPECT_TRUE(ids.contains(best.at("id"))) << "its own id, though it is trained as an int8 network is";
  for (const Json& network : trained.at("networks")) EXPECT_NE(network.at("best"), "");
  const std::string id = best.at("id");
  EXPECT_EQ(RunHot(folder_.path(), "export runs/formats --candidate " + id + " --out bundle").code, 0);
}

}  // namespace
}  // namespace hot
