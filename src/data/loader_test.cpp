#include "data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::SizeIs;

struct Seen {
  std::vector<int> indices;
  std::vector<float> images;
  std::vector<double> boxes;
  std::vector<int> sizes;
  bool operator==(const Seen&) const = default;
};

class LoaderTest : public testing::Test {
 protected:
  static constexpr int kPictures = 11;

  void SetUp() override {
    data_.classes = {"thing"};
    for (int i = 0; i < kPictures; ++i) {
      Sample sample;
      sample.id = 1000 + i;
      sample.name = std::to_string(i);
      sample.image = folder_.path() / (sample.name + ".png");
      sample.width = 30 + i;
      sample.height = 20;
      WritePng(sample.image, NoisePicture(sample.width, sample.height, static_cast<uint64_t>(i)));
      Object object;
      object.box = {3, 4, 15, 14};
      object.area = object.box.area();
      sample.objects = {object, object};
      data_.samples.push_back(sample);
    }
    options_.batch = 4;
    options_.seed = 5;
    options_.preprocessing.width = 16;
    options_.preprocessing.height = 12;
  }

  static Seen Drain(Loader* loader) {
    Seen seen;
    for (Batch batch; loader->Next(&batch);) {
      EXPECT_EQ(batch.images.size(), static_cast<size_t>(batch.size) * 3 * 16 * 12);
      EXPECT_THAT(batch.objects, SizeIs(static_cast<size_t>(batch.size)));
      EXPECT_THAT(batch.indices, SizeIs(static_cast<size_t>(batch.size)));
      seen.sizes.push_back(batch.size);
      seen.indices.insert(seen.indices.end(), batch.indices.begin(), batch.indices.end());
      seen.images.insert(seen.images.end(), batch.images.begin(), batch.images.end());
      for (const std::vector<Object>& objects : batch.objects) {
        for (const Object& object : objects) seen.boxes.insert(seen.boxes.end(), {object.box.x0, object.box.y1});
      }
    }
    return seen;
  }

  Seen Epoch(const LoaderOptions& options, int epoch) {
    Loader loader(data_, options);
    loader.BeginEpoch(epoch);
    return Drain(&loader);
  }

  TempFolder folder_;
  Dataset data_;
  LoaderOptions options_;
};

TEST_F(LoaderTest, BatchesAreTheSameForAnyThreadsAndCache) {
  options_.threads = 0;
  const Seen expected = Epoch(options_, 3);
  EXPECT_THAT(expected.sizes, testing::ElementsAre(4, 4, 3));
  for (const int threads : {1, 2, 5}) {
    for (const size_t cache_bytes : {size_t{0}, size_t{6000}, size_t{1} << 20}) {
      LoaderOptions options = options_;
      options.threads = threads;
      options.cache_bytes = cache_bytes;
      Loader loader(data_, options);
      for (const int epoch : {2, 3}) {  // the second time from the cache
        loader.BeginEpoch(epoch);
        const Seen seen = Drain(&loader);
        EXPECT_EQ(seen == expected, epoch == 3) << threads << " threads, " << cache_bytes << " bytes, epoch " << epoch;
      }
    }
  }
}

TEST_F(LoaderTest, ShrunkPicturesAreTheSameCachedOrNot) {
  options_.cache_side = 18;
  options_.cache_bytes = 0;
  const Seen expected = Epoch(options_, 1);
  options_.cache_bytes = 1 << 20;
  Loader loader(data_, options_);
  for (const int epoch : {0, 1}) {
    loader.BeginEpoch(epoch);
    EXPECT_EQ(Drain(&loader) == expected, epoch == 1);
  }
}

TEST_F(LoaderTest, AnEpochCanBeBrokenOffAndResumedExactly) {
  options_.threads = 2;
  Loader loader(data_, options_);
  Batch batch;
  EXPECT_FALSE(loader.Next(&batch)) << "no epoch has begun";
  loader.BeginEpoch(0);
  ASSERT_TRUE(loader.Next(&batch));
  loader.BeginEpoch(7);
  ASSERT_TRUE(loader.Next(&batch));
  loader.BeginEpoch(7);
  EXPECT_EQ(Drain(&loader), Epoch(options_, 7));
  EXPECT_FALSE(loader.Next(&batch));
}

