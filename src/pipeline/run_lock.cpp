#include "pipeline/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace hot {
namespace {

constexpr std::chrono::milliseconds kPatience{500};  // with those who look

}  // namespace

std::unique_ptr<FileLock> LockRun(const fs::path& run_folder) {
  EnsureFolder(run_folder);
  return std::make_unique<FileLock>(run_folder / "lock", kPatience);
}

bool IsRunLocked(const fs::path& run_folder) {
  const int fd = ::open((run_folder / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return locked;
}

}  // namespace hot
