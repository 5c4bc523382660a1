// Look-up tables of devices that estimate: rows are parts of whole networks, so that their sums are those networks.
#include "pipeline/table_networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/bridge.h"
#include "core/error.h"
#include "core/rng.h"
#include "data/shapes.h"
#include "deploy/toolchains/vela/ethos_npu.h"
#include "pipeline/networks.h"
#include "pipeline/stage.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

class TableNetworksTest : public testing::Test {
 protected:
  TableNetworksTest() : progress_(MakeSilentProgress()), context_{SystemClock(), *progress_, cancelled_} {
    WriteShapes(folder_.path() / "data", {.train_pictures = 6, .test_pictures = 3}, context_);
  }
  void SetUp() override {
    try {
      Bridge().Call("vela.check", "{}");
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
  }

  Study StudyOf(std::string_view device, std::vector<std::string> choices) const {
    Study study;
    study.name = "t";
    study.model.width = {0.35};
    study.model.input = {96, 96};
    study.model.space.slots = {{"default", std::move(choices)}, {"slot1", {"irb-k3-e1", "fused-k3-e1"}}};
    study.data.root = study.data.test_root = (folder_.path() / "data").string();
    study.data.test_format = study.data.format;
    study.target.device = device;
    study.target.toolchain = "vela";
    study.target.precision = {"int8"};
    study.run.folder = (folder_.path() / device).string();
    return study;
  }

  TempFolder folder_;
  std::unique_ptr<Progress> progress_;
  std::atomic<bool> cancelled_ = false;
  Context context_;
};

// The same nodes, but for the names of the part's inputs.
void ExpectHolds(const Graph& network, const Graph& part) {
  std::map<std::string, const Node*> by_name;
  for (const Node& node : network.nodes()) by_name[node.name] = &node;
  for (const Node& node : part.nodes()) {
    if (node.op == Op::kInput) continue;
    ASSERT_TRUE(by_name.contains(node.name)) << node.name;
    EXPECT_EQ(by_name.at(node.name)->op, node.op) << node.name;
    EXPECT_EQ(by_name.at(node.name)->shape.c, node.shape.c) << node.name;
    EXPECT_EQ(by_name.at(node.name)->attrs.kernel, node.attrs.kernel) << node.name;
  }
}

TEST_F(TableNetworksTest, EveryRowIsInTheNetworkThatItIsEstimatedIn) {
  const Workspace workspace(
      StudyOf("ethos-u85-256", {"irb-k3-e3", "irb-k5-e3", "fused-k3-e6", "sandglass-k3-e6", "sandglass-k5-e6"}),
      context_);
  const std::vector<TablePlan> plans = PlanTables(workspace);
  ASSERT_EQ(plans.size(), 1u);
  const std::vector<LatencyJob> jobs = TableJobs(plans, {});
  size_t next = 0;
  for (const TablePlan& plan : plans) {
    EXPECT_EQ(plan.networks.graphs.size(), 6u) << "the slots' five choices, and the baseline's";
    for (size_t i = 0; i < plan.graphs.size(); ++i, ++next) {
      ASSERT_NE(jobs[next].network, nullptr);
      ExpectHolds(*jobs[next].network, plan.graphs[i]);
    }
  }
  EXPECT_EQ(next, jobs.size());
}

TEST_F(TableNetworksTest, SumsOfRowsAreNetworks) {
  for (const EthosNpu& npu : kEthosNpus) {
    Workspace workspace(StudyOf(npu.name, {"irb-k3-e6", "fused-k3-e3", "sandglass-k3-e6"}), context_);
    RunStages(workspace, "profile");
    const LookupTable table = ReadTables(workspace).at(0);
    Rng rng(5);
    std::vector<Candidate> networks;
    std::vector<Graph> graphs;
    for (int i = 0; i < 3; ++i) {
      std::vector<Choice> choices;
      for (const auto& rows : table.slots)
        choices.push_back(rows[static_cast<size_t>(rng.Below(std::ssize(rows)))].choice);
      networks.push_back(Predict(table, choices, {}));
      graphs.push_back(GraphOf(workspace, table.width, choices));
    }
    std::vector<LatencyJob> jobs;
    for (const Graph& graph : graphs) jobs.push_back({.graph = &graph, .precision = Precision::kInt8});
    const LatencyRows whole = MeasureLatencies(workspace, jobs, "test");
    for (size_t i = 0; i < networks.size(); ++i)
      EXPECT_NEAR(networks[i].latency_ns / whole.rows[i].median_ns, 1, 0.005) << npu.name;
  }
}

TEST(PartNs, LayersWithoutANodeAreTheHeads) {
  GraphBuilder builder;
  NodeId x = builder.Input("image", {3, 8, 8});
  for (const char* name : {"stem", "slot1", "head"}) {
    builder.BeginSection(name);
    x = builder.Conv(name + std::string(".conv"), x, {.out_channels = 8});
  }
  builder.Output(x);
  const Graph network = std::move(builder).Build();
  const Estimate estimate{
      .layers_ns = {{"stem.conv", 1}, {"slot1.conv", 2}, {"slot1.conv.copied", 4}, {"head.conv", 8}}};
  EXPECT_EQ(PartNs(estimate, network, "stem"), 1);
  EXPECT_EQ(PartNs(estimate, network, "slot1"), 2);
  EXPECT_EQ(PartNs(estimate, network, "head"), 12);
  EXPECT_THROW(PartNs({}, network, "stem"), Error);
}

}  // namespace
}  // namespace hot
