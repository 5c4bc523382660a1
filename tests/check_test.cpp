// hot check as a firmware team's CI calls it: by its exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>

#include "bundle_fixture.h"
#include "data/shapes.h"
#include "hot_program.h"
#include "pipeline/scoring.h"

namespace hot {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// Bundles in a CI: the pictures of its data are labelled with what the network of `released` finds on them.
class CheckTest : public BundleRun {
 protected:
  void SetUp() override {
    data_ = folder_.path() / "data";
    const std::unique_ptr<Progress> progress = MakeSilentProgress();
    const std::atomic<bool> cancelled{false};
    WriteShapes(data_, {.train_pictures = 2, .test_pictures = 5}, {SystemClock(), *progress, cancelled});
    options_.classes = {"circle", "square", "triangle"};
    spec_.score.metric = Metric::kAp50;
    ExportTo("released");
    LabelPictures();
  }

  void ExportTo(const std::string& name) {
    MakeRun(options_, Precision::kInt8);
    ExportNetwork({.run = Run(), .network = "baseline", .format = "bundle", .out = folder_.path() / name});
  }

  void LabelPictures() const {
    const Dataset test = ReadDataset({.root = data_, .split = "test", .classes = options_.classes});
    const auto session = MakeDevice("host", 1)->Load(artifact_);
    const auto found = DetectPictures(*session, *MakeTask(options_), test, artifact_.preprocessing);
    for (size_t i = 0; i < found.size(); ++i) {
      std::ostringstream xml;
      xml << "<annotation><size><width>" << test.samples[i].width << "</width><height>" << test.samples[i].height
          << "</height><depth>3</depth></size>";
      for (const Detection& d : found[i].detections) {
        xml << "<object><name>" << options_.classes[static_cast<size_t>(d.label)] << "</name><bndbox><xmin>"
            << d.box.x0 + 1 << "</xmin><ymin>" << d.box.y0 + 1 << "</ymin><xmax>" << d.box.x1 << "</xmax><ymax>"
            << d.box.y1 << "</ymax></bndbox></object>";
      }
      const std::string name = test.samples[i].image.stem().string() + ".xml";
      WriteFileAtomic(data_ / "Annotations" / name, xml.str() + "</annotation>");
    }
  }

  void Expect(const std::string& arguments, int code, const testing::Matcher<std::string>& output) const {
    const HotResult result = RunHot(folder_.path(), "check " + arguments);
    EXPECT_EQ(result.code, code) << arguments << "\n" << result.output;
    EXPECT_THAT(result.output, output) << arguments;
    if (code != 2) return;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  }

  TaskOptions options_ = OptionsOf("ssd");
};

TEST_F(CheckTest, WorseIsExitCode1) {
  // No latency of equals is looked at here, check_test.cpp has the statistics: a noisy machine may tell them apart.
  Expect("released --baseline released --latency-margin 10", 0, HasSubstr("difference +0.0000 [+0.0000, +0.0000]"));
  seed_ = 4;
  ExportTo("other");
  Expect("other --baseline released --latency-margin 10", 1, ContainsRegex("ap50 .* WORSE"));
  Expect("other --baseline released --latency-margin 10 --accuracy-margin 1", 0, Not(HasSubstr("WORSE")));
  spec_.width = 1.4;
  ExportTo("wide");
  Expect("wide --baseline released --accuracy-margin 1 --json", 1, ContainsRegex("\"worse\": true(.|\n)*\"worse\": f"));
}

TEST_F(CheckTest, WrongInputIsExitCode2AndOneLine) {
  Expect("nothing --baseline released", 2, HasSubstr("nothing: is not a folder"));
  Expect("data --baseline released", 2, HasSubstr("data: is no whole bundle"));
  Expect("released --baseline released --device toaster", 2, HasSubstr("unknown device \"toaster\""));
  Expect("released --baseline released --device ethos-u55-128", 2, HasSubstr("ethos-u55-128 runs vela's"));
  Expect("released --baseline released --data nowhere", 2, HasSubstr("--data DIR"));
  options_.classes.pop_back();
  ExportTo("fewer");
  Expect("fewer --baseline released", 2, HasSubstr("other classes"));
  const fs::path model = folder_.path() / "fewer/artifact/model.onnx";
  WriteFileAtomic(model, ReadFile(model).substr(0, 1000));
  Expect("fewer --baseline released", 2, HasSubstr("model.onnx: is not the file that was exported"));
  artifact_.toolchain_version = "2001.1";
  WriteArtifact(Run() / "artifacts/abc-int8", artifact_);
  Export();
  Expect("bundle --baseline bundle", 2, HasSubstr("was made by openvino 2001.1, this machine has"));
}

}  // namespace
}  // namespace hot
