#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string ObjectXml(const std::string& name, const std::string& x0, const std::string& y0, const std::string& x1,
                      const std::string& y1) {
  return "<object><name>" + name + "</name>\n<bndbox><xmin>" + x0 + "</xmin><ymin>" + y0 + "</ymin><xmax>" + x1 +
         "</xmax><ymax>" + y1 + "</ymax></bndbox></object>\n";
}

std::string FileXml(const std::string& file_name, const std::string& objects) {
  return "<annotation>\n<filename>" + file_name + "</filename>\n<size><width>40</width><height>30</height></size>\n" +
         objects + "</annotation>\n";
}

// root/{Annotations,JPEGImages,ImageSets/Main/train.txt} with one 40 x 30 picture "a".
class VocTest : public testing::Test {
 protected:
  void SetUp() override {
    WritePicture(root() / "JPEGImages" / "a.jpg");
    WriteText(root() / "ImageSets/Main/train.txt", "a\n");
    WriteXml(FileXml("a.jpg", ObjectXml("cat", "11", "6", "20", "15")));
  }

  void WriteXml(const std::string& text) { WriteText(root() / "Annotations" / "a.xml", text); }

  Dataset Read(const std::string& split = "train", std::vector<std::string> classes = {}) {
    return ReadDataset({DataFormat::kVoc, root(), split, std::move(classes)});
  }

  const fs::path& root() const { return folder_.path(); }

  TempFolder folder_;
};

TEST_F(VocTest, PixelsCountedFromOneBecomeHalfOpenBoxes) {
  const Dataset data = Read();
  ASSERT_THAT(data.samples, SizeIs(1));
  ASSERT_THAT(data.samples[0].objects, SizeIs(1));
  const Object& object = data.samples[0].objects[0];
  EXPECT_THAT(data.classes, ElementsAre("cat"));
  EXPECT_EQ(object.box.x0, 10);
  EXPECT_EQ(object.box.y0, 5);
  EXPECT_EQ(object.box.x1, 20);
  EXPECT_EQ(object.box.y1, 15);
  EXPECT_EQ(object.area, 100);
  EXPECT_FALSE(object.difficult);
  EXPECT_EQ(data.samples[0].width, 40);
  EXPECT_EQ(data.samples[0].height, 30);
  EXPECT_EQ(data.samples[0].image, root() / "JPEGImages" / "a.jpg");
  EXPECT_THAT(data.warnings, SizeIs(0));
}

TEST_F(VocTest, ClassesAreSortedByNameUnlessGiven) {
  WriteXml(FileXml("a.jpg", ObjectXml("dog", "1", "1", "9", "9") + ObjectXml("ant", "1", "1", "9", "9")));
  const Dataset sorted = Read();
  EXPECT_THAT(sorted.classes, ElementsAre("ant", "dog"));
  EXPECT_EQ(sorted.samples[0].objects[0].label, 1);
  const Dataset given = Read("train", {"dog", "cow", "ant"});
  EXPECT_THAT(given.classes, ElementsAre("dog", "cow", "ant"));
  EXPECT_EQ(given.samples[0].objects[0].label, 0);
  EXPECT_EQ(given.samples[0].objects[1].label, 2);
}

TEST_F(VocTest, DifficultFlagAndFractionsAndMissingSizeAreRead) {
  WriteXml(
      "<annotation><filename>a.jpg</filename><object><difficult> 1 </difficult><name> cat "
      "</name><bndbox><xmin>1.5</xmin>"
      "<ymin>1</ymin><xmax>9.25</xmax><ymax>9</ymax></bndbox></object></annotation>");
  const Dataset data = Read();
  EXPECT_TRUE(data.samples[0].objects[0].difficult);
  EXPECT_THAT(data.classes, ElementsAre("cat"));
  EXPECT_DOUBLE_EQ(data.samples[0].objects[0].box.x0, 0.5);
  EXPECT_DOUBLE_EQ(data.samples[0].objects[0].box.x1, 9.25);
  EXPECT_EQ(data.samples[0].width, 40) << "taken from the picture";
  EXPECT_EQ(data.samples[0].height, 30);
}

TEST_F(VocTest, PicturesWithoutObjectsStay) {
  WriteXml(FileXml("a.jpg", ""));
  EXPECT_THAT(Read().samples, SizeIs(1));
}

struct BoxCase {
  const char* name;
  const char *x0, *y0, *x1, *y1;
  const char* warning;  // null: kept
  Box expected;
};

class VocBoxTest : public VocTest, public testing::WithParamInterface<BoxCase> {};

