#include "data/image_folders.h"

#include "data/loader.h"
#include "data/test_data.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ImageFoldersTest : public testing::Test {
 protected:
  ImageFoldersTest() {
    WritePicture(root_ / "train/dog/b.jpg", 20, 10);
    WritePicture(root_ / "train/dog/a.PNG", 8, 8);
    WritePicture(root_ / "train/dog/more/a.jpg");
    WritePicture(root_ / "train/cat/b.jpg", 1, 1);
    WritePicture(root_ / "train/cat/.cache/x.jpg");
    WriteText(root_ / "train/cat/notes.txt", "no picture");
    WriteText(root_ / "train/.cache/x.jpg", "no class");
  }
  Dataset Read(const std::string& split, const std::vector<std::string>& classes = {}) {
    return ReadDataset({.format = DataFormat::kImageFolders, .root = root_, .split = split, .classes = classes});
  }
  std::string Failure(const std::string& split, const std::vector<std::string>& classes = {}) {
    const Error error = ThrownBy([&] { Read(split, classes); });
    EXPECT_TRUE(error.code() == Code::kInvalidArgument || error.code() == Code::kNotFound) << error.what();
    return error.what();
  }
  static std::vector<std::string> Names(const Dataset& dataset) {
    std::vector<std::string> names;
    for (const Sample& sample : dataset.samples) names.push_back(sample.name);
    return names;
  }

  TempFolder folder_;
  const fs::path root_ = folder_.path();
};

TEST_F(ImageFoldersTest, AFolderIsAClassAndAPictureOneObject) {
  const Dataset dataset = Read("train");
  EXPECT_THAT(dataset.classes, ElementsAre("cat", "dog"));
  EXPECT_TRUE(dataset.warnings.empty());
  EXPECT_THAT(Names(dataset), ElementsAre("cat/b.jpg", "dog/a.PNG", "dog/b.jpg", "dog/more/a.jpg"));
  EXPECT_NE(dataset.samples[0].id, dataset.samples[2].id) << "equal names in two classes are two pictures";
  EXPECT_EQ(dataset.samples[2].image, root_ / "train/dog/b.jpg");
  for (const Sample& sample : dataset.samples) {
    ASSERT_EQ(sample.objects.size(), 1u);
    EXPECT_EQ(sample.objects[0].label, sample.name.starts_with("dog") ? 1 : 0);
    EXPECT_EQ(sample.objects[0].box.area(), 1);
  }
}

// Whatever is cut out of the picture, its class stays: the trainer wants exactly one.
TEST_F(ImageFoldersTest, TheLoaderNeverLosesTheLabel) {
  const Dataset dataset = Read("train");
  LoaderOptions options{.batch = 4, .threads = 0};
  options.preprocessing = {.width = 16, .height = 12};
  options.augment.crop = 1;
  options.augment.min_crop = 0.1;
  options.augment.transpose = 0.5;
  for (const bool augment : {false, true}) {
    options.augment.enabled = augment;
    Loader loader(dataset, options);
    for (int epoch = 0; epoch < (augment ? 50 : 1); ++epoch) {
      loader.BeginEpoch(epoch);
      for (Batch batch; loader.Next(&batch);) {
        for (size_t i = 0; i < batch.objects.size(); ++i) {
          ASSERT_EQ(batch.objects[i].size(), 1u);
          const Object& object = batch.objects[i][0];
          EXPECT_EQ(object.label, dataset.samples[static_cast<size_t>(batch.indices[i])].objects[0].label);
          EXPECT_GT(object.box.area(), 0);
          EXPECT_LE(object.box.area(), 16 * 12 + 1e-9);
        }
      }
    }
  }
}

TEST_F(ImageFoldersTest, ClassesThatAreAskedForSetTheirOrder) {
  EXPECT_THAT(Read("train", {"dog", "cat"}).classes, ElementsAre("dog", "cat"));
  const Dataset dogs = Read("train", {"dog"});
  EXPECT_THAT(Names(dogs), ElementsAre("dog/a.PNG", "dog/b.jpg", "dog/more/a.jpg"));
  EXPECT_THAT(dogs.warnings, ElementsAre(HasSubstr("train: folders that are left out, since they are no class: cat")));
}

TEST_F(ImageFoldersTest, ClassesOfAnotherDataSetMayLackOrHaveAnotherName) {
  DataSource source{.format = DataFormat::kImageFolders, .root = root_, .split = "train"};
  source.classes = {"cow", "hound"};
  source.shared = std::vector<ClassNames>{{"dog", "hound"}};
  const Dataset dataset = ReadDataset(source);
  EXPECT_THAT(Names(dataset), ElementsAre("dog/a.PNG", "dog/b.jpg", "dog/more/a.jpg"));
  EXPECT_EQ(dataset.samples[0].objects[0].label, 1);
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("no object of cow: scored on the other 1 classes")));
  source.classes = {"cow", "horse"};
  EXPECT_THAT(ThrownBy([&] { ReadDataset(source); }).what(), HasSubstr("no object of the classes cow, horse"));
}

TEST_F(ImageFoldersTest, FoldersMayBeLinks) {
  fs::create_directory_symlink(root_ / "train", root_ / "linked");
  EXPECT_EQ(Read("linked").samples.size(), 4u);
  EnsureFolder(root_ / "test");
  fs::create_directory_symlink(root_ / "train/dog", root_ / "test/dog");
  EXPECT_EQ(Read("test").samples.size(), 3u);
}

TEST_F(ImageFoldersTest, PicturesBesideTheClassesAreAWarning) {
  WritePicture(root_ / "train/stray.jpg");
  EXPECT_THAT(Read("train").warnings, ElementsAre(HasSubstr("1 pictures beside the classes' folders are left out")));
}

// A mistake where the folders say what the classes are; natural in a small test split.
TEST_F(ImageFoldersTest, AClassWithoutPictures) {
  EnsureFolder(root_ / "train/cow");
  EXPECT_THAT(Failure("train"), HasSubstr("train/cow: there is no picture of this class"));
  const Dataset dataset = Read("train", {"cat", "cow", "dog"});
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("train/cow: there is no picture of this class")));
  EXPECT_EQ(dataset.samples.back().objects[0].label, 2);
}

TEST_F(ImageFoldersTest, FaultsAreOneLine) {
  EXPECT_THAT(Failure("trian"), HasSubstr("trian: there is no such folder of pictures (did you mean \"train\"?)"));
  EXPECT_THAT(Failure("train", {"dgo"}), HasSubstr("there is no folder of class \"dgo\" (did you mean \"dog\"?)"));
  EXPECT_THAT(Failure("train", {"dog", "dog"}), HasSubstr("class \"dog\" is named twice"));
  EnsureFolder(root_ / "test");
  EXPECT_THAT(Failure("test"), HasSubstr("test: no class's folder has a picture"));
  EnsureFolder(root_ / "test/dog");
  EXPECT_THAT(Failure("test", {"dog"}), HasSubstr("test: no class's folder has a picture"));
  EnsureFolder(root_ / "train/caf\xe9");
  EXPECT_THAT(Failure("train"), HasSubstr("the name of a class's folder is not UTF-8 text"));
}

}  // namespace
}  // namespace hot
