// What is found out about a data set before anything is trained.
#include "data/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

class SurveyTest : public testing::Test {
 protected:
  DataSurvey Survey(DataFormat format = DataFormat::kVoc, double seconds = 60) {
    return SurveyData({.format = format, .root = folder_.path(), .split = ""}, seconds, context_);
  }
  // A picture of 80 x 40 with one box.
  void Add(const std::string& name, const std::string& label, int x0, int y0, int x1, int y1) {
    WritePicture(folder_.path() / (name + ".jpg"), 80, 40);
    const auto tag = [](const char* tag, const std::string& text) {
      return std::string("<") + tag + ">" + text + "</" + tag + ">";
    };
    const std::string box = tag("xmin", std::to_string(x0 + 1)) + tag("ymin", std::to_string(y0 + 1)) +
                            tag("xmax", std::to_string(x1)) + tag("ymax", std::to_string(y1));
    WriteText(folder_.path() / (name + ".xml"),
              tag("annotation", tag("filename", name + ".jpg") + tag("size", tag("width", "80") + tag("height", "40")) +
                                    tag("object", tag("name", label) + tag("bndbox", box))));
  }

  TempFolder folder_;
  std::unique_ptr<Progress> progress_ = MakeSilentProgress();
  std::atomic<bool> cancelled_{false};
  Context context_{SystemClock(), *progress_, cancelled_};
};

TEST_F(SurveyTest, CountsAndSizes) {
  Add("a", "king", 0, 0, 40, 10);  // half as wide as the picture, a quarter as high
  Add("b", "queen", 0, 0, 20, 20);
  Add("c", "king", 0, 0, 40, 10);
  const DataSurvey survey = Survey();
  EXPECT_EQ(survey.pictures, 3U);
  EXPECT_EQ(survey.objects, 3U);
  EXPECT_EQ(survey.decoded, 3U);
  EXPECT_THAT(survey.classes, ElementsAre(Pair("king", 2), Pair("queen", 1)));
  EXPECT_EQ(survey.width.middle, 80);
  EXPECT_EQ(survey.height.low, 40);
  EXPECT_DOUBLE_EQ(survey.side.middle, std::sqrt(0.125));
  EXPECT_DOUBLE_EQ(survey.ratio.middle, 2);
  EXPECT_DOUBLE_EQ(survey.shape.middle, 0.25);
  EXPECT_DOUBLE_EQ(survey.shape.high, 1);
  EXPECT_THAT(survey.broken, SizeIs(0));
}

TEST_F(SurveyTest, NamesEveryBrokenFile) {
  for (const char* name : {"a", "b", "c", "d", "e"}) Add(name, "king", 0, 0, 40, 10);
  WriteText(folder_.path() / "b.xml", "<annotation><object>");
  fs::remove(folder_.path() / "c.jpg");
  const std::string jpeg = ReadFile(folder_.path() / "d.jpg");
  WriteText(folder_.path() / "d.jpg", jpeg.substr(0, jpeg.size() / 2));
  WriteText(folder_.path() / "e.jpg", "");
  const DataSurvey survey = Survey();
  EXPECT_EQ(survey.pictures, 3U);
  EXPECT_EQ(survey.decoded, 1U);
  EXPECT_THAT(survey.broken,
              testing::UnorderedElementsAre(HasSubstr("b.xml:1:"), HasSubstr("\"c.jpg\" is missing"),
                                            HasSubstr("d.jpg: "), HasSubstr("e.jpg: the file is empty")));
}

TEST_F(SurveyTest, WithoutTimeOnlyTheFirstBytesAreReadOfEveryPicture) {
  Add("a", "king", 0, 0, 40, 10);
  Add("b", "king", 0, 0, 40, 10);
  WriteText(folder_.path() / "b.jpg", "no picture");
  const DataSurvey survey = Survey(DataFormat::kVoc, 0);
  EXPECT_EQ(survey.decoded, 0U);
  EXPECT_THAT(survey.broken, ElementsAre(HasSubstr("b.jpg: ")));
}

TEST_F(SurveyTest, ImageFolders) {
  for (const char* file : {"cat/1.png", "cat/2.png", "dog/1.png"}) WritePicture(folder_.path() / file, 32, 48);
  const DataSurvey survey = Survey(DataFormat::kImageFolders);
  EXPECT_THAT(survey.classes, ElementsAre(Pair("cat", 2), Pair("dog", 1)));
  EXPECT_EQ(survey.width.middle, 32);
  EXPECT_EQ(survey.height.middle, 48);
}

TEST(SpreadOf, TakesTenHalfAndNinetyPercent) {
  std::vector<double> values;
  for (int i = 0; i <= 100; ++i) values.push_back(100 - i);
  const Spread spread = SpreadOf(values);
  EXPECT_EQ(spread.low, 10);
  EXPECT_EQ(spread.middle, 50);
  EXPECT_EQ(spread.high, 90);
  EXPECT_EQ(SpreadOf({}).high, 0);
}

}  // namespace
}  // namespace hot
