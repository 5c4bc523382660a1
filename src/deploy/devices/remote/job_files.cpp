#include "deploy/devices/remote/job_files.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/devices/remote/measure_options.h"
#include "deploy/devices/remote/wire.h"
#include "graph/graph_file.h"
#include "graph/safetensors.h"

namespace hot {
namespace {

v1::File FileMessage(const fs::path& folder, v1::FileRole role) {
  v1::File file;
  file.set_role(role);
  file.set_sha256(Sha256File(folder / FileName(role)));
  return file;
}

// An artifact's files, written below `folder`.
v1::Artifact WriteParts(const fs::path& folder, const Artifact& artifact) {
  WriteArtifact(folder, artifact, FileName(v1::FILE_ROLE_MODEL));
  v1::Artifact message;
  for (const v1::FileRole role : {v1::FILE_ROLE_MANIFEST, v1::FILE_ROLE_MODEL, v1::FILE_ROLE_GOLDEN})
    *message.add_files() = FileMessage(folder, role);
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
  if (taken != tensors.size())
    throw Error(Code::kInvalidArgument, file.string(), "expected tensors 0.0, 0.1, 1.0 and so on: picture, input");
  return pictures;
}

}  // namespace

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
  for (const v1::FileRole role : {v1::FILE_ROLE_GRAPH, v1::FILE_ROLE_WEIGHTS})
    *job.add_network() = FileMessage(network, role);
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
  return ReadArtifact(folder / ArtifactFolder(index), FileName(v1::FILE_ROLE_MODEL));
}

std::vector<std::vector<Tensor>> ReadPictures(const fs::path& folder) {
  return ReadTensors(folder / FileName(v1::FILE_ROLE_INPUTS));
}

v1::Artifact WriteCompiled(const fs::path& folder, const Artifact& artifact) {
  return WriteParts(folder / kResultFolder, artifact);
}

Artifact ReadCompiled(const fs::path& folder) {
  return ReadArtifact(folder / kResultFolder, FileName(v1::FILE_ROLE_MODEL));
}

v1::File WriteOutputs(const fs::path& folder, std::span<const std::vector<Tensor>> outputs) {
  return WriteTensors(folder / kResultFolder, v1::FILE_ROLE_OUTPUTS, outputs);
}

std::vector<std::vector<Tensor>> ReadOutputs(const fs::path& folder) {
  return ReadTensors(folder / kResultFolder / FileName(v1::FILE_ROLE_OUTPUTS));
}

}  // namespace hot
