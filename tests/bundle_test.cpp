// A bundle as a firmware engineer meets it: written from a run folder, its example built with CMake, run on a picture,
// its golden pairs replayed; and what happens when files of it are damaged.
#include "pipeline/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/rng.h"
#include "core/subprocess.h"
#include "data/crops.h"
#include "data/loader.h"
#include "data/shapes.h"
#include "deploy/deviation.h"
#include "deploy/device.h"
#include "deploy/toolchain.h"
#include "graph/safetensors.h"
#include "pipeline/check.h"
#include "pipeline/export.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

TaskOptions OptionsOf(const std::string& name) {
  TaskOptions options;
  options.task = name;
  options.input = {3, 64, 64};
  options.classes = {"red \"cell\"", "white"};
  if (name == "cpn") options.classes = {"person"};
  if (name == "cpn") options.keypoints = {"head", "left hand", "right hand"};
  options.score_threshold = 0.3;
  options.pyramid_channels = 16;
  return options;
}

// A run folder after its stage compile, with random weights.
class BundleTest : public testing::Test {
 protected:
  fs::path Run() const { return folder_.path() / "run"; }
  fs::path Out() const { return folder_.path() / "bundle"; }

  void MakeRun(const TaskOptions& options, Precision precision) {
    spec_.task = options;
    spec_.width = 0.35;
    spec_.slots = {"irb-k3-e1@int8"};
    for (int slot = 2; slot <= 7; ++slot) spec_.slots.push_back("irb-k3-e6@int8");
    spec_.train.root = data_;
    spec_.train.split = "train";
    const fs::path trial = Run() / "trials" / "abc-lr1";
    EnsureFolder(trial);
    WriteFileAtomic(trial / "trial.json", ToJson(spec_));
    WriteFileAtomic(Run() / "train.json",
                    R"({"networks": [{"id": "abc", "role": "baseline", "best": "abc-lr1", "trials": []}]})");
    const Json study{{"target", {{"precision", {PrecisionName(precision)}}}},
                     {"data", {{"test", "test"}, {"test_format", "voc"}, {"test_root", data_.string()}}}};
    WriteFileAtomic(Run() / "study.json", study.dump());
    artifact_ = Compiled(precision);
    WriteArtifact(Run() / "artifacts" / ("abc-" + PrecisionName(precision)), artifact_);
  }

  Artifact Compiled(Precision precision) const {
    const auto task = MakeTask(spec_.task);
    const Graph graph = TrialGraph(spec_, *task, Purpose::kShipping);
    const Network network = FoldBatchNorm(graph, TimingWeights(graph, 3));
    const Quantization quantization = SyntheticQuantization(network);
    const bool int8 = precision == Precision::kInt8;
    Artifact artifact =
        MakeToolchain("openvino")
            ->Compile({.network = network, .precision = precision, .quantization = int8 ? &quantization : nullptr});
    if (int8) artifact.deviations = MeasureDeviation(artifact, network, quantization);
    artifact.preprocessing = TaskPreprocessing(spec_.task);
    artifact.task = spec_.task.task;
    artifact.classes = spec_.task.classes;
    artifact.keypoints = spec_.task.keypoints;
    artifact.task_options =
        Json{{"skeleton", {{0, 1}, {0, 2}}}, {"box_margin", {spec_.task.margin_y, spec_.task.margin_x}}}.dump();
    return artifact;
  }

  void Export() {
    const Exported exported =
        ExportNetwork({.run = Run(), .network = "baseline", .format = "bundle", .out = Out(), .precision = ""});
    for (const fs::path& file : exported.files) EXPECT_TRUE(fs::exists(file)) << file;
  }

  // In the bundle's folder.
  ProcessResult Shell(const std::string& command) const {
    return RunProcess({"bash", "-c", "cd '" + Out().string() + "' && " + command});
  }
  ProcessResult Build() const {
    return Shell("cmake -S example -B build -DOpenVINO_DIR=" HOT_OPENVINO_DIR
                 " && cmake --build build --target example");
  }

