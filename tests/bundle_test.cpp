// A bundle as a firmware engineer meets it: written from a run folder, its example built with CMake, run on a picture,
// its golden pairs replayed; and what happens when files of it are damaged.
#include "pipeline/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "bundle_example.h"
#include "core/error.h"
#include "data/crops.h"
#include "data/loader.h"
#include "graph/safetensors.h"

namespace hot {
namespace {

using ::testing::HasSubstr;

TEST_F(BundleTest, TheExampleFindsTheBoxesThatHotFinds) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  Export();
  const ProcessResult built = Build();
  ASSERT_TRUE(built.status.ok()) << built.output;
  EXPECT_GT(ExpectTheBoxesThatHotFinds(Picture(120, 90)), 3u);
  EXPECT_THAT(RunExample("nothing.png out.png").output, HasSubstr("nothing.png: can't be read"));
}

TEST_F(BundleTest, TheExampleFindsTheJointsThatHotFinds) {
  TaskOptions options = OptionsOf("cpn");
  MakeRun(options, Precision::kFp32);
  Export();
  const ProcessResult built = Build();
  ASSERT_TRUE(built.status.ok()) << built.output;
  const fs::path picture = Picture(160, 160);
  const Box box{30, 40, 110, 120};  // with its margins 104 x 104 pixels from (18, 28)
  const ProcessResult ran = Shell("build/example " + picture.string() + " out.png -1000 30 40 110 120");
  ASSERT_TRUE(ran.status.ok()) << ran.output;
  const Box crop =
      CropBox(box, {.width = 64, .height = 64, .margin_y = options.margin_y, .margin_x = options.margin_x});
  ASSERT_EQ(crop.x0, 18);
  ASSERT_EQ(crop.width(), 104);
  Tensor input({1, 3, 64, 64});
  const Sample sample{.image = picture, .width = 160, .height = 160, .crop = Crop{.box = crop}};
  SampleToInput(sample, artifact_.preprocessing, input.data.data());
  const Detection pose = Expected(input).at(0);
  const std::vector<Line> lines = Lines(ran.output, 3);
  ASSERT_EQ(lines.size(), 3u);
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(lines[k].name, options.keypoints[k]);
    EXPECT_NEAR(lines[k].numbers[1], crop.x0 + pose.keypoints[k].x * 104 / 64, 0.01);
    EXPECT_NEAR(lines[k].numbers[2], crop.y0 + pose.keypoints[k].y * 104 / 64, 0.01);
  }
}

TEST_F(BundleTest, TheExampleNamesTheClassThatHotNames) {
  MakeRun(OptionsOf("classify"), Precision::kInt8);
  Export();
  const ProcessResult built = Build();
  ASSERT_TRUE(built.status.ok()) << built.output;
  const fs::path picture = Picture(64, 64);
  const ProcessResult ran = Shell("build/example " + picture.string() + " out.png 0");
  Tensor input({1, 3, 64, 64});
  ToInput(DecodeImage(picture), artifact_.preprocessing, input.data.data());
  const Detection best = Expected(input).at(0);
  const std::vector<Line> lines = Lines(ran.output, 1);
  ASSERT_EQ(lines.size(), 1u) << ran.output;
  EXPECT_EQ(lines[0].name, spec_.task.classes[static_cast<size_t>(best.label)]);
  EXPECT_NEAR(lines[0].numbers[0], best.score, 1e-4);
}

// The script alone, as on a board; then with another network's golden pairs, then with an edited file.
TEST_F(BundleTest, VerifyReplaysTheGoldenPairsAndNoticesWhatIsWrong) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  Export();
  const std::string verify = "./verify -DOpenVINO_DIR=" HOT_OPENVINO_DIR;
  const ProcessResult good = Shell(verify);
  EXPECT_TRUE(good.status.ok()) << good.output;
  EXPECT_THAT(good.output, HasSubstr("verified, golden pairs: 1"));
  const fs::path golden = Out() / "artifact/golden.safetensors";
  Weights pairs = ReadSafetensors(golden);
  for (float& value : pairs.at("0.output0").data) value += 100;
  WriteSafetensors(golden, pairs);
  EXPECT_THAT(Shell(verify).output, HasSubstr("golden.safetensors"));
  EXPECT_FALSE(Shell(verify).status.ok());
  const ProcessResult other = Shell("build/verify_golden");
  EXPECT_EQ(other.status.code, 1);
  EXPECT_THAT(other.output, HasSubstr("NOT verified"));
  WriteFileAtomic(golden, ReadFile(golden).substr(0, 3000));
  EXPECT_THAT(Shell("build/verify_golden").output, HasSubstr("golden.safetensors is damaged"));
  const fs::path header = Out() / "example/network.h";
  WriteFileAtomic(header, std::regex_replace(ReadFile(header), std::regex("kRuntimeVersion = \"[^-]*"),
                                             "kRuntimeVersion = \"2001.1"));
  EXPECT_THAT(Shell("cmake --build build --target verify_golden >build.log && build/verify_golden").output,
              HasSubstr("the bundle was measured with 2001.1"));
}

