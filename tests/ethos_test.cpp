// A study on an NPU that is not here, end to end: every number is an estimate, and says so wherever it is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
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
using testing::Not;

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
    const auto rows = OpenStore(folder_.path() / "runs" / "journal.sqlite")->Measurements(device);
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
      ASSERT_EQ(network.at("artifacts").size(), 2u) << "Vela makes no fp32";
      ExpectTheArtifactsEstimate(network.at("artifacts").at(0), "int16x8", "i16");
      ExpectTheArtifactsEstimate(network.at("artifacts").at(1), "int8", "i8");
    }
  }

  void ExpectTheArtifactsEstimate(const Json& one, const std::string& precision, const char* executed) const {
    EXPECT_EQ(one.at("precision"), precision);
    const Artifact artifact = ReadArtifact(Run() / one.at("folder").get<std::string>());
    ASSERT_TRUE(artifact.estimate);
    EXPECT_DOUBLE_EQ(one.at("latency").at("median_ns"), artifact.estimate->latency_ns);
    EXPECT_EQ(one.at("latency").at("samples"), 0);
    EXPECT_GT(one.at("estimated_peak_kib").at("sram"), 0);
    EXPECT_EQ(one.at("layers").size(), 1u);
    EXPECT_GT(one.at("layers").at(executed), 30);
    EXPECT_EQ(artifact.golden.size(), 2u) << "pictures of val";
    EXPECT_EQ(artifact.deviations.size(), artifact.output_names.size());
    EXPECT_EQ(one.at("deviations").size(), artifact.output_names.size());
    for (const OutputDeviation& deviation : artifact.deviations) {
      EXPECT_GT(deviation.noise_lsb, 0);
      EXPECT_LE(deviation.rms_lsb, 2 * deviation.noise_lsb) << precision << " " << deviation.output;
    }
  }

  TempFolder folder_;
};

TEST_F(EthosStudy, CallsItsLatenciesEstimatesEverywhere) {
  // The first precision is what the search goes by. The promise may break, and then no layer can fall back to float.
  const std::string both = " --set target.precision=[int16x8,int8] --set quantize.max_drop=0";
  const HotResult first = RunHot(folder_.path(), std::string("optimize study.yaml") + kTarget + both);
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
  EXPECT_THAT(ReadFile(Run() / "report.html"),
              AllOf(HasSubstr("Latency is an estimate (Vela)"), Not(HasSubstr("Measured latency"))));
  fs::remove_all(Run());
  const HotResult again = RunHot(folder_.path(), std::string("profile study.yaml") + kTarget + both);
  EXPECT_THAT(again.output, HasSubstr(" 0 estimated (Vela)")) << "estimates are taken from the journal, too";
}

// As scripts/setup leaves a machine that did not ask for Vela, or for LiteRT.
TEST(Ethos, WithoutItsToolsNamesTheSetupThatBringsThem) {
  for (const char* package : {"ethosu", "ai_edge_litert"}) {
    const TempFolder folder;
    fs::copy(fs::path(HOT_SOURCE_DIR) / "python", folder.path() / "python", fs::copy_options::recursive);
    EnsureFolder(folder.path() / "python" / package);
    WriteFileAtomic(folder.path() / "python" / package / "__init__.py", "raise ImportError('it is not here')\n");
    EnsureFolder(folder.path() / "data");
    WriteFileAtomic(folder.path() / "study.yaml", TinyStudy());
    setenv("HOT_BRIDGE", (folder.path() / "python").c_str(), 1);
    const HotResult run = RunHot(folder.path(), std::string("profile study.yaml") + kTarget);
    unsetenv("HOT_BRIDGE");
    EXPECT_EQ(run.code, 1) << run.output;
    EXPECT_THAT(run.output, AllOf(HasSubstr("is not installed"), HasSubstr("scripts/setup --with-vela")));
  }
}

TEST_F(EthosStudy, RefusesWhatTheNpuDoesNotHave) {
  const HotResult fp32 =
      RunHot(folder_.path(), std::string("profile study.yaml --set target.precision=fp32") + kTarget);
  EXPECT_EQ(fp32.code, 2) << fp32.output;
  EXPECT_THAT(fp32.output, AllOf(HasSubstr("target.precision"), HasSubstr("it executes int8, int16x8")));
  const HotResult toolchain = RunHot(folder_.path(), "profile study.yaml --set target.device=ethos-u55-128");
  EXPECT_EQ(toolchain.code, 2) << toolchain.output;
  EXPECT_THAT(toolchain.output, HasSubstr("target.toolchain: vela"));
}

}  // namespace
}  // namespace hot
