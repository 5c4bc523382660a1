// File helpers that turn operating-system failures into hot::Error with the path in front. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hot {

namespace fs = std::filesystem;

// Whole file. Throws kNotFound, or kPermissionDenied, when it can't be read.
std::string ReadFile(const fs::path& path);

// The last line that is not empty, such as the error of a program in its log; "" without one, or without the file. Of
// a line longer than 64 KiB the end.
std::string LastLine(const fs::path& path);

// A file that grows piece by piece in a temporary neighbour; Commit() syncs and renames it, so that a reader sees the
// old bytes or the new ones, never half. Destroyed without Commit(), nothing was written. Throws kResourceExhausted on
// a full disk, kPermissionDenied where it may not write.
class AtomicFile {
 public:
  explicit AtomicFile(const fs::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void Write(std::string_view bytes);
  void Commit();

 private:
  fs::path path_, temporary_;
  int fd_ = -1;  // -1: committed
};

// All at once, by AtomicFile.
void WriteFileAtomic(const fs::path& path, std::string_view bytes);

// Appends one line (adds '\n') with a single write. Same errors as WriteFileAtomic.
void AppendLine(const fs::path& path, std::string_view line);

// Writes `bytes` at `offset` of the file, which is made if it is missing. Same errors as WriteFileAtomic.
void WriteAt(const fs::path& path, uint64_t offset, std::string_view bytes);

// Renames a file within a file system, replacing what is there. Content and new name survive a power cut when it
// returns. Throws kNotFound; same errors as WriteFileAtomic.
void MoveSynced(const fs::path& from, const fs::path& to);

// Makes the folder and its parents. Throws kPermissionDenied or kFailedPrecondition (a file is in the way).
void EnsureFolder(const fs::path& path);

// Regular files directly in `folder`, sorted by name.
std::vector<fs::path> ListFiles(const fs::path& folder);

// Exclusive lock on a file for as long as the object lives; released by the kernel when the process dies.
class FileLock {
 public:
  // Throws kFailedPrecondition when another process still holds it after `patience`.
  explicit FileLock(const fs::path& path, std::chrono::milliseconds patience = {});
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

// A fresh empty folder below the system's temporary folder, removed on destruction.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace hot