  // A picture of coloured noise blocks, as PNG: what is decoded is what was written.
  fs::path Picture(int width, int height) const {
    Image picture{.width = width, .height = height, .rgb = {}};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        Rng rng(static_cast<uint64_t>(y / 8 * 100 + x / 8));
        for (int c = 0; c < 3; ++c) picture.rgb.push_back(static_cast<uint8_t>(rng.Below(256)));
      }
    }
    WritePng(folder_.path() / "picture.png", picture);
    return folder_.path() / "picture.png";
  }

  std::vector<Detection> Expected(const Tensor& input) const {
    return MakeTask(spec_.task)->Decode(MakeDevice("host", 1)->Load(artifact_)->Run(std::span(&input, 1)));
  }

  TempFolder folder_;
  fs::path data_ = "somewhere/data";
  TrialSpec spec_;
  Artifact artifact_;
};

struct Line {
  std::string name;
  std::vector<double> numbers;
};

// "name with blanks 0.5 1 2 3 4"
std::vector<Line> Lines(const std::string& output, size_t numbers) {
  std::vector<Line> lines;
  std::istringstream stream(output);
  for (std::string text; std::getline(stream, text);) {
    Line line;
    for (size_t i = 0; i < numbers; ++i) {
      const size_t blank = text.rfind(' ');
      line.numbers.insert(line.numbers.begin(), std::stod(text.substr(blank + 1)));
      text.resize(blank);
    }
    line.name = text;
    lines.push_back(line);
  }
  return lines;
}

