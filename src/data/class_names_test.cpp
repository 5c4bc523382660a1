#include "data/class_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const std::vector<ClassNames> kNames{{"aeroplane", "airplane"}, {"tvmonitor", "tv"}};

TEST(ClassNames, AreReadFromText) {
  EXPECT_THAT(ParseClassNames({"sofa/couch", "dining table/diningtable"}, "here"),
              ElementsAre(Pair("sofa", "couch"), Pair("dining table", "diningtable")));
  for (const char* text : {"sofa", "/couch", "sofa/", "/", ""}) {
    const Error error = ThrownBy([&] { ParseClassNames({text}, "here"); });
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("here: \"" + std::string(text) + "\" is no pair")) << text;
  }
}

TEST(ClassNames, AreFoundFromEitherSide) {
  const std::vector<std::string> voc{"person", "aeroplane"}, coco{"airplane", "person", "tv"};
  DataSource source{.shared = kNames};
  EXPECT_EQ(FindClass("airplane", voc, source), 1);
  EXPECT_EQ(FindClass("aeroplane", coco, source), 0);
  EXPECT_EQ(FindClass("tvmonitor", coco, source), 2);
  EXPECT_EQ(FindClass("person", voc, source), 0);
  EXPECT_EQ(FindClass("zebra", voc, source), -1);
  EXPECT_EQ(FindClass("tv", voc, source), -1) << "its other name is no class here";
  EXPECT_EQ(FindClass("airplane", {"airplane", "aeroplane"}, source), 0) << "its own name comes first";
  source.shared.reset();
  EXPECT_EQ(FindClass("airplane", voc, source), -1) << "in one data set a name is a name";
}

class SharedClasses : public testing::Test {
 protected:
  // Two pictures; the second has no object.
  Dataset ReadCocoFile(const std::vector<std::string>& classes) {
    WritePicture(folder_.path() / "images/a.jpg");
    WritePicture(folder_.path() / "images/b.jpg");
    WriteText(folder_.path() / "annotations/val.json", R"({
"images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30},
           {"id": 2, "file_name": "b.jpg", "width": 40, "height": 30}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 1, 9, 9]},
                {"id": 2, "image_id": 1, "category_id": 3, "bbox": [2, 2, 9, 9]},
                {"id": 3, "image_id": 1, "category_id": 5, "bbox": [3, 3, 9, 9]}],
"categories": [{"id": 3, "name": "zebra"}, {"id": 5, "name": "person"}, {"id": 7, "name": "airplane"},
               {"id": 8, "name": "tv"}]})");
    return ReadDataset(
        {.format = DataFormat::kCoco, .root = folder_.path(), .split = "val", .classes = classes, .shared = kNames});
  }

  Dataset ReadVocFolder(const std::vector<std::string>& classes) {
    WritePicture(folder_.path() / "voc/a.jpg");
    std::string objects;
    for (const char* name : {"tvmonitor", "horse", "person"}) {
      objects += "<object><name>" + std::string(name) +
                 "</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>";
    }
    WriteText(folder_.path() / "voc/a.xml", "<annotation><filename>a.jpg</filename>" + objects + "</annotation>");
    return ReadDataset({.root = folder_.path(), .split = "voc", .classes = classes, .shared = kNames});
  }

  static std::vector<int> Labels(const Dataset& dataset) {
    std::vector<int> labels;
    for (const Object& object : dataset.samples.at(0).objects) labels.push_back(object.label);
    return labels;
  }

  TempFolder folder_;
};

TEST_F(SharedClasses, OfACocoFileByVocNames) {
  const Dataset data = ReadCocoFile({"aeroplane", "bird", "person", "tvmonitor"});
  EXPECT_THAT(data.classes, ElementsAre("aeroplane", "bird", "person", "tvmonitor")) << "those of the network";
  EXPECT_THAT(Labels(data), ElementsAre(0, 2)) << "without the zebra";
  EXPECT_EQ(data.samples.size(), 2u) << "pictures without a shared object count as well";
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_THAT(data.warnings[0], HasSubstr("no object of bird, tvmonitor: scored on the other 2 classes"));
}

TEST_F(SharedClasses, OfAVocFolderByCocoNames) {
  const Dataset data = ReadVocFolder({"person", "airplane", "tv"});
  EXPECT_THAT(Labels(data), ElementsAre(2, 0)) << "without the horse";
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_THAT(data.warnings[0], HasSubstr("no object of airplane: scored on the other 2 classes"));
}

TEST_F(SharedClasses, NoneIsAMistake) {
  const Error error = ThrownBy([&] { ReadCocoFile({"bird", "cat"}); });
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("val: no object of the classes bird, cat (data.same_classes"));
  EXPECT_EQ(ThrownBy([&] { ReadVocFolder({"bird"}); }).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace hot
