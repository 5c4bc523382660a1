// What a user can get wrong: one clear line that names the place, exit code 2, and nothing already measured is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "data/image.h"
#include "hot_program.h"

namespace hot {
namespace {

using testing::HasSubstr;

class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    fs::copy(MeasuredStudy(), folder_.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }

  // Runs hot search and expects exit code 2 and exactly one line with `text` in it.
  void ExpectOneLine(const std::string& arguments, const std::string& text, const std::string& prefix = "",
                     int code = 2) {
    const HotResult result = RunHot(folder_.path(), arguments, prefix);
    EXPECT_EQ(result.code, code) << result.output;
    const std::string error = result.output.substr(std::min(result.output.size(), result.output.find("error: ")));
    EXPECT_THAT(error, HasSubstr(text));
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << result.output;
  }

  // The last ones by name belong to the training split.
  fs::path AnXml() const { return ListFiles(folder_.path() / "data" / "Annotations").back(); }
  std::string ATestName() const {
    const std::string list = ReadFile(folder_.path() / "data/ImageSets/Main/test.txt");
    return list.substr(0, list.find('\n'));
  }
  fs::path AJpeg() const { return ListFiles(folder_.path() / "data" / "JPEGImages").back(); }

  void Replace(const fs::path& file, const std::string& pattern, const std::string& by) const {
    const std::string text = ReadFile(file);
    const std::string changed =
        std::regex_replace(text, std::regex(pattern), by, std::regex_constants::format_first_only);
    ASSERT_NE(text, changed) << pattern;
    WriteFileAtomic(file, changed);
  }

  TempFolder folder_;
};

TEST_F(BadInput, StudyFile) {
  struct Case {
    const char *pattern, *by, *expected;
  };
  const Case cases[] = {
      {"candidates: 2", "candidats: 2", "did you mean search.candidates?"},
      {"candidates: 2", "candidates: many", "study.yaml:5:42: search.candidates"},
      {"candidates: 2", "candidates: 0", "search.candidates"},
      {"width: 0.35", "width: -1", "study.yaml:2:16: model.width"},
      {"width: 0.35", "width: [0.35, 0.5]", "baseline_width"},
      {"64, 64", "64, 8", "model.input"},
      {"root: data", "root: nowhere", "data.root"},
      {"int8", "int4", "target.precision"},
      {"int8", "int16x8", "target.precision: openvino can't execute int16x8 on host"},
      {"ap50", "map", "train.metric"},
      {"epochs: 3", "epochs: 3, epochs: 4", "train.epochs"},
      {"name: tiny", "nam: tiny", "did you mean name?"},
      {"name: tiny", "name: [", "study.yaml"},
      {"latency_ratio: 1.5", "latency_ratio: 0.9, latency_ms: 3", "latency"},
      {"name: tiny", "version: 2\nname: tiny", "version"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.by);
    WriteFileAtomic(folder_.path() / "study.yaml", TinyStudy());
    Replace(folder_.path() / "study.yaml", c.pattern, c.by);
    ExpectOneLine("search study.yaml", c.expected);
  }
}

TEST_F(BadInput, StudyFileAsBytes) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "study.yaml: the file is empty"},
      {"# name: tiny\n", "study.yaml: the file is empty"},
      {"name: caf\xe9\n", "study.yaml:1:10: not UTF-8 text"},
      {std::string("n\0a\0m\0e\0", 8), "study.yaml:1:2: not UTF-8 text"},
      {"name: tiny\n\tdata: x\n", "study.yaml:2:1: not valid YAML"},
      {std::string(20000, '['), "not valid YAML"},
      {"name: tiny\ndata: &a {root: *a}\n", "study.yaml:2:"},
  };
  for (const auto& [bytes, expected] : cases) {
    SCOPED_TRACE(bytes.substr(0, 40));
    WriteFileAtomic(folder_.path() / "study.yaml", bytes);
    ExpectOneLine("search study.yaml", expected);
  }
}

TEST_F(BadInput, ImportedNetworks) {
  const std::pair<const char*, const char*> cases[] = {
      {"search study.yaml --set model.backbone=import:nowhere", "nowhere/graph.json"},
      {"search study.yaml --set model.backbone=import:data", "data/graph.json"},
      {"import nowhere.onnx --out imported", "nowhere.onnx"},
      {"import study.yaml --out imported", "study.yaml: is no ONNX file"},
      {"import study.yaml", "--out is required"},
      {"import study.yaml --out imported --input 3,224", "--input"},
  };
  for (const auto& [arguments, expected] : cases) {
    SCOPED_TRACE(arguments);
    ExpectOneLine(arguments, expected);
  }
}