TEST_P(VocBoxTest, IsKeptClippedOrSkippedWithAWarning) {
  const BoxCase& box = GetParam();
  WriteXml(FileXml("a.jpg", ObjectXml("cat", box.x0, box.y0, box.x1, box.y1)));
  const Dataset data = Read();
  if (box.warning != nullptr) {
    EXPECT_THAT(data.samples[0].objects, SizeIs(0));
    EXPECT_THAT(data.warnings,
                ElementsAre(testing::AllOf(HasSubstr("a.xml:5:1: box skipped"), HasSubstr(box.warning))));
    return;
  }
  EXPECT_THAT(data.warnings, SizeIs(0));
  ASSERT_THAT(data.samples[0].objects, SizeIs(1));
  const Box& read = data.samples[0].objects[0].box;
  EXPECT_EQ(read.x0, box.expected.x0);
  EXPECT_EQ(read.y0, box.expected.y0);
  EXPECT_EQ(read.x1, box.expected.x1);
  EXPECT_EQ(read.y1, box.expected.y1);
}

INSTANTIATE_TEST_SUITE_P(Boxes, VocBoxTest,
                         testing::Values(BoxCase{"whole", "1", "1", "40", "30", nullptr, {0, 0, 40, 30}},
                                         BoxCase{"clipped_high", "31", "21", "50", "40", nullptr, {30, 20, 40, 30}},
                                         BoxCase{"clipped_low", "-5", "0", "10", "10", nullptr, {0, 0, 10, 10}},
                                         BoxCase{"two_pixels", "7", "7", "8", "8", nullptr, {6, 6, 8, 8}},
                                         BoxCase{"point", "7", "7", "7", "7", "degenerate", {}},
                                         BoxCase{"line", "7", "7", "7", "9", "degenerate", {}},
                                         BoxCase{"inverted_x", "9", "7", "7", "9", "inverted", {}},
                                         BoxCase{"inverted_by_one", "8", "7", "7", "9", "inverted", {}},
                                         BoxCase{"inverted_y", "7", "9", "9", "7", "inverted", {}},
                                         BoxCase{"right_of_it", "41", "1", "60", "20", "outside", {}},
                                         BoxCase{"above_it", "1", "-20", "20", "-2", "outside", {}}),
                         [](const auto& info) { return std::string(info.param.name); });

struct BadVoc {
  const char* name;
  std::string xml;
  Code code;
  const char* where;    // end of the place
  const char* message;  // part of what()
};

class BadVocTest : public VocTest, public testing::WithParamInterface<BadVoc> {};

TEST_P(BadVocTest, GivesOneLineWithPlaceAndReason) {
  WriteXml(GetParam().xml);
  const Error error = ThrownBy([this] { Read("train", {"cat", "dog"}); });
  EXPECT_EQ(error.code(), GetParam().code) << error.what();
  EXPECT_THAT(error.where(), testing::EndsWith(GetParam().where));
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
}

constexpr Code kBad = Code::kInvalidArgument;

