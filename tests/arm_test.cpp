// The folder for boards with 64-bit Arm (scripts/setup --target aarch64) as an agent under qemu: it gives the outputs
// that this machine gives, and no times. Its only libraries from outside are glibc's, as on a bare Debian.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "agent_process.h"
#include "arm_folder.h"
#include "core/bridge.h"
#include "core/hash.h"
#include "deploy/onnx_writer.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "deploy/toolchain.h"
#include "hot_program.h"

namespace hot {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

class ArmTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!ArmIsHere()) return;
    folder_ = std::make_unique<TempFolder>();
    agent_ =
        std::make_unique<AgentProcess>(folder_->path() / "agent", std::vector<std::string>{}, Emulated(), kArmProgram);
  }
  static void TearDownTestSuite() {
    agent_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (agent_ == nullptr) GTEST_SKIP() << kArmIsNotHere;
  }

  static std::unique_ptr<Device> Board() { return MakeDevice(agent_->url(), 1); }

  // What `hot` for Arm prints.
  static HotResult OnArm(const std::string& arguments) {
    std::vector<std::string> command{"bash", "-c", "cd '" + folder_->path().string() + "' && exec \"$@\"", "bash"};
    for (const std::string& word : Emulated()) command.push_back(word);
    command.push_back(kArmProgram);
    std::istringstream words(arguments);
    for (std::string word; words >> word;) command.push_back(word);
    const ProcessResult result = RunProcess(command);
    return {.code = result.status.signal != 0 ? -result.status.signal : result.status.code, .output = result.output};
  }

  static std::string LibraryForArm(const std::string& onnx) {
    const fs::path file = folder_->path() / "model.onnx", library = folder_->path() / "model.so";
    WriteFileAtomic(file, onnx);
    const Json request{
        {"onnx", file.string()}, {"library", library.string()}, {"target", "aarch64-dotprod"}, {"part", false}};
    Bridge().Call("tvm.compile", request.dump());
    return ReadFile(library);
  }

  inline static std::unique_ptr<TempFolder> folder_;
  inline static std::unique_ptr<AgentProcess> agent_;
  const Network network_ = SmallMobileNet();
};

TEST_F(ArmTest, IsTheSameVersion) {
  const HotResult here = RunHot(folder_->path(), "--version"), there = OnArm("--version");
  EXPECT_EQ(there.code, 0);
  EXPECT_EQ(there.output, here.output);
}

TEST_F(ArmTest, SaysThatItIsEmulated) {
  const Json board = Json::parse(Board()->Describe().json);
  EXPECT_EQ(board.value("machine", ""), "aarch64");
  EXPECT_EQ(board.value("emulated", ""), "qemu-aarch64");
}

// Floats are added in another order.
TEST_F(ArmTest, AnOpenVinoNetworkGivesTheGoldenOutputs) {
  const Artifact artifact = MakeToolchain("openvino")->Compile({.network = network_});
  ASSERT_FALSE(artifact.golden.empty());
  EXPECT_LE(GoldenDifference(artifact, *Board()->Load(artifact)), 1e-4);
}

TEST_F(ArmTest, AnInt8TvmNetworkGivesTheGoldenIntegers) {
  const Quantization quantization = SyntheticQuantization(network_);
  std::unique_ptr<Toolchain> toolchain;
  try {
    toolchain = MakeToolchain("tvm");
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    GTEST_SKIP() << "skipped: " << error.what();
  }
  Artifact artifact =
      toolchain->Compile({.network = network_, .precision = Precision::kInt8, .quantization = &quantization});
  ASSERT_FALSE(artifact.golden.empty());
  artifact.blob = LibraryForArm(WriteOnnx(network_, {.quantization = &quantization}));
  artifact.blob_sha256 = Sha256Hex(artifact.blob);
  const auto session = Board()->Load(artifact);
  EXPECT_EQ(GoldenDifference(artifact, *session), 0);
  EXPECT_THAT(ConvolutionsNotIn(session->LayerPrecisions(), "i8"), IsEmpty());
}

// Asked with Debian's Python for Arm: agents have none, but who compiles on a board has.
TEST_F(ArmTest, ToolchainTvmNamesTheProcessorsInstructions) {
  const std::string python = std::string(kArmSysroot) + "/usr/bin/python3.11";
  const auto named = [&](const std::string& processor) {
    return RunProcess({"env", "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=" HOT_SOURCE_DIR "/python", "qemu-aarch64",
                       "-cpu", processor, "-L", kArmSysroot, python, "-c",
                       "from hot_bridge.tvm_compiler.target import find_isa; print(find_isa('host').name)"})
        .output;
  };
  EXPECT_EQ(named("cortex-a53"), "aarch64-neon\n");
  EXPECT_EQ(named("cortex-a76"), "aarch64-dotprod\n");
}

TEST_F(ArmTest, MeasuresNothing) {
  const Artifact artifact = MakeToolchain("openvino")->Compile({.network = network_, .timing_only = true});
  const Artifact* one = &artifact;
  const auto silent = MakeSilentProgress();
  const std::atomic<bool> cancelled = false;
  try {
    Board()->Profile({&one, 1}, {}, 0, {SystemClock(), *silent, cancelled});
    ADD_FAILURE() << "a time from an emulator";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("an emulator's times are no device's"));
  }
}

// On the board itself, and from here.
TEST_F(ArmTest, FillsNoTable) {
  ASSERT_EQ(RunHot(folder_->path(), "data make shapes data --train 8 --test 4").code, 0);
  WriteFileAtomic(folder_->path() / "study.yaml", TinyStudy());
  const HotResult there = OnArm("profile study.yaml --quiet"),
                  here = RunHot(folder_->path(), "profile study.yaml --quiet --set target.device=" + agent_->url());
  for (const HotResult& result : {there, here}) {
    EXPECT_EQ(result.code, 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr("can't measure under \"qemu-aarch64\": an emulator's times are no device's"));
    const std::string ours =
        std::regex_replace(result.output, std::regex(".*MIDR_EL1.*\n"), "");  // a file that qemu lacks
    EXPECT_EQ(std::count(ours.begin(), ours.end(), '\n'), 1) << result.output;
  }
}

}  // namespace
}  // namespace hot