TEST_F(BadInput, CommandLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"search none.yaml", "none.yaml"},
      {"search data", "data: is a folder, not a study file"},
      {"search study.yaml --set search.candidates=x", "--set search.candidates"},
      {"search study.yaml --set serch.candidates=3", "did you mean search.candidates?"},
      {"search study.yaml --set zebra=1", "--set zebra: unknown key"},
      {"search study.yaml --set data.root", "expected KEY=VALUE"},
      {"search study.yaml --set =3", "expected KEY=VALUE"},
      {"search study.yaml --set data.classes=$'caf\\xe9'", "--set data.classes: not UTF-8 text"},
      {"search study.yaml --set data.root=study.yaml", "\"study.yaml\" is not a folder"},
      {"search study.yaml --set data.train=nosplit", "nosplit"},
      {"search study.yaml --set data.format=coco --set data.train=nosplit", "nosplit"},
      {"search study.yaml --set run.folder=study.yaml", "study.yaml"},
      {"search study.yaml --set run.journal=data", "data: is a folder, not a journal"},
      {"search study.yaml --set run.journal=data/", "data/: is a folder, not a journal"},
      {"search study.yaml --set model.pretrained=none.pth", "\"none.pth\" does not exist"},
      {"search study.yaml --set model.pretrained=study.yaml", "study.yaml"},
      {"search study.yaml --set model.pretrained=data", "manifest.json"},
      {"search study.yaml --set model.backbone=vgg", "--set model.backbone"},
      {"search study.yaml --set model.backbone=resnet18 --set train.freeze=slot5", "resnet18 has no slot5"},
      {"export nowhere --format onnx --out exported", "run hot train first"},
      {"export . --format tflite --out exported", "format"},
      {"export . --format onnx", "--out is required"},
      {"report .", "no run folder"},
      {"report study.yaml", "no run folder"},
      {"status nowhere", "no run folder"},
      {"dashboard . --port 70000", "--port"},
      {"data make shapes study.yaml", "study.yaml"},
      {"data make shapes x --train 0", "--train"},
      {"optimise study.yaml", "optimise"},
      {"search", "study is required"},
      {"search study.yaml another.yaml", "another.yaml"},
      {"", "subcommand"},
  };
  for (const auto& [arguments, expected] : cases) {
    SCOPED_TRACE(arguments);
    ExpectOneLine(arguments, expected);
  }
}

TEST_F(BadInput, Annotations) {
  struct Case {
    const char *pattern, *by, *expected;
  };
  const Case cases[] = {
      {"</annotation>", "", ".xml:"},
      {"<xmin>", "<xmax>", ".xml:"},
      {"<xmin>[0-9]*", "<xmin>left", ".xml:"},
      {"<filename>[^<]*", "<filename>none.jpg", ""},
  };
  const std::string good = ReadFile(AnXml());
  for (const Case& c : cases) {
    if (std::string(c.expected).empty()) continue;
    SCOPED_TRACE(c.by);
    WriteFileAtomic(AnXml(), good);
    Replace(AnXml(), c.pattern, c.by);
    ExpectOneLine("search study.yaml", c.expected);
  }
}

TEST_F(BadInput, MissingPictureNamesTheAnnotation) {
  fs::remove(AJpeg());
  ExpectOneLine("search study.yaml", ".xml:");
}

TEST_F(BadInput, UnknownClassNamesTheNearestOne) {
  ExpectOneLine("search study.yaml --set data.classes=circl,square,triangle", "unknown class");
}

TEST_F(BadInput, ClassThatOnlyTheTestSplitHas) {
  const std::string name = ATestName();
  Replace(folder_.path() / "data/Annotations" / (name + ".xml"), "<name>[a-z]*", "<name>hexagon");
  ExpectOneLine("search study.yaml", name + ".xml:11:3: unknown class \"hexagon\" (known: circle, square, triangle)");
}

TEST_F(BadInput, SplitsThatShareTheirPictures) {
  ExpectOneLine("search study.yaml --set data.test=trainval", "data.test: 6 of 6 pictures are in data.train too");
  ExpectOneLine("search study.yaml --set data.val=trainval", "data.val: 6 of 6 pictures are in data.train too");
  ExpectOneLine("search study.yaml --set data.val=test", "data.test: 3 of 3 pictures are in data.val too");
  const fs::path list = folder_.path() / "data/ImageSets/Main/test.txt";
  WriteFileAtomic(list, ReadFile(list) + AnXml().stem().string() + "\n");
  const HotResult result = RunHot(folder_.path(), "search study.yaml");
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("warning: data.test: 1 of 4 pictures are in data.train too"));
}