INSTANTIATE_TEST_SUITE_P(
    Files, BadVocTest,
    testing::Values(
        BadVoc{"empty", "", kBad, "a.xml:1:1", "broken XML"},
        BadVoc{"not_xml", "hello", kBad, "a.xml:1:6", "broken XML"},
        BadVoc{"cut_off", "<annotation>\n<filename>a.jpg</filename>\n<obj", kBad, "a.xml:3:4", "broken XML"},
        BadVoc{"wrong_end_tag", "<annotation>\n <size></sise>\n</annotation>", kBad, "a.xml:2:10", "broken XML"},
        BadVoc{"wrong_root", "\n<html></html>", kBad, "a.xml:2:1", "<annotation>"},
        BadVoc{"unknown_class", FileXml("a.jpg", ObjectXml("catt", "1", "1", "9", "9")), kBad, "a.xml:4:9",
               "unknown class \"catt\" (did you mean \"cat\"?)"},
        BadVoc{"far_class", FileXml("a.jpg", ObjectXml("elephant", "1", "1", "9", "9")), kBad, "a.xml:4:9",
               "known: cat, dog"},
        BadVoc{"no_name", FileXml("a.jpg", "<object><bndbox/></object>"), kBad, "a.xml:4:1", "<object> has no <name>"},
        BadVoc{"empty_name", FileXml("a.jpg", ObjectXml(" ", "1", "1", "9", "9")), kBad, "a.xml:4:9", "no class name"},
        BadVoc{"latin1_name", FileXml("a.jpg", ObjectXml("caf\xe9", "1", "1", "9", "9")), kBad, "a.xml:4:9",
               "not UTF-8"},
        BadVoc{"no_box", FileXml("a.jpg", "<object><name>cat</name></object>"), kBad, "a.xml:4:1", "has no <bndbox>"},
        BadVoc{"no_xmax",
               FileXml("a.jpg", "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin></bndbox></object>"), kBad,
               "a.xml:4:25", "has no <xmax>"},
        BadVoc{"no_number", FileXml("a.jpg", ObjectXml("cat", "1", "one", "9", "9")), kBad, "a.xml:5:23",
               "<ymin>: expected a number, got \"one\""},
        BadVoc{"not_finite", FileXml("a.jpg", ObjectXml("cat", "1", "nan", "9", "9")), kBad, "a.xml:5:23", "\"nan\""},
        BadVoc{"number_with_tail", FileXml("a.jpg", ObjectXml("cat", "1", "2px", "9", "9")), kBad, "a.xml:5:23",
               "\"2px\""},
        BadVoc{"bad_size", "<annotation><filename>a.jpg</filename><size><width>wide</width></size></annotation>", kBad,
               "a.xml:1:45", "expected a number of pixels"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(VocTest, MissingPictureIsNamedAtItsFilename) {
  fs::remove(root() / "JPEGImages" / "a.jpg");
  const Error error = ThrownBy([this] { Read(); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_THAT(error.where(), testing::EndsWith("a.xml:2:1"));
  EXPECT_THAT(error.what(), HasSubstr("picture \"a.jpg\" is missing"));
}

TEST_F(VocTest, PictureNamesMayDifferInExtensionAndFolder) {
  struct Case {
    const char *file_name, *on_disk;
  };
  for (const Case& c : {Case{"a.jpg", "a.JPG"}, Case{"a", "a.jpeg"}, Case{"a.png", "a.jpg"}, Case{"", "a.png"},
                        Case{"C:\\photos\\a.JPG", "a.jpg"}, Case{"/home/me/a.jpg", "a.jpg"}, Case{"other.jpg", "a.jpg"},
                        Case{"a.v2", "a.v2.jpg"}}) {
    fs::remove_all(root() / "JPEGImages");
    WritePicture(root() / "JPEGImages" / c.on_disk);
    WriteXml(FileXml(c.file_name, ""));
    EXPECT_EQ(Read().samples[0].image.filename(), c.on_disk) << c.file_name;
  }
}

TEST_F(VocTest, SplitIsFoundOneLevelBelowAndByFileOrFolder) {
  TempFolder outer;
  fs::rename(root(), outer.path() / "set");
  WritePicture(outer.path() / "photos" / "new" / "b.JPG");
  WriteText(outer.path() / "photos" / "new" / "b.xml", FileXml("b.jpg", ""));
  WriteText(outer.path() / "mine.txt", "  a.jpg  \r\n\n");
  for (const std::string split : {"train", "train.txt", "mine.txt", ""}) {
    EXPECT_EQ(ReadDataset({DataFormat::kVoc, outer.path(), split, {}}).samples[0].name, "a") << split;
  }
  for (const std::string split : {"photos/new", "new"}) {
    EXPECT_EQ(ReadDataset({DataFormat::kVoc, outer.path(), split, {}}).samples[0].name, "b") << split;
  }
  EXPECT_EQ(ReadDataset({DataFormat::kVoc, outer.path() / "photos" / "new", "", {}}).samples[0].name, "b");
  const Error error = ThrownBy([&] { ReadDataset({DataFormat::kVoc, outer.path(), "trainval", {}}); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("no split \"trainval\" here (splits here: photos/new, train)"));
  EnsureFolder(root());  // for the destructor
}

TEST_F(VocTest, ListsMayHaveFlagsSpacesAndDuplicates) {
  WritePicture(root() / "JPEGImages" / "my cat.jpg");
  WriteText(root() / "Annotations" / "my cat.xml", FileXml("my cat.jpg", ""));
  WriteText(root() / "ImageSets/Main/train.txt", "a  1\nmy cat\na -1\n");
  const Dataset data = Read();
  ASSERT_THAT(data.samples, SizeIs(2));
  EXPECT_EQ(data.samples[1].name, "my cat");
  EXPECT_NE(data.samples[0].id, data.samples[1].id);
  EXPECT_THAT(data.warnings, ElementsAre(HasSubstr("train.txt:3:1")));
}

TEST_F(VocTest, BadListsAreNamedByLine) {
  WriteText(root() / "ImageSets/Main/train.txt", "a\nzebra\n");
  const Error missing = ThrownBy([this] { Read(); });
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_THAT(missing.where(), testing::EndsWith("train.txt:2:1"));
  WriteText(root() / "ImageSets/Main/train.txt", "\n");
  EXPECT_EQ(ThrownBy([this] { Read(); }).code(), Code::kInvalidArgument);
}

TEST_F(VocTest, MissingRootAndRepeatedClassAreErrors) {
  const Error missing = ThrownBy([this] { ReadDataset({DataFormat::kVoc, root() / "nowhere", "train", {}}); });
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_THAT(missing.what(), HasSubstr("does not exist"));
  EXPECT_EQ(ThrownBy([this] { Read("train", {"cat", "cat"}); }).code(), Code::kInvalidArgument);
}

// Two years as VOC's archives unpack: VOCdevkit/VOC2007 and VOCdevkit/VOC2012.
class VocYearsTest : public testing::Test {
 protected:
  void SetUp() override {
    AddPicture("VOC2007", "a", "cat");
    AddPicture("VOC2012", "a", "dog");
    AddPicture("VOC2012", "b", "cat");
    WriteText(root() / "VOC2007/ImageSets/Main/trainval.txt", "a\n");
    WriteText(root() / "VOC2012/ImageSets/Main/trainval.txt", "b\na\n");
    WriteText(root() / "VOC2012/ImageSets/Main/val.txt", "b\n");
  }

  void AddPicture(const std::string& year, const std::string& name, const std::string& label) {
    WritePicture(root() / year / "JPEGImages" / (name + ".jpg"));
    WriteText(root() / year / "Annotations" / (name + ".xml"),
              FileXml(name + ".jpg", ObjectXml(label, "1", "1", "9", "9")));
  }

  Dataset Read(const std::string& split) { return ReadDataset({DataFormat::kVoc, root(), split, {}}); }

  const fs::path& root() const { return folder_.path(); }

  TempFolder folder_;
};

TEST_F(VocYearsTest, AreJoined) {
  for (const char* split : {"VOC2007/trainval+VOC2012/trainval", "VOC2007/trainval + VOC2012/trainval.txt"}) {
    const Dataset data = Read(split);
    EXPECT_THAT(data.classes, ElementsAre("cat", "dog"));
    ASSERT_THAT(data.samples, SizeIs(3));
    EXPECT_EQ(data.samples[0].image, root() / "VOC2007/JPEGImages/a.jpg");
    EXPECT_EQ(data.samples[1].image, root() / "VOC2012/JPEGImages/b.jpg");
    EXPECT_EQ(data.samples[2].image, root() / "VOC2012/JPEGImages/a.jpg");
    EXPECT_EQ(data.samples[2].objects[0].label, 1);
    EXPECT_NE(data.samples[0].id, data.samples[2].id);
    EXPECT_THAT(data.warnings, SizeIs(0));
  }
}

TEST_F(VocYearsTest, OneYearIsChosenByItsFolder) {
  EXPECT_EQ(Read("VOC2007/trainval").samples[0].image, root() / "VOC2007/JPEGImages/a.jpg");
  EXPECT_THAT(Read("VOC2012/trainval").samples, SizeIs(2));
}

TEST_F(VocYearsTest, WhatIsInBothIsReadOnce) {
  const Dataset data = Read("VOC2012/val+VOC2012/trainval");
  EXPECT_THAT(data.samples, SizeIs(2));
  ASSERT_THAT(data.warnings, SizeIs(1));
  EXPECT_THAT(data.warnings[0], HasSubstr("b.xml: is in VOC2012/val and in VOC2012/trainval"));
}

TEST_F(VocYearsTest, BrokenJoinsAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"VOC2007/trainval+", "a part is empty"},
      {"+", "a part is empty"},
      {"VOC2007/trainval+VOC2007/trainval", "\"VOC2007/trainval\" is named twice"},
      {"VOC2007/trainval+VOC2012/test", "no split \"test\" here (splits here: "},
      {"VOC2007/trainval+VOC2013/trainval", "no split \"VOC2013/trainval\" here"}};
  for (const auto& [split, expected] : cases) {
    EXPECT_THAT(ThrownBy([&] { Read(split); }).what(), HasSubstr(expected)) << split;
  }
}

TEST_F(VocYearsTest, AFolderWithAPlusInItsNameIsOneSplit) {
  WritePicture(root() / "new+old" / "c.jpg");
  WriteText(root() / "new+old" / "c.xml", FileXml("c.jpg", ObjectXml("cow", "1", "1", "9", "9")));
  EXPECT_THAT(Read("new+old").classes, ElementsAre("cow"));
}

}  // namespace
}  // namespace hot
