#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kGood = R"({"info": {"year": 2017, "deep": [[{"images": 1}]]},
"annotations": [
 {"id": 1, "image_id": 5, "category_id": 9, "bbox": [10, 5, 20.5, 10], "area": 77.5, "iscrowd": 1,
  "segmentation": {"counts": [1, 2], "size": [30, 40]}},
 {"id": 2, "image_id": 5, "category_id": 2, "bbox": [30, 20, 100, 100], "segmentation": [[1, 2, 3, 4, 5, 6]],
  "keypoints": [31, 21, 2, 0, 0, 0], "extra": {"bbox": [1]}},
 {"id": 3, "image_id": 5, "category_id": 2, "bbox": [3, 3, 0, 4]},
 {"id": 4, "image_id": 99, "category_id": 2, "bbox": [3, 3, 4, 4]}],
"categories": [{"id": 9, "name": "dog"}, {"id": 2, "name": "zebra", "keypoints": ["a", "b"]}],
"images": [{"id": 5, "file_name": "a.jpg", "width": 40, "height": 30}, {"id": 6, "file_name": "b.PNG"}]}
)";

class CocoTest : public testing::Test {
 protected:
  void SetUp() override {
    WritePicture(root() / "images" / "a.jpg");
    WritePicture(root() / "images" / "b.png", 17, 19);
    WriteJson(kGood);
  }

  void WriteJson(const std::string& text) { WriteText(root() / "annotations" / "train.json", text); }

  Dataset Read(const std::string& split = "train", std::vector<std::string> classes = {}) {
    return ReadDataset({DataFormat::kCoco, root(), split, std::move(classes)});
  }

  const fs::path& root() const { return folder_.path(); }

  TempFolder folder_;
};

TEST_F(CocoTest, ListsInAnyOrderAreJoined) {
  const Dataset data = Read();
  EXPECT_THAT(data.classes, ElementsAre("zebra", "dog")) << "by category id";
  ASSERT_THAT(data.samples, SizeIs(2));
  EXPECT_EQ(data.samples[0].id, 5);
  ASSERT_THAT(data.samples[0].objects, SizeIs(2));
  const Object& crowd = data.samples[0].objects[0];
  EXPECT_EQ(crowd.label, 1);
  EXPECT_TRUE(crowd.crowd);
  EXPECT_EQ(crowd.area, 77.5);
  EXPECT_EQ(crowd.box.x0, 10);
  EXPECT_EQ(crowd.box.x1, 30.5);
  const Object& points = data.samples[0].objects[1];
  EXPECT_EQ(points.box.x1, 40) << "clipped";
  EXPECT_EQ(points.box.y1, 30);
  EXPECT_EQ(points.area, 10000) << "of the box as written";
  ASSERT_THAT(points.keypoints, SizeIs(2));
  EXPECT_EQ(points.keypoints[0].x, 31);
  EXPECT_EQ(points.keypoints[0].visibility, 2);
  EXPECT_EQ(points.keypoints[1].visibility, 0);
}

TEST_F(CocoTest, PicturesWithoutObjectsStayAndLackingSizesAreReadFromThePicture) {
  const Dataset data = Read();
  EXPECT_THAT(data.samples[1].objects, SizeIs(0));
  EXPECT_EQ(data.samples[1].width, 17);
  EXPECT_EQ(data.samples[1].height, 19);
}

TEST_F(CocoTest, UselessObjectsAreSkippedWithTheirPlace) {
  EXPECT_THAT(Read().warnings, ElementsAre(HasSubstr("train.json:7:2: box skipped: degenerate"),
                                           HasSubstr("train.json:8:2: object skipped: image_id 99")));
}

TEST_F(CocoTest, OtherClassesAreLeftOut) {
  const Dataset data = Read("train", {"dog"});
  EXPECT_THAT(data.classes, ElementsAre("dog"));
  ASSERT_THAT(data.samples, SizeIs(2));
  ASSERT_THAT(data.samples[0].objects, SizeIs(1));
  EXPECT_EQ(data.samples[0].objects[0].label, 0);
  const Error error = ThrownBy([this] { Read("train", {"dgo"}); });
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("no category \"dgo\" in this file (did you mean \"dog\"?)"));
}

