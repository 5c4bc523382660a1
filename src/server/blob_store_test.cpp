// Uploads that break off, lie, meet and do not fit; what stays and what goes when the store is full; restarts.
#include "server/blob_store.h"

#include <memory>

#include "core/hash.h"
#include "gmock/gmock.h"
#include "server/testing/server_test.h"

namespace hot::server {
namespace {

using testing::HasSubstr;

constexpr BlobOptions kSmall = {.max_blob_bytes = 60, .max_total_bytes = 100, .grace_s = 300};

class BlobStoreTest : public testing::Test {
 protected:
  BlobStoreTest() { Open(); }

  void Open(const BlobOptions& options = kSmall) {
    store_.reset();
    store_ = std::make_unique<BlobStore>(folder_.path() / "blobs", options, clock_);
  }
  // Uploads all of it in one piece; its hash.
  std::string Upload(const std::string& bytes) {
    EXPECT_TRUE(store_->Append(Sha256Hex(bytes), bytes.size(), 0, bytes).whole);
    return Sha256Hex(bytes);
  }
  bool Has(const std::string& sha256) { return FileCount(sha256) == 1 && store_->Find(sha256).whole; }
  int FileCount(const std::string& sha256) {
    return fs::exists(folder_.path() / "blobs/whole" / sha256) + fs::exists(folder_.path() / "blobs/part" / sha256);
  }
  fs::path File(const std::string& bytes) {
    const fs::path file = folder_.path() / "output";
    WriteFileAtomic(file, bytes);
    return file;
  }

  TempFolder folder_;
  FakeClock clock_;
  std::unique_ptr<BlobStore> store_;
  const std::string bytes_ = "the bytes of a model";
  const std::string sha256_ = Sha256Hex(bytes_);
};

TEST_F(BlobStoreTest, PiecesMakeAWholeBlob) {
  EXPECT_FALSE(store_->Find(sha256_).whole);
  EXPECT_EQ(store_->Append(sha256_, bytes_.size(), 0, "").received, 0u) << "announced only";
  EXPECT_EQ(store_->Append(sha256_, bytes_.size(), 0, bytes_.substr(0, 5)).received, 5u);
  EXPECT_EQ(FailureCode([&] { store_->Path(sha256_); }), Code::kNotFound) << "half a blob is none";
  EXPECT_EQ(store_->Find(sha256_).received, 5u);
  const BlobInfo info = store_->Append(sha256_, bytes_.size(), 5, bytes_.substr(5));
  EXPECT_TRUE(info.whole);
  EXPECT_EQ(info.received, bytes_.size());
  EXPECT_EQ(ReadFile(store_->Path(sha256_)), bytes_);
  EXPECT_EQ(fs::status(store_->Path(sha256_)).permissions() & fs::perms(0222), fs::perms::none);
  EXPECT_EQ(store_->UsedBytes(), bytes_.size());
  EXPECT_TRUE(store_->Append(sha256_, bytes_.size(), 0, bytes_).whole) << "again";
  EXPECT_EQ(store_->UsedBytes(), bytes_.size());
}

TEST_F(BlobStoreTest, AnEmptyBlobIsOne) { EXPECT_EQ(ReadFile(store_->Path(Upload(""))), ""); }

TEST_F(BlobStoreTest, AnUploadGoesOnAfterARestart) {
  store_->Append(sha256_, bytes_.size(), 0, bytes_.substr(0, 12));
  Open();
  EXPECT_EQ(store_->Find(sha256_).received, 12u);
  EXPECT_FALSE(store_->Find(sha256_).whole);
  EXPECT_TRUE(store_->Append(sha256_, bytes_.size(), 12, bytes_.substr(12)).whole);
  Open();
  EXPECT_EQ(ReadFile(store_->Path(sha256_)), bytes_);
}

TEST_F(BlobStoreTest, ARestartBeforeTheLastStepLosesNothing) {
  WriteFileAtomic(folder_.path() / "blobs/part" / sha256_, bytes_);  // all is here, but it was not renamed
  Open();
  EXPECT_EQ(store_->Find(sha256_).received, bytes_.size());
  EXPECT_FALSE(store_->Find(sha256_).whole);
  EXPECT_TRUE(store_->Append(sha256_, bytes_.size(), bytes_.size(), "").whole);
}

TEST_F(BlobStoreTest, PartsThatAreTooLongBeginAnew) {
  WriteFileAtomic(folder_.path() / "blobs/part" / sha256_, bytes_ + "and more");
  WriteFileAtomic(folder_.path() / "blobs/part" / "notes.txt", "not a blob");
  Open();
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, bytes_.size(), 3, bytes_.substr(3)); }), Code::kOutOfRange);
  EXPECT_TRUE(store_->Append(sha256_, bytes_.size(), 0, bytes_).whole);
  EXPECT_EQ(store_->UsedBytes(), bytes_.size());
}

