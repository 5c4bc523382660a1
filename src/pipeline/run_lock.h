// The lock of a run folder: one process works there at a time, and others can tell whether one does. The kernel
// releases it with the process, so it is never left behind. Stateless.
#pragma once

#include <memory>

#include "core/files.h"

namespace hot {

// Makes the folder. Throws Error(kFailedPrecondition) when another process works there.
std::unique_ptr<FileLock> LockRun(const fs::path& run_folder);

// Whether a process has that lock; false without the folder. To look it takes a shared lock for a moment, which LockRun
// waits for.
bool IsRunLocked(const fs::path& run_folder);

}  // namespace hot
