// What a user can get wrong: one clear line that names the place, exit code 2, and nothing already measured is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "hot_program.h"

namespace hot {
namespace {

using testing::HasSubstr;

class BadInput : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new TempFolder;
    ASSERT_EQ(RunHot(shared_->path(), "data make shapes data --train 6 --test 3").code, 0);
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  void SetUp() override {
    fs::copy(shared_->path() / "data", folder_.path() / "data", fs::copy_options::recursive);
    WriteFileAtomic(folder_.path() / "study.yaml", TinyStudy());
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
  fs::path AJpeg() const { return ListFiles(folder_.path() / "data" / "JPEGImages").back(); }

  void Replace(const fs::path& file, const std::string& pattern, const std::string& by) const {
    const std::string text = ReadFile(file);
    const std::string changed =
        std::regex_replace(text, std::regex(pattern), by, std::regex_constants::format_first_only);
    ASSERT_NE(text, changed) << pattern;
    WriteFileAtomic(file, changed);
  }

  TempFolder folder_;
  static TempFolder* shared_;
};
TempFolder* BadInput::shared_ = nullptr;

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

TEST_F(BadInput, CommandLine) {
  ExpectOneLine("search none.yaml", "none.yaml");
  ExpectOneLine("search study.yaml --set search.candidates=x", "--set search.candidates");
  ExpectOneLine("search study.yaml --set serch.candidates=3", "did you mean search.candidates?");
  ExpectOneLine("search study.yaml --set data.train=nosplit", "nosplit");
  ExpectOneLine("report .", "no run folder");
  ExpectOneLine("status nowhere", "no run folder");
  EXPECT_EQ(RunHot(folder_.path(), "optimise study.yaml").code, 2);
  EXPECT_EQ(RunHot(folder_.path(), "search").code, 2);
  EXPECT_EQ(RunHot(folder_.path(), "").code, 2);
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

}  // namespace
}  // namespace hot
