// Which data set lies in a folder, and what its splits are for.
#include "data/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FindLayouts, OfTheFormsThatPeopleHave) {
  struct Case {
    std::vector<const char*> files;
    DataFormat format;
    std::vector<std::string> splits;
  };
  const char* const coco = R"({"images": []})";
  const Case cases[] = {
      {{"a.xml", "a.JPG", "b.jpg"}, DataFormat::kVoc, {""}},
      {{"images/train/a.xml", "images/train/a.jpg", "images/test/b.xml"},
       DataFormat::kVoc,
       {"images/test", "images/train"}},
      {{"VOC/Annotations/a.xml", "VOC/ImageSets/Main/test.txt", "VOC/ImageSets/Main/trainval.txt"},
       DataFormat::kVoc,
       {"test", "trainval", ""}},
      {{"annotations/instances_train2017.json", "annotations/captions_train2017.json"},
       DataFormat::kCoco,
       {"instances_train2017"}},
      {{"train/_annotations.coco.json", "valid/_annotations.coco.json"},
       DataFormat::kCoco,
       {"train/_annotations.coco.json", "valid/_annotations.coco.json"}},
      {{"labels.json", "1.jpg"}, DataFormat::kCoco, {"labels.json"}},
      {{"cat/1.jpg", "dog/2.jpg"}, DataFormat::kImageFolders, {""}},
      {{"train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg", "val/dog/4.png", "notes/x.txt"},
       DataFormat::kImageFolders,
       {"train", "val"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.files.front());
    const TempFolder folder;
    for (const char* file : c.files) WriteText(folder.path() / file, coco);
    const std::vector<DataLayout> layouts = FindLayouts(folder.path());
    ASSERT_EQ(layouts.size(), 1U);
    EXPECT_EQ(layouts[0].format, c.format);
    EXPECT_EQ(layouts[0].splits, c.splits);
  }
}

TEST(FindLayouts, SaysWhatThereIsInstead) {
  struct Case {
    std::vector<const char*> files;
    const char* expected;
  };
  const Case cases[] = {
      {{}, "there is no file in this folder (expected pictures with XML"},
      {{"notes.txt"}, "there is no picture in this folder"},
      {{"a.jpg", "b.png"}, "2 pictures, but no labels"},
      {{"images/a.jpg"}, "1 pictures, but no labels"},  // one class is none
      {{"images/train/a.jpg", "labels/train/a.txt"}, "YOLO's text files, which hot does not read (convert them"},
      {{"config.json", "a.jpg"}, "1 pictures, but no labels"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.expected);
    const TempFolder folder;
    for (const char* file : c.files) WriteText(folder.path() / file, "{}");
    EXPECT_THAT(ThrownBy([&] { FindLayouts(folder.path()); }).what(), HasSubstr(c.expected));
  }
  EXPECT_THAT(ThrownBy([] { FindLayouts("nowhere"); }).what(), HasSubstr("nowhere: does not exist"));
}

TEST(AssignRoles, ByTheNamesOfSplits) {
  struct Case {
    std::vector<std::string> splits;
    SplitRoles roles;
  };
  const Case cases[] = {
      {{""}, {"", "", ""}},
      {{"all.json"}, {"all.json", "", ""}},
      {{"images/test", "images/train"}, {"images/train", "", "images/test"}},
      {{"test", "train", "trainval", "val", ""}, {"trainval", "", "test"}},
      {{"aeroplane_train", "aeroplane_val", "train", "val"}, {"train", "", "val"}},
      {{"train", "valid", "test"}, {"train", "valid", "test"}},
      {{"instances_train2017", "instances_val2017"}, {"instances_train2017", "", "instances_val2017"}},
      {{"Training"}, {"Training", "", ""}},
      {{"train/_annotations.coco.json", "valid/_annotations.coco.json", "test/_annotations.coco.json"},
       {"train/_annotations.coco.json", "valid/_annotations.coco.json", "test/_annotations.coco.json"}},
      {{"trainval", "train", "val"}, {"trainval", "", ""}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.splits.front());
    const SplitRoles roles = AssignRoles(c.splits);
    EXPECT_THAT((std::vector{roles.train, roles.val, roles.test}),
                ElementsAre(c.roles.train, c.roles.val, c.roles.test));
  }
  const Error error = ThrownBy([] { AssignRoles({"a", "b"}); });
  EXPECT_THAT(error.what(), HasSubstr("--train NAME --test NAME; splits here: a, b"));
}

}  // namespace
}  // namespace hot
