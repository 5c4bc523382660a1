#include "data/image_folders.h"

#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ImageFoldersTest : public testing::Test {
 protected:
  ImageFoldersTest() {
    WritePicture(folder_.path() / "train/dog/b.jpg", 20, 10);
    WritePicture(folder_.path() / "train/dog/a.png", 8, 8);
    WritePicture(folder_.path() / "train/cat/a.jpg", 1, 1);
    WriteText(folder_.path() / "train/cat/notes.txt", "no picture");
    WriteText(folder_.path() / "train/.cache/x", "no class");
    EnsureFolder(folder_.path() / "test/dog");
  }
  Dataset Read(const std::string& split, const std::vector<std::string>& classes = {}) {
    return ReadDataset(
        {.format = DataFormat::kImageFolders, .root = folder_.path(), .split = split, .classes = classes});
  }

  TempFolder folder_;
};

TEST_F(ImageFoldersTest, AFolderIsAClassAndAPictureOneObject) {
  const Dataset dataset = Read("train");
  EXPECT_THAT(dataset.classes, ElementsAre("cat", "dog"));
  EXPECT_TRUE(dataset.warnings.empty());
  std::vector<std::string> names;
  for (const Sample& sample : dataset.samples) names.push_back(sample.name);
  EXPECT_THAT(names, ElementsAre("cat/a.jpg", "dog/a.png", "dog/b.jpg"));
  EXPECT_NE(dataset.samples[0].id, dataset.samples[1].id) << "equal names in two classes are two pictures";
  const Sample& dog = dataset.samples[2];
  ASSERT_EQ(dog.objects.size(), 1u);
  EXPECT_EQ(dog.objects[0].label, 1);
  EXPECT_EQ(dog.objects[0].box.x1, 20);
  EXPECT_EQ(dog.objects[0].box.y1, 10);
  EXPECT_EQ(dog.objects[0].area, 200);
}

TEST_F(ImageFoldersTest, ClassesThatAreAskedForSetTheirOrder) {
  EXPECT_THAT(Read("train", {"dog", "cat"}).classes, ElementsAre("dog", "cat"));
  EXPECT_EQ(Read("train", {"dog"}).samples.size(), 2u);
}

TEST_F(ImageFoldersTest, PicturesOutsideOfClassesAreAWarning) {
  WritePicture(folder_.path() / "train/stray.jpg");
  EXPECT_THAT(Read("train").warnings, ElementsAre(HasSubstr("1 pictures lie in no class's folder")));
}

TEST_F(ImageFoldersTest, FaultsAreOneLine) {
  const Error unknown = ThrownBy([&] { Read("valid"); });
  EXPECT_EQ(unknown.code(), Code::kNotFound);
  EXPECT_THAT(unknown.what(), HasSubstr("there are: test, train"));
  EXPECT_THAT(ThrownBy([&] { Read("test"); }).what(), HasSubstr("there is no picture in a class's folder"));
  EXPECT_THAT(ThrownBy([&] { Read("train", {"cow"}); }).what(), HasSubstr("no folder for class \"cow\""));
  WriteText(folder_.path() / "train/dog/c.jpg", "no picture");
  EXPECT_EQ(ThrownBy([&] { Read("train"); }).code(), Code::kDataLoss);
}

}  // namespace
}  // namespace hot