TEST_F(BlobStoreTest, GapsAndOtherSizesAreRefused) {
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 20, 1, "x"); }), Code::kOutOfRange);
  EXPECT_EQ(store_->UsedBytes(), 0u) << "nothing was reserved";
  store_->Append(sha256_, 20, 0, bytes_.substr(0, 4));
  const Error gap = Failure([&] { store_->Append(sha256_, 20, 6, "x"); });
  EXPECT_EQ(gap.code(), Code::kOutOfRange);
  EXPECT_THAT(gap.what(), HasSubstr("bytes 4 to 6 are missing"));
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 20, 4, std::string(17, 'x')); }), Code::kInvalidArgument);
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 20, 21, ""); }), Code::kInvalidArgument);
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 20, UINT64_MAX, "xx"); }), Code::kInvalidArgument);
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 30, 4, "x"); }), Code::kInvalidArgument);
  EXPECT_EQ(FailureCode([&] { store_->Append(Upload(bytes_ + "!"), 30, 4, "x"); }), Code::kInvalidArgument);
  EXPECT_TRUE(store_->Append(sha256_, 20, 4, bytes_.substr(4)).whole) << "and the upload is as it was";
}

TEST_F(BlobStoreTest, WhatIsKnownIsSkipped) {
  store_->Append(sha256_, 20, 0, bytes_.substr(0, 8));
  EXPECT_EQ(store_->Append(sha256_, 20, 0, bytes_.substr(0, 3)).received, 8u);
  EXPECT_EQ(store_->Append(sha256_, 20, 5, bytes_.substr(5, 6)).received, 11u);
  EXPECT_TRUE(store_->Append(sha256_, 20, 0, bytes_).whole);
  EXPECT_EQ(ReadFile(store_->Path(sha256_)), bytes_);
}

TEST_F(BlobStoreTest, BytesOfAnotherHashAreThrownAway) {
  store_->Append(sha256_, 20, 0, "THE");
  const Error error = Failure([&] { store_->Append(sha256_, 20, 3, bytes_.substr(3)); });
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_EQ(FileCount(sha256_), 0);
  EXPECT_EQ(store_->UsedBytes(), 0u);
  EXPECT_EQ(store_->Find(sha256_).received, 0u);
  Upload(bytes_);
}

TEST_F(BlobStoreTest, OnlyHashesBecomePaths) {
  for (const std::string& bad :
       {std::string("../../etc/passwd"), std::string(), std::string(64, 'G'), sha256_ + "/x"}) {
    const std::string sha256s[] = {bad};
    EXPECT_EQ(FailureCode([&] { store_->Find(bad); }), Code::kInvalidArgument);
    EXPECT_EQ(FailureCode([&] { store_->Append(bad, 1, 0, "x"); }), Code::kInvalidArgument);
    EXPECT_EQ(FailureCode([&] { store_->Path(bad); }), Code::kInvalidArgument);
    EXPECT_EQ(FailureCode([&] { store_->Pin("job", sha256s); }), Code::kInvalidArgument);
  }
}

TEST_F(BlobStoreTest, TooLargeIsRefusedBeforeAByteIsWritten) {
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 61, 0, "x"); }), Code::kResourceExhausted);
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, UINT64_MAX, 0, "x"); }), Code::kResourceExhausted);
  EXPECT_EQ(FileCount(sha256_), 0);
}

TEST_F(BlobStoreTest, TheLongestUnusedMakesRoom) {
  const std::string a = Upload(std::string(40, 'a')), b = Upload(std::string(40, 'b'));
  clock_.Advance(1);
  store_->Path(a);  // b is unused for longer
  EXPECT_EQ(FailureCode([&] { Upload(std::string(40, 'c')); }), Code::kResourceExhausted) << "both are in use";
  EXPECT_TRUE(Has(a) && Has(b));
  clock_.Advance(301);
  store_->Path(a);
  const std::string c = Upload(std::string(40, 'c'));
  EXPECT_TRUE(Has(a) && Has(c));
  EXPECT_EQ(FileCount(b), 0);
  EXPECT_EQ(store_->UsedBytes(), 80u);
}

