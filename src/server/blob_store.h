// Files named by the SHA-256 of their bytes: what clients upload and jobs compute. Uploads are resumed where they broke
// off, also after a restart; a blob appears whole and verified or not at all. When the store is full, blobs that no job
// has pinned make room, the longest unused first. Used by the agent. Thread-safe; files are written outside the lock.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/files.h"

namespace hot::server {

struct BlobOptions {
  uint64_t max_blob_bytes = uint64_t{1} << 30;
  uint64_t max_total_bytes = uint64_t{8} << 30;  // uploads that are under way count with their announced size
  int64_t grace_s = 300;  // what was used so lately is not removed: a client uploads files first and submits then
};

struct BlobInfo {
  bool whole = false;
  uint64_t received = 0;  // bytes that are here; the size when whole
};

// A sha256 that is not 64 of 0-9a-f is kInvalidArgument everywhere: it becomes part of a path.
class BlobStore {
 public:
  // Opens or makes the folder. One process at a time may use it (the agent holds its queue's file). Pins are forgotten.
  BlobStore(const fs::path& folder, const BlobOptions& options, const Clock& clock);

  // Also counts as a use of the blob.
  BlobInfo Find(const std::string& sha256);

  // Adds bytes of a blob of `total` bytes at `offset`; an empty piece is allowed. Bytes that are here already are
  // skipped, so that several clients may upload one blob at the same time and all succeed; the piece that completes it
  // returns whole. Throws kOutOfRange when `offset` lies beyond what has been received; kInvalidArgument when the piece
  // goes beyond `total` or `total` is not what others announced; kResourceExhausted when the blob is too large, the
  // store is full of blobs in use, or the disk is; kDataLoss when the whole has another hash (then all of it is thrown
  // away).
  BlobInfo Append(const std::string& sha256, uint64_t total, uint64_t offset, std::string_view bytes);

  // The file of a whole blob, read-only. It stays there while pinned, and for `grace_s`. Throws kNotFound.
  fs::path Path(const std::string& sha256);

  // Moves a file of the same file system in (its name is gone after) and returns its sha256. Throws kNotFound, and
  // kResourceExhausted as Append.
  std::string Adopt(const fs::path& file);

  // Keeps these blobs until Unpin(owner); adds to what the owner has. All or nothing: throws kNotFound, naming those
  // that are not whole.
  void Pin(const std::string& owner, std::span<const std::string> sha256s);
  void Unpin(const std::string& owner);

  uint64_t UsedBytes() const;

 private:
  struct Blob {
    uint64_t bytes = 0;  // that count: the announced size; after a restart what is here, until it is announced again
    uint64_t received = 0;
    bool announced = false, whole = false;
    bool busy = false;  // a thread is at its file: others wait for changed_, and it is not removed
    int pins = 0;
    uint64_t use = 0;                // order of uses
    std::optional<int64_t> used_ns;  // monotonic; none: not in this process
  };
  class Work;

  void Load();
  void LoadFolder(const char* name, bool whole, std::vector<std::pair<fs::file_time_type, std::string>>& ages);
  Blob* WaitFor(std::unique_lock<std::mutex>& lock, const std::string& sha256);
  uint64_t ReceivedOf(std::unique_lock<std::mutex>& lock, const std::string& sha256, uint64_t total);
  Blob& Reserve(const std::string& sha256, uint64_t bytes);
  bool IsInUse(const Blob& blob) const;
  void MakeRoom(uint64_t bytes, const std::string& stays);
  void Touch(const std::string& sha256, Blob& blob);
  void Remove(const std::string& sha256);
  void Receive(std::unique_lock<std::mutex>& lock, const std::string& sha256, Blob& blob, std::string_view bytes);
  fs::path PathOf(const std::string& sha256, bool whole) const;

  const fs::path folder_;
  const BlobOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Blob> blobs_;
  std::map<std::string, std::set<std::string>> pins_;  // by owner
  uint64_t used_bytes_ = 0, uses_ = 0;
};

}  // namespace hot::server
