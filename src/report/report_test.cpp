#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "report/page.h"
#include "report/run_samples.h"
#include "report/testing/fixture.h"

namespace hot {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() { WriteFixtureRun(run_); }

  std::string Page() {
    WriteReport(run_, context_);
    return ReadFile(run_ / "report.html");
  }

  // What() of the error that writing the report throws; empty when it throws none.
  std::string Failure() {
    try {
      WriteReport(run_, context_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  static Json DataOf(const std::string& page) {
    const std::string open = "id=\"run-data\">";
    const size_t begin = page.find(open) + open.size();
    return Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  }

  TempFolder folder_;
  const fs::path run_ = folder_.path() / "run";
  std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};
  const Context context_{SystemClock(), *progress_, cancelled_};
};

TEST_F(ReportTest, IsOneFileThatLoadsNothing) {
  const std::string page = Page();
  EXPECT_LT(page.size(), 3u << 20);
  for (const char* load : {"src=\"", "src='", "href=\"http", "href=\"/", "href='", "<iframe", "<object", "@import",
                           "url(", "sourceMappingURL", "fetch("}) {
    EXPECT_EQ(page.find(load), std::string::npos) << load;
  }
  EXPECT_THAT(page, HasSubstr("Chart.js v3.9.1"));  // the licence notice stays
  EXPECT_THAT(page, Not(HasSubstr("{{title}}")));
}

TEST_F(ReportTest, HoldsWhatTheRunFolderHolds) {
  const std::string page = Page();
  const Json data = DataOf(page);
  for (const char* file : {"study", "table", "distill", "search", "verify", "train", "quantize", "evaluation"}) {
    EXPECT_EQ(data.at(file), Json::parse(ReadFile(run_ / (std::string(file) + ".json")))) << file;
  }
  EXPECT_EQ(data.at("stages").size(), 7u);
  EXPECT_THAT(page, HasSubstr("<h1>bccd</h1>"));
  EXPECT_THAT(page, HasSubstr("<p class=\"lead\">Fastest without loss on val: "));
}

TEST_F(ReportTest, HoldsTheCurveOfEveryBestTrial) {
  const Json data = DataOf(Page());
  for (const Json& network : data.at("train").at("networks")) {
    const Json& curve = data.at("curves").at(network.at("best").get<std::string>());
    EXPECT_EQ(curve.at("epoch").size(), 150u);
    EXPECT_EQ(curve.at("loss").size(), 150u);
    EXPECT_TRUE(curve.at("val").at(0).is_null());
    EXPECT_TRUE(curve.at("val").at(9).is_number());
  }
}

TEST_F(ReportTest, ThinsLongCurvesAndKeepsTheLastEpoch) {
  const Json train = Json::parse(ReadFile(run_ / "train.json"));
  const std::string best = train.at("networks").at(0).at("best");
  std::string lines;
  for (int epoch = 1; epoch <= 1001; ++epoch) lines += Json{{"epoch", epoch}, {"loss", 1.0}}.dump() + "\n";
  WriteFileAtomic(run_ / "trials" / best / "epochs.jsonl",
                  lines + "{\"epoch\": 1002, \"lo");  // the last line was cut off
  const Json epochs = DataOf(Page()).at("curves").at(best).at("epoch");
  EXPECT_LE(epochs.size(), 201u);
  EXPECT_EQ(epochs.front(), 1);
  EXPECT_EQ(epochs.back(), 1001);
}

TEST_F(ReportTest, HoldsTheExecutedPrecisionOfLayers) {
  const Json data = DataOf(Page());
  const Json& artifact = data.at("evaluation").at("networks").at(0).at("artifacts").at(0);
  EXPECT_EQ(data.at("layers").at(artifact.at("folder").get<std::string>()).at("conv1"), "f32");
}

TEST_F(ReportTest, HoldsTheTestPicturesThemselves) {
  const Json pictures = DataOf(Page()).at("samples").at("pictures");
  ASSERT_EQ(pictures.size(), 4u);
  for (const Json& picture : pictures) {
    const std::string jpeg = ReadFile(run_ / picture.at("file").get<std::string>());
    EXPECT_EQ(picture.at("data"), "data:image/jpeg;base64," + Base64(jpeg));
  }
}

TEST_F(ReportTest, TakesPicturesFromTheRunFolderOnly) {
  Json samples = Json::parse(ReadFile(run_ / "samples.json"));
  WriteFileAtomic(run_ / "secret.jpg", "secret");
  WriteFileAtomic(run_ / "samples" / "notes.txt", "notes");
  const std::vector<std::string> files{"../secret.jpg", (run_ / "secret.jpg").string(), "samples/notes.txt",
                                       "samples/missing.jpg"};
  for (size_t i = 0; i < files.size(); ++i) samples["pictures"][i]["file"] = files[i];
  WriteFileAtomic(run_ / "samples.json", samples.dump());
  const Json pictures = DataOf(Page()).at("samples").at("pictures");
  ASSERT_GE(pictures.size(), files.size());
  for (size_t i = 0; i < files.size(); ++i) EXPECT_FALSE(pictures[i].contains("data")) << files[i];
}

TEST(Base64Test, IsThatOfTheRfc) {
  for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                                                    {"f", "Zg=="},
                                                                                    {"fo", "Zm8="},
                                                                                    {"foo", "Zm9v"},
                                                                                    {"foobar", "Zm9vYmFy"},
                                                                                    {"\xff\xfe\xfd", "//79"}}) {
    EXPECT_EQ(Base64(bytes), text);
  }
}

