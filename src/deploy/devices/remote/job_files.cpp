#include "deploy/devices/remote/job_files.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/devices/remote/wire.h"
#include "graph/graph_file.h"
#include "graph/safetensors.h"

namespace hot {
namespace {

using Files = google::protobuf::RepeatedPtrField<v1::File>;

constexpr const char* kModel = "model";  // its usual name depends on the format, which only the manifest says
constexpr const char* kNetworkFolder = "network";
constexpr const char* kResultFolder = "result";

struct RoleName {
  v1::FileRole role;
  const char* name;  // of the file
};
constexpr RoleName kRoles[] = {{v1::FILE_ROLE_MANIFEST, kArtifactManifest},
                               {v1::FILE_ROLE_MODEL, kModel},
                               {v1::FILE_ROLE_REFERENCE, kArtifactReference},
                               {v1::FILE_ROLE_GOLDEN, kArtifactGolden},
                               {v1::FILE_ROLE_GRAPH, "graph.json"},
                               {v1::FILE_ROLE_WEIGHTS, "weights.safetensors"},
                               {v1::FILE_ROLE_QUANTIZATION, "quantization.json"},
                               {v1::FILE_ROLE_INPUTS, "inputs.safetensors"},
                               {v1::FILE_ROLE_OUTPUTS, "outputs.safetensors"}};

std::string FileName(v1::FileRole role) {
  const auto* found = std::ranges::find(kRoles, role, &RoleName::role);
  HOT_ASSERT(found != std::end(kRoles));
  return found->name;
}

std::string RoleText(v1::FileRole role) {
  const auto* found = std::ranges::find(kRoles, role, &RoleName::role);
  return found == std::end(kRoles) ? "role " + std::to_string(role) : found->name;
}

fs::path ArtifactFolder(int index) { return "artifact" + std::to_string(index); }

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

bool IsSha256(const std::string& text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::ranges::all_of(text, hex);
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
  CheckProfileCount(static_cast<size_t>(job.artifacts_size()), "profile");
  for (int i = 0; i < job.artifacts_size(); ++i)
    Append(job.artifacts(i).files(), ArtifactFolder(i), ArtifactRoles(), to);
}

void AppendRun(const v1::RunJob& job, std::vector<JobFile>& to) {
  Append(job.artifact().files(), ArtifactFolder(0), ArtifactRoles(), to);
  AppendOne(job.inputs(), "", v1::FILE_ROLE_INPUTS, to);
}

v1::File FileMessage(const fs::path& folder, v1::FileRole role) {
  v1::File file;
  file.set_role(role);
  file.set_sha256(Sha256File(folder / FileName(role)));
  return file;
}

// An artifact's files, written below `folder`.
v1::Artifact WriteParts(const fs::path& folder, const Artifact& artifact) {
  WriteArtifact(folder, artifact, kModel);
  v1::Artifact message;
  for (const v1::FileRole role : ArtifactRoles().needed) *message.add_files() = FileMessage(folder, role);
  if (!artifact.reference.empty()) *message.add_files() = FileMessage(folder, v1::FILE_ROLE_REFERENCE);
  return message;
}

v1::File WriteTensors(const fs::path& folder, v1::FileRole role, std::span<const std::vector<Tensor>> pictures) {
  Weights tensors;
  for (size_t i = 0; i < pictures.size(); ++i) {
    for (size_t k = 0; k < pictures[i].size(); ++k)
      tensors[std::to_string(i) + "." + std::to_string(k)] = pictures[i][k];
  }
  EnsureFolder(folder);
  WriteSafetensors(folder / FileName(role), tensors);
  return FileMessage(folder, role);
}

// "0.0", "0.1", "1.0": picture, input. What is named otherwise is not ours.
std::vector<std::vector<Tensor>> ReadTensors(const fs::path& file) {
  Weights tensors = ReadSafetensors(file);
  std::vector<std::vector<Tensor>> pictures;
  size_t taken = 0;
  const auto find = [&](size_t picture, size_t input) {
    return tensors.find(std::to_string(picture) + "." + std::to_string(input));
  };
  for (size_t i = 0; find(i, 0) != tensors.end(); ++i) {
    std::vector<Tensor>& picture = pictures.emplace_back();
    for (auto found = find(i, 0); found != tensors.end(); found = find(i, picture.size()))
      picture.push_back(std::move(found->second));
    taken += picture.size();
  }
  if (taken != tensors.size() || pictures.empty())
    throw Error(Code::kInvalidArgument, file.string(), "expected tensors 0.0, 0.1, 1.0 and so on: picture, input");
  return pictures;
}

}  // namespace

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

std::vector<JobFile> FilesOf(const v1::JobResult& result) {
  std::vector<JobFile> files;
  if (result.has_artifact()) Append(result.artifact().files(), kResultFolder, ArtifactRoles(), files);
  if (result.has_run()) AppendOne(result.run().outputs(), kResultFolder, v1::FILE_ROLE_OUTPUTS, files);
  return files;
}

v1::SubmitRequest WriteCompileJob(const fs::path& folder, std::string_view toolchain, const CompileRequest& request) {
  v1::SubmitRequest message;
  message.set_threads(request.threads);
  v1::CompileJob& job = *message.mutable_compile();
  job.set_toolchain(std::string(toolchain));
  job.set_precision(PrecisionName(request.precision));
  job.set_int8_borders(request.int8_borders);
  job.set_timing_only(request.timing_only);
  job.set_graph_key(request.graph_key);
  const fs::path network = folder / kNetworkFolder;
  EnsureFolder(network);
  WriteFileAtomic(network / FileName(v1::FILE_ROLE_GRAPH), ToJson(request.network.graph));
  WriteSafetensors(network / FileName(v1::FILE_ROLE_WEIGHTS), request.network.weights);
  for (const v1::FileRole role : NetworkRoles().needed) *job.add_network() = FileMessage(network, role);
  if (request.quantization != nullptr) {
    WriteFileAtomic(network / FileName(v1::FILE_ROLE_QUANTIZATION), ToJson(*request.quantization));
    *job.add_network() = FileMessage(network, v1::FILE_ROLE_QUANTIZATION);
  }
  std::vector<std::vector<Tensor>> golden;
  for (const Tensor& input : request.golden_inputs) golden.push_back({input});
  if (!golden.empty()) *job.add_golden_inputs() = WriteTensors(folder, v1::FILE_ROLE_INPUTS, golden);
  return message;
}

v1::SubmitRequest WriteProfileJob(const fs::path& folder, std::span<const Artifact* const> artifacts,
                                  const MeasureOptions& options, double reference_canary_ns) {
  v1::SubmitRequest message;
  v1::ProfileJob& job = *message.mutable_profile();
  for (size_t i = 0; i < artifacts.size(); ++i)
    *job.add_artifacts() = WriteParts(folder / ArtifactFolder(static_cast<int>(i)), *artifacts[i]);
  *job.mutable_options() = ToProto(options);
  job.set_reference_canary_ns(reference_canary_ns);
  return message;
}

v1::SubmitRequest WriteRunJob(const fs::path& folder, const Artifact& artifact,
                              std::span<const std::vector<Tensor>> pictures) {
  v1::SubmitRequest message;
  v1::RunJob& job = *message.mutable_run();
  *job.mutable_artifact() = WriteParts(folder / ArtifactFolder(0), artifact);
  *job.mutable_inputs() = WriteTensors(folder, v1::FILE_ROLE_INPUTS, pictures);
  return message;
}

NetworkToCompile ReadNetwork(const fs::path& folder, const v1::CompileJob& job) {
  const fs::path network = folder / kNetworkFolder, weights = network / FileName(v1::FILE_ROLE_WEIGHTS);
  NetworkToCompile read;
  read.network.graph = ReadGraph(network / FileName(v1::FILE_ROLE_GRAPH));
  read.network.weights = ReadSafetensors(weights);
  CheckWeights(read.network.graph, read.network.weights, weights.string());
  const auto is_quantization = [](const v1::File& file) { return file.role() == v1::FILE_ROLE_QUANTIZATION; };
  if (std::ranges::any_of(job.network(), is_quantization))
    read.quantization = ReadQuantization(network / FileName(v1::FILE_ROLE_QUANTIZATION));
  if (job.golden_inputs().empty()) return read;
  for (std::vector<Tensor>& picture : ReadPictures(folder)) read.golden_inputs.push_back(std::move(picture[0]));
  return read;
}

Artifact ReadJobArtifact(const fs::path& folder, int index) {
  return ReadArtifact(folder / ArtifactFolder(index), kModel);
}

std::vector<std::vector<Tensor>> ReadPictures(const fs::path& folder) {
  return ReadTensors(folder / FileName(v1::FILE_ROLE_INPUTS));
}

v1::Artifact WriteCompiled(const fs::path& folder, const Artifact& artifact) {
  return WriteParts(folder / kResultFolder, artifact);
}

Artifact ReadCompiled(const fs::path& folder) { return ReadArtifact(folder / kResultFolder, kModel); }

v1::File WriteOutputs(const fs::path& folder, std::span<const std::vector<Tensor>> outputs) {
  return WriteTensors(folder / kResultFolder, v1::FILE_ROLE_OUTPUTS, outputs);
}

std::vector<std::vector<Tensor>> ReadOutputs(const fs::path& folder) {
  return ReadTensors(folder / kResultFolder / FileName(v1::FILE_ROLE_OUTPUTS));
}

}  // namespace hot
