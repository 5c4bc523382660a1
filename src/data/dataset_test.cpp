#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Dataset Numbered(int count) {
  Dataset data;
  data.classes = {"x"};
  data.warnings = {"a warning"};
  for (int i = 0; i < count; ++i) data.samples.push_back({i * 7, std::to_string(i), {}, 1, 1, {}});
  return data;
}

std::vector<int64_t> Ids(const Dataset& data) {
  std::vector<int64_t> ids;
  for (const Sample& sample : data.samples) ids.push_back(sample.id);
  return ids;
}

// `count` pictures, numbered from `first` on.
Dataset Pictures(int first, int count) {
  Dataset data;
  for (int i = first; i < first + count; ++i) {
    Sample sample;
    sample.image = "JPEGImages/" + std::to_string(i) + ".jpg";
    data.samples.push_back(sample);
  }
  return data;
}

TEST(CheckDisjointTest, WarnsOfSomeSharedPicturesAndRefusesAll) {
  const Dataset train = Pictures(1, 10);
  EXPECT_EQ(CheckDisjoint("data.train", train, "data.test", Pictures(11, 5)), "");
  const std::string warning = CheckDisjoint("data.train", train, "data.test", Pictures(9, 5));
  EXPECT_THAT(warning, HasSubstr("data.test: 2 of 5 pictures are in data.train too, such as JPEGImages/9.jpg"));
  for (const Dataset& test : {Pictures(1, 10), Pictures(3, 2), Pictures(0, 20)}) {
    const Error error = ThrownBy([&] { CheckDisjoint("data.train", train, "data.test", test); });
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_EQ(error.where(), "data.test");
  }
}

TEST(CheckDisjointTest, ComparesFilesNotTheirNames) {
  const TempFolder folder;
  EnsureFolder(folder.path() / "data");
  fs::create_directory_symlink("data", folder.path() / "linked");
  Dataset train, test;
  for (int i = 0; i < 3; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    WriteFileAtomic(folder.path() / "data" / name, "");
    Sample sample;
    sample.image = folder.path() / "data" / name;
    train.samples.push_back(sample);
    sample.image = folder.path() / (i == 0 ? "data/../data/./" : i == 1 ? "linked" : "elsewhere") / name;
    test.samples.push_back(sample);
  }
  EXPECT_THAT(CheckDisjoint("data.train", train, "data.test", test), HasSubstr("2 of 3 pictures"));
}

TEST(CheckPicturesTest, NamesTheFirstThatIsNone) {
  const TempFolder folder;
  Dataset data = Pictures(1, 2);
  for (Sample& sample : data.samples) {
    sample.image = folder.path() / sample.image;
    WritePicture(sample.image);
  }
  EXPECT_NO_THROW(CheckPictures(data));
  WriteText(data.samples[1].image, "hello");
  EXPECT_EQ(ThrownBy([&] { CheckPictures(data); }).where(), data.samples[1].image.string());
}

TEST(SplitDatasetTest, PartsAreDisjointSeededAndIndependentOfTheOrder) {
  Dataset data = Numbered(100);
  const auto [first, second] = SplitDataset(data, 0.15, 3);
  EXPECT_THAT(first.samples, SizeIs(85));
  EXPECT_THAT(second.samples, SizeIs(15));
  std::vector<int64_t> all = Ids(first);
  for (const int64_t id : Ids(second)) all.push_back(id);
  EXPECT_THAT(all, testing::UnorderedElementsAreArray(Ids(data)));
  EXPECT_THAT(second.classes, ElementsAre("x"));
  EXPECT_NE(Ids(SplitDataset(data, 0.15, 4).second), Ids(second));
  std::reverse(data.samples.begin(), data.samples.end());
  EXPECT_THAT(Ids(SplitDataset(data, 0.15, 3).second), testing::UnorderedElementsAreArray(Ids(second)));
}

TEST(SplitDatasetTest, AShareOfASourceAndItsRestAreTheTwoParts) {
  const TempFolder folder;
  for (int i = 0; i < 10; ++i) {
    EnsureFolder(folder.path() / "all" / (i < 9 ? "common" : "rare"));
    WriteFileAtomic(folder.path() / "all" / (i < 9 ? "common" : "rare") / (std::to_string(i) + ".jpg"), "x");
  }
  DataSource source{.format = DataFormat::kImageFolders, .root = folder.path(), .split = "all"};
  const Dataset all = ReadDataset(source);
  source.share = {.fraction = 0.2, .seed = 7};
  const Dataset part = ReadDataset(source);
  source.share->rest = true;
  const Dataset rest = ReadDataset(source);
  EXPECT_THAT(part.samples, SizeIs(2));
  EXPECT_THAT(rest.samples, SizeIs(8));
  EXPECT_EQ(CheckDisjoint("a", part, "b", rest), "");
  EXPECT_THAT(part.classes, ElementsAre("common", "rare"));
  EXPECT_EQ(rest.classes, part.classes);
  EXPECT_EQ(Ids(part), Ids(SplitDataset(all, 0.2, 7).second));
}

TEST(SplitDatasetTest, BothPartsHaveAtLeastOnePicture) {
  EXPECT_THAT(SplitDataset(Numbered(2), 0.01, 0).second.samples, SizeIs(1));
  EXPECT_THAT(SplitDataset(Numbered(2), 0.99, 0).first.samples, SizeIs(1));
  EXPECT_THROW(SplitDataset(Numbered(1), 0.5, 0), Error);
  EXPECT_THROW(SplitDataset(Numbered(9), 0.0, 0), Error);
  EXPECT_THROW(SplitDataset(Numbered(9), 1.0, 0), Error);
}

}  // namespace
}  // namespace hot