TEST_F(CocoTest, SplitIsFoundByNameFileAndPrefixAndElsePossibleOnesAreListed) {
  EXPECT_THAT(Read("train.json").samples, SizeIs(2));
  fs::rename(root() / "annotations" / "train.json", root() / "annotations" / "instances_train.json");
  EXPECT_THAT(Read("train").samples, SizeIs(2));
  EXPECT_THAT(Read("instances_train").samples, SizeIs(2));
  const Error error = ThrownBy([this] { Read("val"); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("no split \"val\" here (splits here: instances_train)"));
}

TEST_F(CocoTest, PicturesOfTheSplitsOwnFolderComeFirst) {
  WritePicture(root() / "train" / "a.jpg");
  WritePicture(root() / "val" / "b.png");
  EXPECT_EQ(Read().samples[0].image, root() / "train" / "a.jpg");
}

struct BadCoco {
  const char* name;
  const char* json;
  Code code;
  const char* where;
  const char* message;
};

class BadCocoTest : public CocoTest, public testing::WithParamInterface<BadCoco> {};

TEST_P(BadCocoTest, GivesOneLineWithPlaceAndReason) {
  WriteJson(GetParam().json);
  const Error error = ThrownBy([this] { Read(); });
  EXPECT_EQ(error.code(), GetParam().code) << error.what();
  EXPECT_THAT(error.where(), testing::EndsWith(GetParam().where));
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
}

constexpr Code kBad = Code::kInvalidArgument;

#define HOT_IMAGES R"({"images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}])"
#define HOT_LISTS                                                              \
  HOT_IMAGES R"(, "categories": [{"id": 1, "name": "cat"}], "annotations": [)" \
             "\n"

INSTANTIATE_TEST_SUITE_P(
    Files, BadCocoTest,
    testing::Values(
        BadCoco{"empty", "", kBad, "train.json:1:1", "broken JSON"},
        BadCoco{"cut_off", "{\"images\": [\n{\"id\": 1, ", kBad, "train.json:2:11", "broken JSON"},
        BadCoco{"comma", "{\"images\": [\n1 2]}", kBad, "train.json:2:2", "must be an object"},
        BadCoco{"tail", HOT_LISTS "]}\n}", kBad, "train.json:3:1", "broken JSON"},
        BadCoco{"not_utf8", "{\"a\": \"\xff\"}", kBad, "train.json:1:8", "broken JSON"},
        BadCoco{"list_outside", "[1]", kBad, "train.json:1:1", "expected a COCO object"},
        BadCoco{"number_outside", "17", kBad, "train.json:1:2", "expected a COCO object"},
        BadCoco{"no_images", "{\"categories\": []}", kBad, "train.json:1:1", "\"images\" is missing or empty"},
        BadCoco{"images_no_list", "{\"images\": {\"id\": 3}}", kBad, "train.json:1:1",
                "\"images\" is missing or empty"},
        BadCoco{"no_categories", HOT_IMAGES "}", kBad, "train.json:1:1", "\"categories\" is missing"},
        BadCoco{"missing_picture", "{\"images\": [\n  {\"id\": 1, \"file_name\": \"no.jpg\"}]}", Code::kNotFound,
                "train.json:2:3", "picture \"no.jpg\" is missing"},
        BadCoco{"image_no_id", "{\"images\": [{\"file_name\": \"a.jpg\"}]}", kBad, "train.json:1:13",
                "\"id\" is missing"},
        BadCoco{"image_too_wide", "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 99999999999}]}", kBad,
                "train.json:1:13", "\"width\": no size of a picture"},
        BadCoco{"number_too_large", "{\"x\": 1e999}", kBad, "train.json:1:11", "broken JSON"},
        BadCoco{"image_id_text", "{\"images\": [{\"id\": \"x\", \"file_name\": \"a.jpg\"}]}", kBad, "train.json:1:13",
                "expected an integer, got \"x\""},
        BadCoco{"image_twice",
                "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"},\n{\"id\": 1, \"file_name\": \"a.jpg\"}]}", kBad,
                "train.json:2:1", "id 1 is used twice"},
        BadCoco{"category_twice", "{\"categories\": [{\"id\": 1, \"name\": \"a\"},\n{\"id\": 1, \"name\": \"b\"}]}",
                kBad, "train.json:2:1", "id 1 is used twice"},
        BadCoco{"unknown_category", HOT_LISTS R"({"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}]})", kBad,
                "train.json:2:1", "unknown category_id 7"},
        BadCoco{"short_box", HOT_LISTS R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3]}]})", kBad,
                "train.json:2:1", "expected [x, y, width, height], got 3 numbers"},
        BadCoco{"no_box", HOT_LISTS R"({"image_id": 1, "category_id": 1}]})", kBad, "train.json:2:1", "got 0 numbers"},
        BadCoco{"text_in_box", HOT_LISTS R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, "3", 4]}]})", kBad,
                "train.json:2:1", "expected numbers, got \"3\""},
        BadCoco{"odd_keypoints",
                HOT_LISTS R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "keypoints": [1, 2]}]})", kBad,
                "train.json:2:1", "triples"}),
    [](const auto& info) { return std::string(info.param.name); });

#undef HOT_LISTS
#undef HOT_IMAGES

}  // namespace
}  // namespace hot
