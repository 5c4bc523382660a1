#include "pipeline/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace hot {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::ordered_json;

TEST(SamplesTest, PicturesAreSpreadOverTheTestSet) {
  EXPECT_THAT(SampledPictures(0), ElementsAre());
  EXPECT_THAT(SampledPictures(2), ElementsAre(0, 1));
  EXPECT_THAT(SampledPictures(6), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(SampledPictures(60), ElementsAre(5, 15, 25, 35, 45, 55));
}

TEST(SamplesTest, BoxesAreInPixelsOfTheSmallCopyBestFirst) {
  const std::vector<ScoredPicture> found{{.id = 1,
                                          .truth = {Object{.box = {10, 20, 30, 40}, .label = 2}},
                                          .detections = {{.box = {10, 20, 31, 41}, .label = 2, .score = 0.5f},
                                                         {.box = {0, 0, 8, 8}, .label = 0, .score = 0.29f},
                                                         {.box = {11, 22, 33, 44}, .label = 1, .score = 0.9f}}}};
  const Json json = SampleJson(0, {{"base", &found}, {"winner", &found}}, 0.5, 0.25, 0.3);
  EXPECT_EQ(json.at("truth"), Json::parse(R"([{"label": 2, "box": [5.0, 5.0, 15.0, 10.0]}])"));
  ASSERT_EQ(json.at("predictions").size(), 2u);
  EXPECT_EQ(json.at("predictions").at(1).at("id"), "winner");
  EXPECT_EQ(json.at("predictions").at(1).at("objects"),
            Json::parse(R"([{"label": 1, "box": [5.5, 5.5, 16.5, 11.0], "score": 0.9},
                            {"label": 2, "box": [5.0, 5.0, 15.5, 10.3], "score": 0.5}])"));
}

TEST(SamplesTest, JointsAreThereWhateverTheirScoreAndNullWhereThereIsNone) {
  const std::vector<ScoredPicture> found{
      {.id = 1,
       .truth = {},
       .detections = {{.box = {0, 0, 10, 10},
                       .score = 0.01f,
                       .keypoints = {{4, 8, 2}, {std::numeric_limits<float>::quiet_NaN(), 1, 2}}}}}};
  const Json object = SampleJson(0, {{"base", &found}}, 0.5, 0.5, 0.3).at("predictions").at(0).at("objects").at(0);
  EXPECT_EQ(object.at("keypoints"), Json::parse("[[2.0, 4.0, 2], null]"));
}

}  // namespace
}  // namespace hot