TEST_F(BundleTest, TheExampleFindsTheBoxesThatHotFinds) {
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  Export();
  const ProcessResult built = Build();
  ASSERT_TRUE(built.status.ok()) << built.output;
  const fs::path picture = Picture(120, 90);
  const ProcessResult ran = Shell("build/example " + picture.string() + " out.png 0.3");
  ASSERT_TRUE(ran.status.ok()) << ran.output;
  Tensor input({1, 3, 64, 64});
  ToInput(DecodeImage(picture), artifact_.preprocessing, input.data.data());
  const std::vector<Detection> expected = Expected(input);
  const std::vector<Line> lines = Lines(ran.output, 5);
  ASSERT_EQ(lines.size(), expected.size());
  EXPECT_GT(lines.size(), 3u);
  for (size_t i = 0; i < lines.size(); ++i) {
    const Detection& d = expected[i];
    EXPECT_EQ(lines[i].name, spec_.task.classes[static_cast<size_t>(d.label)]);
    EXPECT_NEAR(lines[i].numbers[0], d.score, 1e-4);
    const double sides[] = {d.box.x0 * 120 / 64, d.box.y0 * 90 / 64, d.box.x1 * 120 / 64, d.box.y1 * 90 / 64};
    for (size_t k = 0; k < 4; ++k) EXPECT_NEAR(lines[i].numbers[k + 1], sides[k], 0.01) << i;
  }
  EXPECT_EQ(DecodeImage(Out() / "out.png").width, 120);
  EXPECT_THAT(Shell("build/example nothing.png out.png").output, HasSubstr("nothing.png: can't be read"));
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
  EXPECT_THAT(good.output, HasSubstr("verified, 1 golden pairs"));
  const fs::path golden = Out() / "artifact/golden.safetensors";
  Weights pairs = ReadSafetensors(golden);
  for (float& value : pairs.at("0.output0").data) value += 100;
  WriteSafetensors(golden, pairs);
  EXPECT_THAT(Shell(verify).output, HasSubstr("golden.safetensors"));
  EXPECT_FALSE(Shell(verify).status.ok());
  const ProcessResult other = Shell("build/verify_golden");
  EXPECT_EQ(other.status.code, 1);
  EXPECT_THAT(other.output, HasSubstr("NOT verified"));
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

// No latency is asserted: check_test.cpp has the statistics.
TEST_F(BundleTest, CheckComparesTwoBundlesOnTheSamePictures) {
  const std::unique_ptr<Progress> progress = MakeSilentProgress();
  const std::atomic<bool> cancelled{false};
  const Context context{SystemClock(), *progress, cancelled};
  data_ = folder_.path() / "data";
  WriteShapes(data_, {.train_pictures = 2, .test_pictures = 5}, context);
  TaskOptions options = OptionsOf("ssd");
  options.classes = {"circle", "square", "triangle"};
  MakeRun(options, Precision::kInt8);
  Export();
  const CheckResult result = CheckBundle({.bundle = Out(), .baseline = Out()}, context);
  EXPECT_EQ(result.pictures, 5u);
  EXPECT_EQ(result.difference.difference, 0);
  EXPECT_FALSE(result.less_accurate);
  EXPECT_GT(result.ratio.low, 0);
  EXPECT_LE(result.ratio.low, result.ratio.high);
  EXPECT_GE(result.latency.samples_ns.size(), 64u);
  const auto refused = [&](const CheckOptions& check, Code code) {
    try {
      CheckBundle(check, context);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return std::string(error.what());
    }
    return std::string("was compared");
  };
  const fs::path other = folder_.path() / "other";
  fs::copy(Out(), other, fs::copy_options::recursive);
  fs::rename(data_, folder_.path() / "moved");
  EXPECT_THAT(refused({.bundle = Out(), .baseline = other}, Code::kNotFound), HasSubstr("--data DIR"));
  EXPECT_EQ(CheckBundle({.bundle = Out(), .baseline = other, .data = folder_.path() / "moved"}, context).pictures, 5u);
  EXPECT_THAT(refused({.bundle = Out(), .baseline = other, .device = "toaster", .data = folder_.path() / "moved"},
                      Code::kInvalidArgument),
              HasSubstr("toaster"));
  options.classes.pop_back();
  MakeRun(options, Precision::kInt8);
  Export();
  EXPECT_THAT(refused({.bundle = Out(), .baseline = other}, Code::kInvalidArgument), HasSubstr("other classes"));
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

// The limit of what a firmware engineer wants to read.
TEST_F(BundleTest, TheExampleHasAtMost150Lines) {
  for (const char* task : {"ssd", "cpn", "classify"}) {
    MakeRun(OptionsOf(task), Precision::kFp32);
    Export();
    std::ptrdiff_t lines = 0;
    for (const char* file : {"example.cpp", "model.h", "outputs.h", "picture.h"}) {
      const std::string text = ReadFile(Out() / "example" / file);
      lines += std::count(text.begin(), text.end(), '\n');
    }
    EXPECT_LE(lines, 150) << task;
  }
}

// The same sources for a board, where Debian's cross compiler, qemu and OpenVINO's aarch64 wheel are there.
TEST_F(BundleTest, VerifyRunsOnAarch64) {
  const char* openvino = std::getenv("HOT_OPENVINO_AARCH64");  // folder of the unpacked wheel's openvino package
  if (openvino == nullptr || !FindProgram("aarch64-linux-gnu-g++") || !FindProgram("qemu-aarch64"))
    GTEST_SKIP() << "skipped: needs HOT_OPENVINO_AARCH64, g++-aarch64-linux-gnu and qemu-user";
  MakeRun(OptionsOf("ssd"), Precision::kInt8);
  Export();
  const std::string root = openvino;
  const ProcessResult built =
      Shell("aarch64-linux-gnu-g++ -std=c++17 -O1 -DBUNDLE_FOLDER='\"" + Out().string() + "\"' -I" + root +
            "/include example/verify.cpp " + root + "/libs/libopenvino.so.* -Wl,--allow-shlib-undefined -Wl,-rpath," +
            root + "/libs -o verify_aarch64");
  ASSERT_TRUE(built.status.ok()) << built.output;
  const ProcessResult ran = Shell("QEMU_LD_PREFIX=/usr/aarch64-linux-gnu qemu-aarch64 -cpu max ./verify_aarch64");
  EXPECT_TRUE(ran.status.ok()) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("verified, 1 golden pairs"));
}

}  // namespace
}  // namespace hot