TEST_F(BlobStoreTest, NothingGoesWhenItWouldNotBeEnough) {
  const std::string a = Upload(std::string(40, 'a')), b = Upload(std::string(40, 'b'));
  clock_.Advance(301);
  store_->Pin("job", std::span(&a, 1));
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 61, 0, ""); }), Code::kResourceExhausted);
  Open({.max_blob_bytes = 100, .max_total_bytes = 100});
  store_->Pin("job", std::span(&a, 1));
  EXPECT_EQ(FailureCode([&] { store_->Append(sha256_, 70, 0, ""); }), Code::kResourceExhausted);
  EXPECT_TRUE(Has(a) && Has(b));
}

TEST_F(BlobStoreTest, UploadsUnderWayHaveTheirRoom) {
  store_->Append(sha256_, 60, 0, "x");
  EXPECT_EQ(store_->UsedBytes(), 60u);
  EXPECT_EQ(FailureCode([&] { Upload(std::string(41, 'a')); }), Code::kResourceExhausted);
  clock_.Advance(301);  // it was given up
  Upload(std::string(41, 'a'));
  EXPECT_EQ(store_->Find(sha256_).received, 0u);
  EXPECT_EQ(FileCount(sha256_), 0);
}

TEST_F(BlobStoreTest, PinnedBlobsStay) {
  const std::vector<std::string> both = {Upload(std::string(40, 'a')), Upload(std::string(40, 'b'))};
  store_->Pin("job 1", both);
  store_->Pin("job 1", both);
  store_->Pin("job 2", std::span(both).first(1));
  clock_.Advance(301);
  EXPECT_EQ(FailureCode([&] { Upload(std::string(40, 'c')); }), Code::kResourceExhausted);
  store_->Unpin("job 1");
  store_->Unpin("job 1");
  clock_.Advance(301);
  const std::string c = Upload(std::string(40, 'c'));
  EXPECT_TRUE(Has(both[0])) << "job 2 has it";
  EXPECT_FALSE(Has(both[1]));
  store_->Unpin("job 2");
  clock_.Advance(301);
  store_->Path(c);
  Upload(std::string(50, 'd'));
  EXPECT_FALSE(Has(both[0]));
}

TEST_F(BlobStoreTest, PinIsAllOrNothing) {
  const std::vector<std::string> sha256s = {Upload(std::string(40, 'a')), sha256_};
  store_->Append(sha256_, 20, 0, "half");
  const Error error = Failure([&] { store_->Pin("job", sha256s); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr(sha256_));
  EXPECT_THAT(error.what(), testing::Not(HasSubstr(sha256s[0])));
  clock_.Advance(301);
  Upload(std::string(60, 'b'));
  Upload(std::string(40, 'c'));
  EXPECT_FALSE(Has(sha256s[0])) << "it was not pinned";
}

TEST_F(BlobStoreTest, TheOrderOfUsesSurvivesARestart) {
  const std::string a = Upload(std::string(40, 'a')), b = Upload(std::string(40, 'b'));
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(store_->Path(b), now - std::chrono::hours(1));
  fs::last_write_time(store_->Path(a), now - std::chrono::hours(2));
  fs::last_write_time(folder_.path() / "blobs/whole" / b, now - std::chrono::hours(1));
  Open();
  EXPECT_EQ(store_->UsedBytes(), 80u);
  Upload(std::string(40, 'c'));
  EXPECT_FALSE(Has(a));
  EXPECT_TRUE(Has(b));
}

TEST_F(BlobStoreTest, AnOutputIsAdopted) {
  const std::string sha256 = store_->Adopt(File(bytes_));
  EXPECT_EQ(sha256, sha256_);
  EXPECT_FALSE(fs::exists(folder_.path() / "output"));
  EXPECT_EQ(ReadFile(store_->Path(sha256)), bytes_);
  EXPECT_EQ(store_->Adopt(File(bytes_)), sha256) << "the same again";
  EXPECT_FALSE(fs::exists(folder_.path() / "output"));
  EXPECT_EQ(store_->UsedBytes(), 20u);

  const std::string other = "another output";
  store_->Append(Sha256Hex(other), other.size(), 0, "ano");  // a client is uploading it
  store_->Adopt(File(other));
  EXPECT_EQ(FileCount(Sha256Hex(other)), 1);
  EXPECT_TRUE(store_->Append(Sha256Hex(other), other.size(), 3, "ther").whole);

  EXPECT_EQ(FailureCode([&] { store_->Adopt(folder_.path() / "none"); }), Code::kNotFound);
  EXPECT_EQ(FailureCode([&] { store_->Adopt(File(std::string(61, 'x'))); }), Code::kResourceExhausted);
}

}  // namespace
}  // namespace hot::server
