// Where the files of a job lie in its folder: the client writes and uploads them, the agent lays them out again from
// its store, the job's process reads them there and writes its results beside them, which go back the same way. One
// layout for all of these; no name in it comes from a message, which has roles and hashes only. Knows nothing of what
// is in the files (job_files.h does), so that the agent's own process needs no runtime of a toolchain. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/files.h"
#include "hot/v1/device.pb.h"

namespace hot {

struct JobFile {
  fs::path path;  // within the job's folder: "artifact0/manifest.json"
  std::string sha256;
};

// The files that a request, or a result, names. Throws Error(kInvalidArgument) for a request without a job, a role that
// is missing, twice there or in a wrong place, and a hash that is none.
std::vector<JobFile> FilesOf(const v1::SubmitRequest& request);
std::vector<JobFile> FilesOf(const v1::JobResult& result);
// Of the request's files; throws as FilesOf().
std::vector<std::string> HashesOf(const v1::SubmitRequest& request);

// Folders within the job's: of its network, of artifact `index`, of its results.
inline constexpr const char* kNetworkFolder = "network";
inline constexpr const char* kResultFolder = "result";
fs::path ArtifactFolder(int index);

// What a file of a known role is called: "weights.safetensors".
std::string FileName(v1::FileRole role);

}  // namespace hot