TEST_F(BadInput, SplitsThatAreTooSmall) {
  const fs::path lists = folder_.path() / "data/ImageSets/Main";
  WriteFileAtomic(lists / "none.txt", "\n");
  WriteFileAtomic(lists / "one.txt", AnXml().stem().string() + "\n");
  ExpectOneLine("search study.yaml --set data.test=none", "split \"none\" has no pictures");
  ExpectOneLine("search study.yaml --set data.train=one", "data.train: one picture can't be split");
}

// Named before anything is measured, in the training split and in the others.
TEST_F(BadInput, FilesThatAreNoPictures) {
  struct Case {
    const char *name, *bytes, *expected;
  };
  const Case cases[] = {{"text", "hello, I am no picture at all\n", "truncated, or not a picture"},
                        {"zero bytes", "", "the file is empty"},
                        {"one byte", "\xff", "truncated, or not a picture"}};
  for (const std::string& name : {AJpeg().stem().string(), ATestName()}) {
    const fs::path picture = folder_.path() / "data/JPEGImages" / (name + ".jpg");
    const std::string good = ReadFile(picture);
    for (const Case& c : cases) {
      SCOPED_TRACE(name + " of " + c.name);
      WriteFileAtomic(picture, c.bytes);
      ExpectOneLine("search study.yaml", name + ".jpg: " + c.expected);
    }
    WriteFileAtomic(picture, good);
  }
}

TEST_F(BadInput, FolderInPlaceOfAPicture) {
  const fs::path picture = AJpeg();
  fs::remove(picture);
  fs::create_directory(picture);
  ExpectOneLine("search study.yaml", "picture \"" + picture.filename().string() + "\" is missing");
}

TEST_F(BadInput, OutsideAndInvertedBoxesAreWarnings) {
  Replace(AnXml(), "<xmax>[0-9]*", "<xmax>0");
  const HotResult result = RunHot(folder_.path(), "search study.yaml");
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("warning: "));
  EXPECT_THAT(result.output, HasSubstr(AnXml().filename().string() + ":"));
}

TEST_F(BadInput, NoFeasibleNetworkIsExitCode3WithWhatWouldDo) {
  ExpectOneLine("search study.yaml --set search.latency_ratio= --set search.latency_ms=0.0001", "latency_ms", "", 3);
  ExpectOneLine("search study.yaml --set search.flash_kib=1", "flash_kib", "", 3);
  ExpectOneLine("search study.yaml --set search.ram_kib=1", "ram_kib", "", 3);
  ExpectOneLine("search study.yaml --set search.memory_kib=1", "memory_kib", "", 3);
}

TEST_F(BadInput, FoldersThatCannotBeWritten) {
  WriteFileAtomic(folder_.path() / "file", "");
  ExpectOneLine("search study.yaml --set run.folder=file/run", "file");
  ExpectOneLine("search study.yaml --set run.folder=/proc/run", "/proc/run");
  ExpectOneLine("search study.yaml --set run.journal=file/j.sqlite", "file");
  ExpectOneLine("data make shapes file/data", "file");
}

TEST_F(BadInput, JournalsThatAreNone) {
  WriteFileAtomic(folder_.path() / "junk.sqlite", std::string(4096, 'x'));
  ExpectOneLine("search study.yaml --set run.journal=junk.sqlite", "junk.sqlite");
  EXPECT_EQ(ReadFile(folder_.path() / "junk.sqlite"), std::string(4096, 'x'));
}

TEST_F(BadInput, JournalOfANewerVersionIsLeftAsItIs) {
  ExpectOneLine("search study.yaml --set run.journal=j.sqlite --set data.train=nosplit", "nosplit");  // makes it
  std::string bytes = ReadFile(folder_.path() / "j.sqlite");
  bytes.at(63) = 99;  // the last byte of PRAGMA user_version (sqlite.org/fileformat.html, section 1.3)
  WriteFileAtomic(folder_.path() / "j.sqlite", bytes);
  ExpectOneLine("search study.yaml --set run.journal=j.sqlite", "made by a newer hot (version 99");
  EXPECT_EQ(ReadFile(folder_.path() / "j.sqlite"), bytes);
}

TEST_F(BadInput, BrokenFilesOfARunFolderDoNotStopStatus) {
  fs::create_directories(folder_.path() / "run/stages");
  fs::create_directories(folder_.path() / "run/trials/a");
  WriteFileAtomic(folder_.path() / "run/study.json", "{}");
  WriteFileAtomic(folder_.path() / "run/stages/profile.json", "{\"summary\": 3");
  WriteFileAtomic(folder_.path() / "run/trials/a/trial.json", "[]");
  const HotResult result = RunHot(folder_.path(), "status run");
  EXPECT_EQ(result.code, 0) << result.output;
  ExpectOneLine("report run", "study.json");
}