TEST_F(LoaderTest, EveryPictureOnceInAnOrderOfItsOwn) {
  std::vector<int> first = Epoch(options_, 0).indices, second = Epoch(options_, 1).indices;
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  EXPECT_THAT(first, SizeIs(kPictures));
  options_.shuffle = false;
  EXPECT_EQ(Epoch(options_, 1).indices, first);
}

TEST_F(LoaderTest, LastBatchMayBeDropped) {
  options_.drop_last = true;
  EXPECT_THAT(Epoch(options_, 0).sizes, testing::ElementsAre(4, 4));
  EXPECT_EQ(Loader(data_, options_).batches_per_epoch(), 2);
  options_.batch = 100;
  EXPECT_EQ(Loader(data_, options_).batches_per_epoch(), 0);
  EXPECT_THAT(Epoch(options_, 0).sizes, SizeIs(0));
  options_.drop_last = false;
  EXPECT_EQ(Loader(data_, options_).batches_per_epoch(), 1);
}

TEST_F(LoaderTest, WithoutAugmentationInputsEqualToInputAndBoxesScale) {
  options_.augment.enabled = false;
  options_.shuffle = false;
  Loader loader(data_, options_);
  loader.BeginEpoch(0);
  Batch batch;
  ASSERT_TRUE(loader.Next(&batch));
  std::vector<float> expected(3 * 16 * 12);
  ToInput(DecodeImage(data_.samples[1].image), options_.preprocessing, expected.data());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), batch.images.begin() + 3 * 16 * 12));
  EXPECT_DOUBLE_EQ(batch.objects[1][0].box.x1, 15.0 * 16 / 31);
  EXPECT_DOUBLE_EQ(batch.objects[1][0].box.y1, 14.0 * 12 / 20);
}

TEST_F(LoaderTest, BrokenPictureIsThrownByNextAtItsBatchAndTheRestGoesOn) {
  WriteText(data_.samples[5].image, "no picture");
  options_.shuffle = false;
  for (const int threads : {0, 1, 2}) {
    options_.threads = threads;
    Loader loader(data_, options_);
    loader.BeginEpoch(0);
    Batch batch;
    EXPECT_TRUE(loader.Next(&batch)) << threads;
    const Error error = ThrownBy([&] { loader.Next(&batch); });
    EXPECT_EQ(error.code(), Code::kDataLoss);
    EXPECT_THAT(error.where(), testing::EndsWith("5.png"));
    EXPECT_TRUE(loader.Next(&batch));
    EXPECT_EQ(batch.indices[0], 8);
    EXPECT_FALSE(loader.Next(&batch));
  }
}

TEST_F(LoaderTest, PicturesLabelledBeforeExifRotationAreNotTurned) {
  // 2 x 1 pixels stored; the EXIF orientation 6 makes it 1 x 2.
  const Image wide = PlainPicture(32, 16, 9, 9, 9);
  const fs::path path = folder_.path() / "turned.jpg";
  WriteJpeg(path, wide);
  std::string bytes = ReadFile(path);
  const std::string exif(
      "\xff\xe1\x00\x22"
      "Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
      36);
  bytes.insert(2, exif);
  WriteText(path, bytes);
  Sample sample{1, "turned", path, 32, 16, {}};
  EXPECT_EQ(DecodeImage(path).width, 16);
  EXPECT_EQ(DecodeSample(sample).width, 32) << "labelled as stored";
  std::swap(sample.width, sample.height);
  EXPECT_EQ(DecodeSample(sample).width, 16) << "labelled as seen";
}

TEST_F(LoaderTest, EndsWhileWorkersAreBusy) {
  options_.threads = 3;
  for (int i = 0; i < 20; ++i) {
    Loader loader(data_, options_);
    loader.BeginEpoch(i);
    Batch batch;
    if (i % 2 == 0) loader.Next(&batch);
  }
}

}  // namespace
}  // namespace hot
