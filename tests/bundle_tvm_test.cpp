// Bundles of toolchain tvm: machine code that needs no library, here and on Arm's processors under qemu.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bundle_example.h"
#include "core/bridge.h"
#include "core/error.h"
#include "core/hash.h"
#include "deploy/onnx_writer.h"
#include "graph/safetensors.h"

namespace hot {
namespace {

using ::testing::HasSubstr;

class TvmBundleTest : public BundleTest {
 protected:
  void SetUp() override {
    try {
      MakeToolchain("tvm");
      toolchain_ = "tvm";
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
  }

  // Puts the library of another instruction set into the run's artifact: its golden pairs stay those of this machine.
  void CompileFor(const std::string& target, Precision precision) {
    const Network network = Folded();
    const Quantization quantization = SyntheticQuantization(network);
    const OnnxOptions options{.quantization = precision == Precision::kInt8 ? &quantization : nullptr,
                              .fp16 = precision == Precision::kFp16};
    const std::string onnx = (folder_.path() / "model.onnx").string(), library = (folder_.path() / "model.so").string();
    WriteFileAtomic(onnx, WriteOnnx(network, options));
    const nlohmann::json request{{"onnx", onnx}, {"library", library}, {"target", target}, {"part", false}};
    const auto made = nlohmann::json::parse(Bridge().Call("tvm.compile", request.dump()));
    artifact_.blob = ReadFile(library);
    artifact_.blob_sha256 = Sha256Hex(artifact_.blob);
    artifact_.planned_bytes["arena"] = made.at("arena_bytes");
    artifact_.flags = "isa=" + target;
    WriteArtifact(Run() / "artifacts" / ("abc-" + PrecisionName(precision)), artifact_);
  }
};

TEST_F(TvmBundleTest, TheExampleFindsTheBoxesThatHotFinds) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  ExpectTheBoxesThatHotFinds();
  EXPECT_LE(ExampleLines(), 150);
  EXPECT_THAT(ReadFile(Out() / "README.md"), HasSubstr("machine code for Linux on x86-64"));
}

TEST_F(TvmBundleTest, VerifyNeedsNoLibraryAndNoticesWhatIsWrong) {
  MakeRun(OptionsOf("cpn"), Precision::kFp16);
  Export();
  const ProcessResult needed = Shell("readelf -d artifact/model.so | grep NEEDED | grep -v -e libc.so -e libm.so");
  EXPECT_EQ(needed.output, "");
  const ProcessResult good = Shell("./verify");
  EXPECT_TRUE(good.status.ok()) << good.output;
  EXPECT_THAT(good.output, HasSubstr("verified, golden pairs: 1"));
  const fs::path golden = Out() / "artifact/golden.safetensors";
  Weights pairs = ReadSafetensors(golden);
  for (float& value : pairs.at("0.input").data) value = -value;
  WriteSafetensors(golden, pairs);
  EXPECT_THAT(Shell("build/verify_golden").output, HasSubstr("NOT verified"));
  pairs.at("0.input") = Tensor({1, 3, 8, 8});
  WriteSafetensors(golden, pairs);
  EXPECT_THAT(Shell("build/verify_golden").output, HasSubstr("the input has another size"));
  fs::remove(Out() / "artifact/model.so");
  EXPECT_THAT(Shell("build/verify_golden").output, HasSubstr("model.so: cannot open"));
  for (size_t at; (at = artifact_.blob.find("hot_infer")) != std::string::npos;) artifact_.blob[at] = 'n';
  artifact_.blob_sha256 = Sha256Hex(artifact_.blob);
  WriteArtifact(Run() / "artifacts/abc-fp16", artifact_);
  try {
    Export();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_THAT(error.what(), HasSubstr("hot compile"));
  }
}

// The same sources for a board, run by qemu as processors that have just the instructions they were compiled for.
TEST_F(TvmBundleTest, VerifiesOnArmUnderQemu) {
  if (!Here("aarch64-linux-gnu-g++ --version") || !Here("qemu-aarch64 -version"))
    GTEST_SKIP() << "skipped: needs scripts/setup --with-aarch64";
  const auto build = [&](Precision precision, const std::string& target) {
    MakeRun(OptionsOf("ssd"), precision);
    CompileFor(target, precision);
    Export();
    const ProcessResult built = Shell(
        "cmake -S example -B build -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 "
        "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ && cmake --build build --target verify_golden");
    EXPECT_TRUE(built.status.ok()) << built.output;
  };
  const auto verify = [&](const std::string& processor) {
    return Shell("qemu-aarch64 -cpu " + processor + " -L /usr/aarch64-linux-gnu build/verify_golden");
  };
  build(Precision::kFp16, "aarch64-neon");
  EXPECT_THAT(verify("cortex-a53").output, HasSubstr("verified, golden pairs: 1"));
  build(Precision::kInt8, "aarch64-dotprod");
  const ProcessResult integers = verify("cortex-a76");
  EXPECT_TRUE(integers.status.ok()) << integers.output;
  EXPECT_THAT(integers.output, HasSubstr("box0: at most 0 steps")) << "integers are the same on all processors";
  EXPECT_THAT(verify("cortex-a53").output, HasSubstr("not for this processor"));
}

}  // namespace
}  // namespace hot