TEST_F(BadInput, ARowOnceMeasuredSurvivesEveryMistake) {
  ASSERT_EQ(RunHot(folder_.path(), "profile study.yaml").code, 0);
  const std::string table = ReadFile(folder_.path() / "runs/tiny/table.json");
  ExpectOneLine("search study.yaml --set search.candidates=x", "search.candidates");
  ExpectOneLine("search study.yaml --set search.flash_kib=1", "flash_kib", "", 3);
  const HotResult full = RunHot(folder_.path(), "search study.yaml --set name=other", "trap '' XFSZ; ulimit -f 1;");
  EXPECT_EQ(full.code, 2) << full.output;
  EXPECT_EQ(ReadFile(folder_.path() / "runs/tiny/table.json"), table);
  fs::remove_all(folder_.path() / "runs/tiny");
  const HotResult again = RunHot(folder_.path(), "profile study.yaml");
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.output, HasSubstr(" from the journal"));
  EXPECT_THAT(again.output, testing::Not(HasSubstr(" 0 from the journal")));  // only unsteady rows are measured again
}

TEST_F(BadInput, TruncatedJpegIsNamedWhenItIsRead) {
  const fs::path jpeg = AJpeg();
  const std::string bytes = ReadFile(jpeg);
  WriteFileAtomic(jpeg, bytes.substr(0, bytes.size() / 2));
  const HotResult result = RunHot(folder_.path(), "train study.yaml");
  EXPECT_EQ(result.code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr(jpeg.filename().string()));
}

// Training goes through, as it must not know; quantization can't.
TEST_F(BadInput, CalibrationPicturesThatShowNothing) {
  for (const fs::path& jpeg : ListFiles(folder_.path() / "data" / "JPEGImages")) {
    const auto [width, height] = ReadImageSize(jpeg);
    WriteJpeg(jpeg,
              {width, height, std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height) * 3)});
  }
  ExpectOneLine("quantize study.yaml --set train.epochs=1", "show nothing: all of one and the same colour");
}

TEST_F(BadInput, Poses) {
  WriteFileAtomic(folder_.path() / "study.yaml", TinyPoseStudy());
  ExpectOneLine("search study.yaml --set train.metric=coco_ap", "needs a tolerance for each of the 4 keypoints");
  ExpectOneLine("search study.yaml --set data.mirror_pairs=p0/p9", "data.mirror_pairs: no keypoint \"p9\"");
  ExpectOneLine("search study.yaml --set data.keypoints=p0,nose", "has no keypoint \"nose\"");
  ExpectOneLine("search study.yaml --set model.input=70", "multiples of 32");
  ExpectOneLine("search study.yaml --set model.flip_test=true", "nobody knows which keypoints are left");
  const fs::path file = folder_.path() / "data/annotations/trainval.json";
  const std::string text = ReadFile(file);
  WriteFileAtomic(file, std::regex_replace(text, std::regex(",2\\b"), ",0"));  // no keypoint is labelled
  ExpectOneLine("search study.yaml", "no object of these pictures has a labelled keypoint");
  WriteFileAtomic(file, std::regex_replace(text, std::regex("\"keypoints\""), "\"points\""));
  ExpectOneLine("search study.yaml", "no keypoints in common");
}

TEST_F(BadInput, Classification) {
  WriteFileAtomic(folder_.path() / "study.yaml", TinyClassifyStudy());
  ExpectOneLine("search study.yaml --set train.metric=ap50", "\"ap50\" is not for model.task classify");
  ExpectOneLine("search study.yaml --set data.format=voc", "\"voc\" is not for model.task classify (folders)");
  ExpectOneLine("search study.yaml --set data.train=train", "cutouts/train: there is no such folder of pictures");
  ExpectOneLine("search study.yaml --set data.classes=circle", "classify needs at least two classes, got 1");
  ExpectOneLine("search study.yaml --set data.classes=circle,star", "there is no folder of class \"star\"");
  const fs::path split = folder_.path() / "data/cutouts/trainval";
  EnsureFolder(split / "star");
  ExpectOneLine("search study.yaml", "trainval/star: there is no picture of this class");
  fs::copy_file(AJpeg(), split / "star/a.jpg");
  ExpectOneLine("search study.yaml", "cutouts/test: there is no folder of class \"star\"");
  WriteFileAtomic(split / "star/a.jpg", "no picture");
  ExpectOneLine("search study.yaml", "star/a.jpg: truncated, or not a picture");
}

}  // namespace
}  // namespace hot