TEST_F(ReportTest, SurvivesStagesThatHaveNotRun) {
  for (const char* file :
       {"evaluation.json", "quantize.json", "train.json", "verify.json", "search.json", "table.json", "stages"}) {
    fs::remove_all(run_ / file);
    const std::string page = Page();
    EXPECT_THAT(page, HasSubstr("No verdict yet: the stage evaluate has not run.")) << file;
    const std::string name = fs::path(file).stem().string();
    EXPECT_TRUE(DataOf(page).at(name).empty()) << file;
  }
}

// What a score is of is said by the stages' files; a new task needs no line in the page.
TEST_F(ReportTest, ThePageKnowsNoTaskByName) {
  const std::string page = Page();
  for (const char* task : {"ssd", "cpn", "classify"}) {
    for (const char quote : {'\'', '`'}) EXPECT_THAT(page, Not(HasSubstr(quote + std::string(task) + quote))) << task;
  }
}

TEST_F(ReportTest, WithoutStudyIsNoRunFolder) {
  fs::remove(run_ / "study.json");
  EXPECT_THAT(Failure(), AllOf(StartsWith(run_.string()), HasSubstr("no run folder")));
}

TEST_F(ReportTest, EscapesHostileNames) {
  const std::string hostile = "</script><script>alert(1)</script><!--&\"'{{data}}";
  for (const char* file : {"study.json", "evaluation.json"}) {
    Json json = Json::parse(ReadFile(run_ / file));
    json[file == std::string("study.json") ? "name" : "verdict"] = hostile;
    if (json.contains("networks")) json["networks"][0]["slots"][0] = hostile;
    WriteFileAtomic(run_ / file, json.dump());
  }
  const std::string page = Page();
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, Not(HasSubstr("<!--")));
  EXPECT_THAT(
      page, HasSubstr("<h1>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!--&amp;&quot;&#39;{{data}}</h1>"));
  EXPECT_EQ(DataOf(page).at("study").at("name"), hostile);
}

struct BrokenFile {
  const char *file, *text, *message;
};

class BrokenFileTest : public ReportTest, public ::testing::WithParamInterface<BrokenFile> {};

TEST_P(BrokenFileTest, IsOneLineWithTheFileInFront) {
  WriteFileAtomic(run_ / GetParam().file, GetParam().text);
  const std::string failure = Failure();
  EXPECT_THAT(failure, AllOf(StartsWith((run_ / GetParam().file).string()), HasSubstr(GetParam().message),
                             Not(HasSubstr("\n"))));
  EXPECT_FALSE(fs::exists(run_ / "report.html"));
}

INSTANTIATE_TEST_SUITE_P(
    Files, BrokenFileTest,
    ::testing::Values(BrokenFile{"evaluation.json", "{\"version\": 1, \"networks\": [",
                                 "evaluation.json:1:29: is broken"},
                      BrokenFile{"table.json", "", "table.json:1:1: is broken"},
                      BrokenFile{"verify.json", "{\n \"version\": 1,\n  oops}", "verify.json:3:3: is broken"},
                      BrokenFile{"study.json", "[1]", "is no JSON object"},
                      BrokenFile{"verify.json", "{\"version\": 2}", "is not of version 1"},
                      BrokenFile{"train.json", "{\"networks\": []}", "is not of version 1"},
                      BrokenFile{"evaluation.json", "{\"version\": 1, \"networks\": 3}", "networks"},
                      BrokenFile{"train.json", "{\"version\": 1, \"networks\": [5]}", "networks"},
                      BrokenFile{"stages/train.json", "{", "is broken"}));

TEST_F(ReportTest, BrokenCurveNamesTheLine) {
  const std::string best = Json::parse(ReadFile(run_ / "train.json")).at("networks").at(0).at("best");
  const fs::path curve = run_ / "trials" / best / "epochs.jsonl";
  WriteFileAtomic(curve, "{\"epoch\": 1, \"loss\": 2}\nnonsense\n");
  EXPECT_THAT(Failure(), StartsWith(curve.string() + ":2: "));
}

TEST(PageTest, FillsEveryPlaceholderOnce) {
  EXPECT_EQ(FillTemplate("a {{x}} b {{y}}{{x}} c", {{"x", "{{y}}"}, {"y", "2"}}), "a {{y}} b 2{{y}} c");
  EXPECT_EQ(FillTemplate("none", {}), "none");
}

TEST(PageTest, Escapes) {
  EXPECT_EQ(EscapeHtml("a<b & \"c\" 'd'>"), "a&lt;b &amp; &quot;c&quot; &#39;d&#39;&gt;");
  EXPECT_EQ(Json::parse(EscapeJsonForScript("[\"</script>\"]")).at(0), "</script>");
}

}  // namespace
}  // namespace hot
