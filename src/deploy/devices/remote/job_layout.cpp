#include "deploy/devices/remote/job_layout.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/hash.h"

namespace hot {
namespace {

using Files = google::protobuf::RepeatedPtrField<v1::File>;

struct RoleName {
  v1::FileRole role;
  const char* name;  // of the file
};
// Those of an artifact's are the usual ones (docs/formats/artifact.md), but for the model's: that one depends on its
// format, which only the manifest says.
constexpr RoleName kRoles[] = {{v1::FILE_ROLE_MANIFEST, "manifest.json"},
                               {v1::FILE_ROLE_MODEL, "model"},
                               {v1::FILE_ROLE_REFERENCE, "model.tflite"},
                               {v1::FILE_ROLE_GOLDEN, "golden.safetensors"},
                               {v1::FILE_ROLE_GRAPH, "graph.json"},
                               {v1::FILE_ROLE_WEIGHTS, "weights.safetensors"},
                               {v1::FILE_ROLE_QUANTIZATION, "quantization.json"},
                               {v1::FILE_ROLE_INPUTS, "inputs.safetensors"},
                               {v1::FILE_ROLE_OUTPUTS, "outputs.safetensors"}};

std::string RoleText(v1::FileRole role) {
  const auto* found = std::ranges::find(kRoles, role, &RoleName::role);
  return found == std::end(kRoles) ? "role " + std::to_string(role) : found->name;
}

// What belongs in one folder.
struct RoleSet {
  std::vector<v1::FileRole> needed, optional;
};
const RoleSet& ArtifactRoles() {
  static const RoleSet roles{{v1::FILE_ROLE_MANIFEST, v1::FILE_ROLE_MODEL, v1::FILE_ROLE_GOLDEN},
                             {v1::FILE_ROLE_REFERENCE}};
  return roles;
}
const RoleSet& NetworkRoles() {
  static const RoleSet roles{{v1::FILE_ROLE_GRAPH, v1::FILE_ROLE_WEIGHTS}, {v1::FILE_ROLE_QUANTIZATION}};
  return roles;
}

[[noreturn]] void BadFiles(const fs::path& folder, const std::string& why) {
  throw Error(Code::kInvalidArgument, folder.empty() ? "request" : folder.string(), why);
}

// Appends `files`, which must be those of `roles`, each once.
void Append(const Files& files, const fs::path& folder, const RoleSet& roles, std::vector<JobFile>& to) {
  std::vector<v1::FileRole> seen;
  for (const v1::File& file : files) {
    const v1::FileRole role = file.role();
    if (std::ranges::count(roles.needed, role) + std::ranges::count(roles.optional, role) == 0)
      BadFiles(folder, "has no place for " + RoleText(role));
    if (std::ranges::count(seen, role) != 0) BadFiles(folder, "has " + RoleText(role) + " twice");
    if (!IsSha256(file.sha256()))
      BadFiles(folder, "the hash of " + RoleText(role) + " is no SHA-256 in lower-case hex");
    seen.push_back(role);
    to.push_back({.path = folder / FileName(role), .sha256 = file.sha256()});
  }
  for (const v1::FileRole role : roles.needed) {
    if (std::ranges::count(seen, role) == 0) BadFiles(folder, "lacks " + RoleText(role));
  }
}

void AppendOne(const v1::File& file, const fs::path& folder, v1::FileRole role, std::vector<JobFile>& to) {
  Files files;
  *files.Add() = file;
  Append(files, folder, {.needed = {role}, .optional = {}}, to);
}

void AppendCompile(const v1::CompileJob& job, std::vector<JobFile>& to) {
  Append(job.network(), kNetworkFolder, NetworkRoles(), to);
  const RoleSet inputs{.needed = {}, .optional = {v1::FILE_ROLE_INPUTS}};
  Append(job.golden_inputs(), "", inputs, to);
}

void AppendProfile(const v1::ProfileJob& job, std::vector<JobFile>& to) {
  for (int i = 0; i < job.artifacts_size(); ++i)
    Append(job.artifacts(i).files(), ArtifactFolder(i), ArtifactRoles(), to);
}

void AppendRun(const v1::RunJob& job, std::vector<JobFile>& to) {
  Append(job.artifact().files(), ArtifactFolder(0), ArtifactRoles(), to);
  AppendOne(job.inputs(), "", v1::FILE_ROLE_INPUTS, to);
}

}  // namespace

fs::path ArtifactFolder(int index) { return "artifact" + std::to_string(index); }

std::string FileName(v1::FileRole role) {
  const auto* found = std::ranges::find(kRoles, role, &RoleName::role);
  HOT_ASSERT(found != std::end(kRoles));
  return found->name;
}

std::vector<JobFile> FilesOf(const v1::SubmitRequest& request) {
  std::vector<JobFile> files;
  switch (request.job_case()) {
    case v1::SubmitRequest::kCompile:
      AppendCompile(request.compile(), files);
      break;
    case v1::SubmitRequest::kProfile:
      AppendProfile(request.profile(), files);
      break;
    case v1::SubmitRequest::kRun:
      AppendRun(request.run(), files);
      break;
    case v1::SubmitRequest::JOB_NOT_SET:
      throw Error(Code::kInvalidArgument, "request", "it asks for nothing", "compile, profile or run");
  }
  return files;
}

std::vector<std::string> HashesOf(const v1::SubmitRequest& request) {
  std::vector<std::string> hashes;
  for (JobFile& file : FilesOf(request)) hashes.push_back(std::move(file.sha256));
  return hashes;
}

std::vector<JobFile> FilesOf(const v1::JobResult& result) {
  std::vector<JobFile> files;
  if (result.has_artifact()) Append(result.artifact().files(), kResultFolder, ArtifactRoles(), files);
  if (result.has_run()) AppendOne(result.run().outputs(), kResultFolder, v1::FILE_ROLE_OUTPUTS, files);
  return files;
}

}  // namespace hot
