// A job's folder on the agent: laid out from the blob store before the job starts, read by the job's process, which
// leaves its result or its error there, and read again when that has ended. What a job's process wrote is not trusted.
// Thread-safe on different folders.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "deploy/devices/remote/job_layout.h"
#include "hot/v1/device.pb.h"

namespace hot::server {

// Writes the request and links its files, which `blob_path` finds by hash, to their places (job_layout.h). Throws what
// `blob_path` and the file system do.
void LayOutJob(const fs::path& folder, const v1::SubmitRequest& request,
               const std::function<fs::path(const std::string& sha256)>& blob_path);

// For the job's process.
v1::SubmitRequest ReadJobRequest(const fs::path& folder);
void WriteJobResult(const fs::path& folder, const v1::JobResult& result);
void WriteJobError(const fs::path& folder, const Error& error);

// What a job's process left behind. Throws the error that it wrote; kInternal when it wrote neither error nor result,
// or none that can be read.
v1::JobResult ReadJobResult(const fs::path& folder);

bool HasJobError(const fs::path& folder);
// The files that the result names, with their places in the file system. Throws kInternal where one is not there, or
// only a link to another place.
std::vector<JobFile> ResultFiles(const fs::path& folder, const v1::JobResult& result);

// Text from a job's process for messages: one line of UTF-8, at most `most` bytes.
std::string CleanLine(std::string_view text, size_t most);

}  // namespace hot::server
