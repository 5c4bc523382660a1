// What the process of one job does (`hot serve-job FOLDER`): reads the request that the agent laid out, compiles,
// measures or runs, and leaves result or error beside it. It may crash, hang or eat memory: that is why it is a process
// of its own, watched by job_process.h. Thread rule: once a process.
#pragma once

#include <cstdint>
#include <memory>

#include "core/context.h"
#include "core/files.h"

namespace hot::server {

struct ProcessLimits {
  uint64_t memory_bytes = 0;  // of address space beyond what the program itself takes; 0: no limit
  uint64_t file_bytes = 0;    // of any one file that it writes; 0: no limit
};

// Limits this process and whatever it starts: memory, sizes of files, no core dumps; should the system run out of
// memory, this process goes first. Sanitizers need all address space there is, so that programs built with them have no
// limit of memory here (the agent watches what they really use).
void LimitProcess(const ProcessLimits& limits);

// Writes "progress DONE TOTAL NOTE" lines to standard output, at most two a second. Never waits for a reader.
std::unique_ptr<Progress> MakeLineProgress(const Clock& clock);

// Loads what every job needs, so that it is there when the job comes. Failures are the job's to report.
void WarmUpRuntimes();

// Runs the job in `folder` (empty: the working directory; errors then name files as the client knows them). Returns
// what the process is to end with: 0, or ExitCode() of the error that was written. Throws only when the folder can't be
// written to.
int RunJob(const fs::path& folder, const Context& context);

}  // namespace hot::server
