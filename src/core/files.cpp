#include "core/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/error.h"

namespace hot {
namespace {

[[noreturn]] void ThrowErrno(const fs::path& path, const std::string& what, int error) {
  const std::string message = what + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw Error(Code::kResourceExhausted, path.string(), message,
                "free some disk space and run the same command again");
  }
  if (error == EACCES || error == EPERM || error == EROFS) {
    throw Error(Code::kPermissionDenied, path.string(), message, "choose a folder you may write to");
  }
  throw Error(error == ENOENT ? Code::kNotFound : Code::kFailedPrecondition, path.string(), message);
}

constexpr std::streamoff kLastLineBytes = 1 << 16;

void WriteAll(int fd, const fs::path& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowErrno(path, "can't write", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// A file's content, or a folder's names, to the disk.
void Sync(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) ThrowErrno(path, "can't sync", errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) ThrowErrno(path, "can't sync", error);
}

}  // namespace

std::string ReadFile(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw Error(Code::kFailedPrecondition, path.string(), "is a folder, not a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) ThrowErrno(path, "can't read", errno);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

AtomicFile::AtomicFile(const fs::path& path) : path_(path), temporary_(path) {
  temporary_ += ".tmp" + std::to_string(::getpid());
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) ThrowErrno(path_, "can't write", errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::Write(std::string_view bytes) { WriteAll(fd_, path_, bytes); }

void AtomicFile::Commit() {
  if (::fsync(fd_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) ThrowErrno(path_, "can't write", errno);
  ::close(fd_);
  fd_ = -1;
}

void WriteFileAtomic(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.Write(bytes);
  file.Commit();
}

void AppendLine(const fs::path& path, std::string_view line) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) ThrowErrno(path, "can't write", errno);
  const std::string text = std::string(line) + "\n";
  try {
    WriteAll(fd, path, text);
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd);
}

void WriteAt(const fs::path& path, uint64_t offset, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) ThrowErrno(path, "can't write", errno);
  if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) {
    const int error = errno;
    ::close(fd);
    ThrowErrno(path, "can't write", error);
  }
  WriteAll(fd, path, bytes);
  ::close(fd);
}

void MoveSynced(const fs::path& from, const fs::path& to) {
  Sync(from);
  if (::rename(from.c_str(), to.c_str()) != 0) ThrowErrno(to, "can't move a file here", errno);
  Sync(to.has_parent_path() ? to.parent_path() : fs::path("."));
}

std::string LastLine(const fs::path& path) {
  std::ifstream lines(path, std::ios::binary | std::ios::ate);
  const auto bytes = static_cast<std::streamoff>(lines.tellg());
  lines.seekg(std::max(std::streamoff{0}, bytes - kLastLineBytes));
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

void EnsureFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) ThrowErrno(path, "can't make this folder", error.value());
  if (!fs::is_directory(path))
    throw Error(Code::kFailedPrecondition, path.string(), "a file is in the way of this folder");
}

std::vector<fs::path> ListFiles(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (error) ThrowErrno(folder, "can't list this folder", error.value());
  std::sort(files.begin(), files.end());
  return files;
}

FileLock::FileLock(const fs::path& path, std::chrono::milliseconds patience)
    : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (fd_ < 0) ThrowErrno(path, "can't open the lock", errno);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= end) {
      ::close(fd_);
      throw Error(Code::kFailedPrecondition, path.parent_path().string(),
                  "another hot process is working in this folder", "wait for it, or choose another run.folder");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

FileLock::~FileLock() { ::close(fd_); }

TempFolder::TempFolder() {
  std::string pattern = (fs::temp_directory_path() / "hot-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) ThrowErrno(pattern, "can't make a temporary folder", errno);
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace hot
