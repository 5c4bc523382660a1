#include "server/blob_store.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"

namespace hot::server {
namespace {

void CheckSha256(const std::string& sha256) {
  if (IsSha256(sha256)) return;
  throw Error(Code::kInvalidArgument, "sha256", "expected 64 of 0-9 and a-f");
}

std::string Where(const std::string& sha256) { return "blob " + sha256; }

// Clients and jobs' processes read whole blobs; nobody changes them.
void MakeReadOnly(const fs::path& file) {
  std::error_code ignored;
  fs::permissions(file, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read, ignored);
}

void RemoveFile(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
}

uint64_t FileBytes(const fs::path& file) {
  std::error_code error;
  const uint64_t bytes = fs::file_size(file, error);
  if (error) throw Error(Code::kInternal, file.string(), "can't read its size: " + error.message());
  return bytes;
}

}  // namespace

// Releases the lock for as long as it lives; nobody else touches the blob in between.
class BlobStore::Work {
 public:
  Work(BlobStore& store, std::unique_lock<std::mutex>& lock, Blob& blob) : store_(store), lock_(lock), blob_(blob) {
    blob_.busy = true;
    lock_.unlock();
  }
  ~Work() {
    lock_.lock();
    blob_.busy = false;
    store_.changed_.notify_all();
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

 private:
  BlobStore& store_;
  std::unique_lock<std::mutex>& lock_;
  Blob& blob_;
};

BlobStore::BlobStore(const fs::path& folder, const BlobOptions& options, const Clock& clock)
    : folder_(folder), options_(options), clock_(clock) {
  EnsureFolder(folder_ / "whole");
  EnsureFolder(folder_ / "part");
  Load();
}

fs::path BlobStore::PathOf(const std::string& sha256, bool whole) const {
  return folder_ / (whole ? "whole" : "part") / sha256;
}

void BlobStore::Load() {
  std::vector<std::pair<fs::file_time_type, std::string>> ages;
  LoadFolder("whole", true, ages);
  LoadFolder("part", false, ages);
  std::ranges::sort(ages);
  for (const auto& [age, sha256] : ages) blobs_.at(sha256).use = ++uses_;
}

void BlobStore::LoadFolder(const char* name, bool whole,
                           std::vector<std::pair<fs::file_time_type, std::string>>& ages) {
  for (const fs::path& file : ListFiles(folder_ / name)) {
    const std::string sha256 = file.filename().string();
    if (!IsSha256(sha256)) continue;
    if (blobs_.contains(sha256)) {  // a part of what is whole
      RemoveFile(file);
      continue;
    }
    Blob& blob = blobs_[sha256];
    blob.whole = blob.announced = whole;
    blob.bytes = blob.received = FileBytes(file);
    used_bytes_ += blob.bytes;
    std::error_code ignored;
    ages.emplace_back(fs::last_write_time(file, ignored), sha256);
  }
}

// The blob once no thread is at it; null when there is none.
BlobStore::Blob* BlobStore::WaitFor(std::unique_lock<std::mutex>& lock, const std::string& sha256) {
  while (true) {
    const auto found = blobs_.find(sha256);
    if (found == blobs_.end()) return nullptr;
    if (!found->second.busy) return &found->second;
    changed_.wait(lock);
  }
}

void BlobStore::Touch(const std::string& sha256, Blob& blob) {
  blob.use = ++uses_;
  blob.used_ns = clock_.NowNs();
  std::error_code ignored;  // only tells the next process the order of uses
  if (blob.whole) fs::last_write_time(PathOf(sha256, true), fs::file_time_type::clock::now(), ignored);
}

void BlobStore::Remove(const std::string& sha256) {
  const auto blob = blobs_.find(sha256);
  RemoveFile(PathOf(sha256, blob->second.whole));
  used_bytes_ -= blob->second.bytes;
  blobs_.erase(blob);
}

bool BlobStore::IsInUse(const Blob& blob) const {
  const int64_t lately_ns = clock_.NowNs() - options_.grace_s * 1'000'000'000;
  return blob.busy || blob.pins > 0 || (blob.used_ns && *blob.used_ns > lately_ns);
}

// For `bytes` more of one blob, which itself stays.
void BlobStore::MakeRoom(uint64_t bytes, const std::string& stays) {
  std::vector<std::pair<uint64_t, std::string>> unused;  // by the order of their last uses
  uint64_t unused_bytes = 0;
  for (const auto& [sha256, blob] : blobs_) {
    if (sha256 == stays || IsInUse(blob)) continue;
    unused.emplace_back(blob.use, sha256);
    unused_bytes += blob.bytes;
  }
  if (bytes > options_.max_total_bytes || used_bytes_ - unused_bytes > options_.max_total_bytes - bytes) {
    throw Error(Code::kResourceExhausted, "blob store",
                "is full: " + std::to_string(used_bytes_ - unused_bytes) + " of " +
                    std::to_string(options_.max_total_bytes) + " bytes are in use",
                "try again when jobs have ended");
  }
  std::ranges::sort(unused);
  for (const auto& [use, sha256] : unused) {
    if (used_bytes_ <= options_.max_total_bytes - bytes) return;
    Remove(sha256);
  }
}

// Makes the blob count with `bytes`, as its announced size.
BlobStore::Blob& BlobStore::Reserve(const std::string& sha256, uint64_t bytes) {
  if (bytes > options_.max_blob_bytes) {
    throw Error(Code::kResourceExhausted, Where(sha256),
                "is too large: " + std::to_string(bytes) + " bytes, at most " +
                    std::to_string(options_.max_blob_bytes) + " are allowed");
  }
  const auto found = blobs_.find(sha256);
  const uint64_t before = found == blobs_.end() ? 0 : found->second.bytes;
  if (bytes > before) MakeRoom(bytes - before, sha256);
  Blob& blob = blobs_[sha256];
  used_bytes_ += bytes - before;
  blob.bytes = bytes;
  blob.announced = true;
  Touch(sha256, blob);
  return blob;
}

BlobInfo BlobStore::Find(const std::string& sha256) {
  CheckSha256(sha256);
  const std::scoped_lock lock(mutex_);
  const auto found = blobs_.find(sha256);
  if (found == blobs_.end()) return {};
  Touch(sha256, found->second);
  return {found->second.whole, found->second.received};
}

// Bytes of a blob that is to have `total`, once no other thread is at it.
uint64_t BlobStore::ReceivedOf(std::unique_lock<std::mutex>& lock, const std::string& sha256, uint64_t total) {
  const Blob* blob = WaitFor(lock, sha256);
  if (blob == nullptr) return 0;
  if (blob->announced && blob->bytes != total) {
    throw Error(Code::kInvalidArgument, Where(sha256),
                "has " + std::to_string(blob->bytes) + " bytes, not " + std::to_string(total));
  }
  if (blob->received <= total) return blob->received;
  Remove(sha256);  // left by an upload before a restart
  return 0;
}

// Writes the next bytes; after the last ones the blob is whole.
void BlobStore::Receive(std::unique_lock<std::mutex>& lock, const std::string& sha256, Blob& blob,
                        std::string_view bytes) {
  const fs::path part = PathOf(sha256, false), whole = PathOf(sha256, true);
  const uint64_t begin = blob.received, end = begin + bytes.size();
  std::string actual;
  {
    const bool complete = end == blob.bytes;
    const Work work(*this, lock, blob);
    WriteAt(part, begin, bytes);
    if (complete) actual = Sha256File(part);
    if (actual == sha256) {
      MoveSynced(part, whole);
      MakeReadOnly(whole);
    }
  }
  blob.received = end;
  if (actual.empty()) return;
  if (actual != sha256) {
    Remove(sha256);
    throw Error(Code::kDataLoss, Where(sha256), "what was uploaded has another hash: " + actual,
                "upload it again from the beginning");
  }
  blob.whole = true;
}

BlobInfo BlobStore::Append(const std::string& sha256, uint64_t total, uint64_t offset, std::string_view bytes) {
  CheckSha256(sha256);
  if (offset > total || bytes.size() > total - offset) {
    throw Error(Code::kInvalidArgument, Where(sha256), "more bytes than the " + std::to_string(total) + " announced");
  }
  std::unique_lock lock(mutex_);
  const uint64_t received = ReceivedOf(lock, sha256, total);
  if (offset > received) {
    throw Error(Code::kOutOfRange, Where(sha256),
                "bytes " + std::to_string(received) + " to " + std::to_string(offset) + " are missing",
                "go on where the agent's copy ends");
  }
  Blob& blob = Reserve(sha256, total);
  bytes.remove_prefix(std::min(received - offset, uint64_t{bytes.size()}));
  if (!blob.whole) Receive(lock, sha256, blob, bytes);
  return {blob.whole, blob.received};
}

fs::path BlobStore::Path(const std::string& sha256) {
  CheckSha256(sha256);
  const std::scoped_lock lock(mutex_);
  const auto found = blobs_.find(sha256);
  if (found == blobs_.end() || !found->second.whole) {
    throw Error(Code::kNotFound, Where(sha256), "is not here", "upload it");
  }
  Touch(sha256, found->second);
  return PathOf(sha256, true);
}

std::string BlobStore::Adopt(const fs::path& file) {
  const std::string sha256 = Sha256File(file);
  const fs::path whole = PathOf(sha256, true);
  std::unique_lock lock(mutex_);
  Blob* blob = WaitFor(lock, sha256);
  if (blob != nullptr && blob->whole) {
    RemoveFile(file);
    Touch(sha256, *blob);
    return sha256;
  }
  blob = &Reserve(sha256, FileBytes(file));
  {
    const Work work(*this, lock, *blob);
    MoveSynced(file, whole);
    MakeReadOnly(whole);
    RemoveFile(PathOf(sha256, false));
  }
  blob->received = blob->bytes;
  blob->whole = true;
  return sha256;
}

void BlobStore::Pin(const std::string& owner, std::span<const std::string> sha256s) {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> missing;
  for (const std::string& sha256 : sha256s) {
    CheckSha256(sha256);
    const auto found = blobs_.find(sha256);
    if (found == blobs_.end() || !found->second.whole) missing.push_back(sha256);
  }
  if (!missing.empty()) {
    throw Error(Code::kNotFound, "blobs", "not here: " + JoinNames(missing), "upload them");
  }
  for (const std::string& sha256 : sha256s) {
    Blob& blob = blobs_.at(sha256);
    if (pins_[owner].insert(sha256).second) ++blob.pins;
    Touch(sha256, blob);
  }
}

void BlobStore::Unpin(const std::string& owner) {
  const std::scoped_lock lock(mutex_);
  const auto pins = pins_.extract(owner);
  if (pins.empty()) return;
  for (const std::string& sha256 : pins.mapped()) --blobs_.at(sha256).pins;
}

uint64_t BlobStore::UsedBytes() const {
  const std::scoped_lock lock(mutex_);
  return used_bytes_;
}

}  // namespace hot::server
