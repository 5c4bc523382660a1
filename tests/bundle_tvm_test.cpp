// Bundles of toolchain tvm: machine code that needs no library, here and on Arm's processors under qemu.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle_example.h"
#include "core/error.h"
#include "core/hash.h"
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

  std::string Refusal(const std::string& isa) {
    try {
      Export(isa);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
      EXPECT_FALSE(fs::exists(Out()));
      return error.what();
    }
    return "was exported";
  }
};

TEST_F(TvmBundleTest, TheExampleFindsTheBoxesThatHotFinds) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  Export();
  const ProcessResult built = Build();
  ASSERT_TRUE(built.status.ok()) << built.output;
  EXPECT_GT(ExpectTheBoxesThatHotFinds(Picture(120, 90)), 3u);
  EXPECT_THAT(RunExample("nothing.png out.png").output, HasSubstr("nothing.png: can't be read"));
  EXPECT_LE(ExampleLines(), 150);
  EXPECT_THAT(ReadFile(Out() / "README.md"), HasSubstr("machine code for Linux on x86-64"));
}

TEST_F(TvmBundleTest, VerifyNeedsNoLibraryAndNoticesWhatIsWrong) {
  MakeRun(OptionsOf("classify"), Precision::kFp16);
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

TEST_F(TvmBundleTest, ForABoardNeedsAKnownInstructionSetAndTvm) {
  toolchain_ = "openvino";
  MakeRun(OptionsOf("classify"), Precision::kFp32);
  KeepWeights(Precision::kFp32);
  EXPECT_THAT(Refusal("aarch64-neon"), HasSubstr("target.toolchain: tvm"));
  artifact_.toolchain = "tvm";
  WriteArtifact(Run() / "artifacts/abc-fp32", artifact_);
  EXPECT_THAT(Refusal("z80"), HasSubstr("aarch64-neon"));
}

// The same sources for a board, run by qemu as processors that have just the instructions they were compiled for.
TEST_F(TvmBundleTest, VerifiesOnArmUnderQemu) {
  if (!Here("aarch64-linux-gnu-g++ --version") || !Here("qemu-aarch64 -version"))
    GTEST_SKIP() << "skipped: needs scripts/setup --with-aarch64";
  const auto build = [&](Precision precision, const std::string& target) {
    MakeRun(OptionsOf("ssd"), precision);
    KeepWeights(precision);
    Export(target);
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
  EXPECT_THAT(ReadFile(Out() / "README.md"), HasSubstr("must be measured on the board"));
  build(Precision::kInt8, "aarch64-dotprod");
  const ProcessResult integers = verify("cortex-a76");
  EXPECT_TRUE(integers.status.ok()) << integers.output;
  EXPECT_THAT(integers.output, HasSubstr("box0: at most 0 steps")) << "integers are the same on all processors";
  EXPECT_THAT(verify("cortex-a53").output, HasSubstr("not for this processor"));
}

}  // namespace
}  // namespace hot