TEST_F(BundleTest, IsReadAsItWasWrittenAndRefusedWhenDamaged) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  Export();
  const Bundle bundle = ReadBundle(Out());
  EXPECT_EQ(bundle.id, "abc");
  EXPECT_EQ(bundle.artifact.blob_sha256, artifact_.blob_sha256);
  EXPECT_EQ(bundle.trial.task.classes, spec_.task.classes);
  EXPECT_EQ(bundle.test.split, "test");
  EXPECT_EQ(bundle.test.root, "somewhere/data");
  EXPECT_FALSE(bundle.test.shared);
  EXPECT_EQ(ReadFile(Out() / "classes.txt"), "red \"cell\"\nwhite\n");
  EXPECT_THAT(ReadFile(Out() / "LICENCES.md"), HasSubstr("somewhere/data"));
  const auto refused = [&](Code code) {
    try {
      ReadBundle(Out());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return std::string(error.what());
    }
    return std::string("was read");
  };
  for (const char* file : {"bundle.json", "trial.json", "artifact/manifest.json", "example/network.h"}) {
    const std::string bytes = ReadFile(Out() / file);
    WriteFileAtomic(Out() / file, bytes + " ");
    EXPECT_THAT(refused(Code::kDataLoss), HasSubstr(file));
    fs::remove(Out() / file);
    EXPECT_THAT(refused(Code::kDataLoss), HasSubstr(file));
    WriteFileAtomic(Out() / file, bytes);
  }
  fs::remove(Out() / "SHA256SUMS");
  EXPECT_THAT(refused(Code::kDataLoss), HasSubstr("no whole bundle"));
}

TEST_F(BundleTest, NeedsACompiledNetwork) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  try {
    ExportNetwork({.run = Run(), .network = "abc", .format = "bundle", .out = Out(), .precision = "bf16"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("abc-bf16"));
    EXPECT_THAT(error.what(), HasSubstr("hot compile"));
  }
}

TEST_F(BundleTest, OfAnotherToolchainIsRefusedAndSaysWhereTheArtifactIs) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  artifact_.toolchain = "vela";
  WriteArtifact(Run() / "artifacts/abc-int8", artifact_);
  try {
    Export();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    EXPECT_THAT(error.what(), HasSubstr("artifacts/abc-int8"));
    EXPECT_FALSE(fs::exists(Out()));
  }
}

// The limit of what a firmware engineer wants to read.
TEST_F(BundleTest, TheExampleHasAtMost150Lines) {
  for (const char* task : {"ssd", "cpn", "classify"}) {
    MakeRun(OptionsOf(task), Precision::kFp32);
    Export();
    EXPECT_LE(ExampleLines(), 150) << task;
  }
}

// The same sources for a board, run by qemu.
class Aarch64Test : public BundleRun {
 protected:
  void SetUp() override {
    if (!fs::exists(HOT_AARCH64_DIR "/openvino") || !Here("aarch64-linux-gnu-g++ --version") ||
        !Here("qemu-aarch64 -version"))
      GTEST_SKIP() << "skipped: needs scripts/setup --with-aarch64";
  }

  // Of a network in this precision, what verify_golden says on an Armv8.2 with dot products.
  ProcessResult Verified(Precision precision) {
    MakeRun(OptionsOf("ssd"), precision);
    Export();
    const ProcessResult built = Shell(
        "cmake -S example -B build -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 "
        "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DOpenVINO_DIR=" HOT_AARCH64_DIR
        "/openvino/cmake && "
        "cmake --build build --target verify_golden");
    EXPECT_TRUE(built.status.ok()) << built.output;
    return Shell("qemu-aarch64 -cpu neoverse-n1 -L /usr/aarch64-linux-gnu build/verify_golden");
  }
};

TEST_F(Aarch64Test, GivesTheGoldenOutputsInFp32) {
  const ProcessResult ran = Verified(Precision::kFp32);
  EXPECT_TRUE(ran.status.ok()) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("verified, golden pairs: 1"));
}

// OpenVINO's integer kernels for Arm round elsewhere than those for x86-64, and `verify` says so. But they compute the
// same network: its outputs are not further from the golden ones than those are from the float network's.
TEST_F(Aarch64Test, Int8IsOffByRoundingsAndVerifySaysSo) {
  const ProcessResult ran = Verified(Precision::kInt8);
  EXPECT_EQ(ran.status.code, 1) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("NOT verified"));
  const GoldenPair& golden = artifact_.golden.at(0);
  const Artifact exact = Compiled(Precision::kFp32, std::span(&golden.input, 1));
  const std::regex line("head[.](\\S+): at most (\\S+) steps");
  size_t outputs = 0;
  for (std::sregex_iterator at(ran.output.begin(), ran.output.end(), line), end; at != end; ++at, ++outputs) {
    double from_float = 0;
    for (size_t i = 0; i < golden.outputs.at(outputs).data.size(); ++i) {
      const double difference = golden.outputs[outputs].data[i] - exact.golden.at(0).outputs.at(outputs).data[i];
      from_float = std::max(from_float, std::abs(difference) / artifact_.deviations.at(outputs).step);
    }
    std::printf("%-5s on Arm at most %5.2f LSB from x86-64, int8 from float %5.2f\n", (*at)[1].str().c_str(),
                std::stod((*at)[2]), from_float);
    EXPECT_LE(std::stod((*at)[2]), from_float) << (*at)[1];
  }
  EXPECT_EQ(outputs, golden.outputs.size());
}

}  // namespace
}  // namespace hot
