// A study on an NPU that is not here, end to end: every number is an estimate, and says so wherever it is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/bridge.h"
#include "core/error.h"
#include "deploy/artifact.h"
#include "hot_program.h"
#include "store/store.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kTarget = " --set target.device=ethos-u55-128 --set target.toolchain=vela";

class EthosStudy : public testing::Test {
 protected:
  void SetUp() override {
    try {
      Bridge().Call("vela.check", "{}");
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
    ASSERT_EQ(RunHot(folder_.path(), "data make shapes data --train 24 --test 8").code, 0);
    WriteFileAtomic(folder_.path() / "study.yaml", TinyStudy());
  }
  fs::path Run() const { return folder_.path() / "runs" / "tiny"; }
  Json Read(const std::string& file) const { return Json::parse(ReadFile(Run() / file)); }

  void ExpectEstimatesInTheJournal() const {
    const std::string device = Read("table.json").at("device").at("fingerprint");
    const auto rows = OpenSqliteStore(folder_.path() / "runs" / "journal.sqlite")->Measurements(device);
    EXPECT_GT(rows.size(), 50u);
    for (const MeasurementRow& row : rows) {
      EXPECT_TRUE(row.estimate);
      EXPECT_TRUE(row.samples_ns.empty());
      EXPECT_TRUE(row.canary_ns.empty());
      EXPECT_GT(row.median_ns, 0);
      EXPECT_EQ(row.low_ns, row.high_ns);
      EXPECT_EQ(row.key.toolchain, "vela");
      EXPECT_THAT(row.key.flags, HasSubstr("accelerator=ethos-u55-128"));
    }
  }

  void ExpectTheArtifactsEstimates(const Json& evaluation) const {
    for (const Json& network : evaluation.at("networks")) {
      ASSERT_EQ(network.at("artifacts").size(), 1u) << "Vela makes no fp32";
      const Json& one = network.at("artifacts").at(0);
      const Artifact artifact = ReadArtifact(Run() / one.at("folder").get<std::string>());
      ASSERT_TRUE(artifact.estimate);
      EXPECT_DOUBLE_EQ(one.at("latency").at("median_ns"), artifact.estimate->latency_ns);
      EXPECT_EQ(one.at("latency").at("samples"), 0);
      EXPECT_GT(one.at("estimated_peak_kib").at("sram"), 0);
      EXPECT_EQ(one.at("layers").size(), 1u);
      EXPECT_GT(one.at("layers").at("i8"), 30);
    }
  }

  TempFolder folder_;
};

TEST_F(EthosStudy, CallsItsLatenciesEstimatesEverywhere) {
  const HotResult first = RunHot(folder_.path(), std::string("optimize study.yaml") + kTarget);
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_THAT(first.output, AllOf(HasSubstr("estimated (Vela)"), HasSubstr("networks estimated whole")));
  EXPECT_THAT(first.output, HasSubstr("Latency is an estimate (Vela)"));
  EXPECT_EQ(Read("table.json").at("device").at("latency_is"), "estimate (Vela)");
  ExpectEstimatesInTheJournal();
  const Json evaluation = Read("evaluation.json");
  EXPECT_EQ(evaluation.at("latency_is"), "estimate (Vela)");
  EXPECT_EQ(evaluation.at("accuracy_from"), "LiteRT (reference)");
  EXPECT_THAT(evaluation.at("verdict").get<std::string>(), HasSubstr("Latency is an estimate (Vela)"));
  ExpectTheArtifactsEstimates(evaluation);
  EXPECT_THAT(ReadFile(Run() / "report.html"), HasSubstr("Latency is an estimate (Vela)"));

  fs::remove_all(Run());
  const HotResult again = RunHot(folder_.path(), std::string("profile study.yaml") + kTarget);
  EXPECT_THAT(again.output, HasSubstr(" 0 estimated (Vela)")) << "estimates are taken from the journal, too";
}

TEST_F(EthosStudy, RefusesWhatTheNpuDoesNotHave) {
  const HotResult fp32 =
      RunHot(folder_.path(), std::string("profile study.yaml --set target.precision=fp32") + kTarget);
  EXPECT_EQ(fp32.code, 2) << fp32.output;
  EXPECT_THAT(fp32.output, AllOf(HasSubstr("target.precision"), HasSubstr("it executes int8")));
  const HotResult toolchain = RunHot(folder_.path(), "profile study.yaml --set target.device=ethos-u55-128");
  EXPECT_EQ(toolchain.code, 2) << toolchain.output;
  EXPECT_THAT(toolchain.output, HasSubstr("target.toolchain: vela"));
}

}  // namespace
}  // namespace hot
