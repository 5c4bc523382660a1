#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

// One picture; `categories` and `annotations` are the insides of the two lists.
class CocoKeypointsTest : public testing::Test {
 protected:
  void SetUp() override { WritePicture(folder_.path() / "images" / "a.jpg"); }

  Dataset Read(const std::string& categories, const std::string& annotations, std::vector<std::string> keypoints = {},
               std::vector<std::string> classes = {}) {
    WriteText(
        folder_.path() / "annotations" / "train.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 40, \"height\": 30}],\n\"categories\": [" +
            categories + "],\n\"annotations\": [" + annotations + "]}");
    DataSource source{DataFormat::kCoco, folder_.path(), "train", std::move(classes)};
    source.keypoints = std::move(keypoints);
    return ReadDataset(source);
  }

  static std::string Annotation(int category, const std::string& keypoints) {
    return "{\"image_id\": 1, \"category_id\": " + std::to_string(category) +
           ", \"bbox\": [1, 1, 9, 9], \"keypoints\": [" + keypoints + "]}";
  }

  static std::vector<float> Abscissae(const Object& object) {
    std::vector<float> x;
    for (const Keypoint& point : object.keypoints) x.push_back(point.x);
    return x;
  }

  TempFolder folder_;
};

constexpr const char* kThree =
    R"({"id": 1, "name": "cat", "keypoints": ["nose", "left", "right"], "skeleton": [[1, 2], [3, 1]]})";

TEST_F(CocoKeypointsTest, NamesAndBonesComeFromTheCategory) {
  const Dataset data = Read(kThree, Annotation(1, "1, 9, 2, 2, 9, 1, 0, 0, 0") + "," + Annotation(1, ""));
  EXPECT_THAT(data.keypoints, ElementsAre("nose", "left", "right"));
  EXPECT_THAT(data.skeleton, ElementsAre(Pair(0, 1), Pair(2, 0)));
  ASSERT_THAT(data.samples[0].objects, SizeIs(2));
  EXPECT_THAT(Abscissae(data.samples[0].objects[0]), ElementsAre(1, 2, 0));
  EXPECT_THAT(data.samples[0].objects[1].keypoints, SizeIs(3)) << "none is labelled, but there are as many";
  const auto parts = SplitDataset({.classes = data.classes,
                                   .keypoints = data.keypoints,
                                   .skeleton = data.skeleton,
                                   .samples = {data.samples[0], data.samples[0]},
                                   .warnings = {}},
                                  0.5, 1);
  EXPECT_EQ(parts.first.keypoints, data.keypoints);
  EXPECT_EQ(parts.second.skeleton, data.skeleton);
}

TEST_F(CocoKeypointsTest, SomeCanBeChosenInAnyOrder) {
  const Dataset data = Read(kThree, Annotation(1, "1, 9, 2, 2, 9, 1, 3, 9, 0"), {"right", "nose"});
  EXPECT_THAT(data.keypoints, ElementsAre("right", "nose"));
  EXPECT_THAT(data.skeleton, ElementsAre(Pair(0, 1)));
  EXPECT_THAT(Abscissae(data.samples[0].objects[0]), ElementsAre(3, 1));
  const Error error = ThrownBy([&] { Read(kThree, "", {"nose", "rihgt"}); });
  EXPECT_THAT(error.what(), HasSubstr("no keypoint \"rihgt\" (did you mean \"right\"?)"));
}

TEST_F(CocoKeypointsTest, FilesWithoutNames) {
  constexpr const char* kNone = R"({"id": 1, "name": "cat"})";
  const std::string two = Annotation(1, "") + "," + Annotation(1, "1, 9, 2, 2, 9, 1");
  EXPECT_THAT(Read(kNone, two).keypoints, ElementsAre("1", "2"));
  EXPECT_THAT(Read(kNone, two, {"tip", "end"}).keypoints, ElementsAre("tip", "end"));
  EXPECT_THAT(ThrownBy([&] { Read(kNone, two, {"tip"}); }).what(), HasSubstr("2 of them, its category has 1"));
  EXPECT_THAT(Read(kNone, Annotation(1, "")).keypoints, IsEmpty());
}

TEST_F(CocoKeypointsTest, ClassesWithOtherKeypointsMustBeChosenFrom) {
  const std::string both = std::string(kThree) + R"(, {"id": 2, "name": "dog", "keypoints": ["tail"]},
    {"id": 3, "name": "stone"})";
  const std::string annotations =
      Annotation(1, "1, 9, 2, 2, 9, 1, 3, 9, 0") + "," + Annotation(2, "5, 9, 2") + "," + Annotation(3, "");
  const Dataset all = Read(both, annotations);
  EXPECT_THAT(all.keypoints, IsEmpty());
  EXPECT_THAT(all.samples[0].objects[1].keypoints, SizeIs(1)) << "they are still read";
  EXPECT_THAT(Read(both, annotations, {}, {"dog"}).keypoints, ElementsAre("tail"));
  EXPECT_THAT(Read(both, annotations, {}, {"cat", "stone"}).keypoints, SizeIs(3));
}

TEST_F(CocoKeypointsTest, FaultsHaveTheirPlace) {
  struct Case {
    const char* name;
    std::string categories, annotations;
    const char* message;
  };
  const std::string good(kThree);
  for (const Case& c :
       {Case{"too few", good, Annotation(1, "1, 1, 2"), "train.json:3:17: annotations: \"keypoints\": 1 of them"},
        {"no list", R"({"id": 1, "name": "c", "keypoints": 3})", "", "train.json:2:16: categories: \"keypoints\""},
        {"no name", R"({"id": 1, "name": "c", "keypoints": [3]})", "", "expected names"},
        {"twice", R"({"id": 1, "name": "c", "keypoints": ["a", "a"]})", "", "\"a\" is named twice"},
        {"bone to nowhere", R"({"id": 1, "name": "c", "keypoints": ["a"], "skeleton": [[1, 2]]})", "",
         "pairs of numbers from 1 to 1"},
        {"bone of one", R"({"id": 1, "name": "c", "keypoints": ["a"], "skeleton": [[1]]})", "", "pairs of numbers"}}) {
    const Error error = ThrownBy([&] { Read(c.categories, c.annotations); });
    EXPECT_EQ(error.code(), Code::kInvalidArgument) << c.name;
    EXPECT_THAT(error.what(), HasSubstr(c.message)) << c.name;
  }
}

}  // namespace
}  // namespace hot
