#include "deploy/artifact.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/read_json.h"
#include "core/version.h"
#include "graph/safetensors.h"

namespace hot {
namespace {

using nlohmann::json;

constexpr int kVersion = 2;
constexpr int kMaxDepth = 32;  // of the manifest; ours have 4
constexpr const char* kManifest = "manifest.json";
constexpr const char* kGolden = "golden.safetensors";
constexpr const char* kReference = "model.tflite";

struct FormatName {
  BlobFormat format;
  const char* name;  // in the manifest
  const char* file;
};
constexpr FormatName kFormats[] = {{BlobFormat::kOnnx, "onnx", "model.onnx"},
                                   {BlobFormat::kEthosU, "ethos-u", "model_vela.tflite"},
                                   {BlobFormat::kSharedObject, "shared-object", "model.so"}};

const FormatName& FormatOf(BlobFormat format) {
  const auto* found = std::ranges::find(kFormats, format, &FormatName::format);
  HOT_ASSERT(found != std::end(kFormats));
  return *found;
}

fs::path BlobFile(const fs::path& folder, BlobFormat format, std::string_view name) {
  return folder / (name.empty() ? std::string_view(FormatOf(format).file) : name);
}

BlobFormat ParseFormat(const std::string& name) {
  for (const FormatName& known : kFormats) {
    if (name == known.name) return known.format;
  }
  throw Error(Code::kFailedPrecondition, "", "unknown format \"" + name + "\"", "use the program that wrote it");
}

Weights GoldenTensors(const Artifact& artifact) {
  Weights tensors;
  for (size_t i = 0; i < artifact.golden.size(); ++i) {
    const std::string prefix = std::to_string(i) + ".";
    tensors[prefix + "input"] = artifact.golden[i].input;
    for (size_t k = 0; k < artifact.golden[i].outputs.size(); ++k) {
      tensors[prefix + "output" + std::to_string(k)] = artifact.golden[i].outputs[k];
    }
  }
  return tensors;
}

std::vector<GoldenPair> GoldenPairs(const Weights& tensors, size_t count, size_t outputs) {
  std::vector<GoldenPair> pairs;
  for (size_t i = 0; i < count; ++i) {  // ends at the first that is missing, however large a broken count is
    const std::string prefix = std::to_string(i) + ".";
    GoldenPair& pair = pairs.emplace_back();
    pair.input = tensors.at(prefix + "input");
    for (size_t k = 0; k < outputs; ++k) pair.outputs.push_back(tensors.at(prefix + "output" + std::to_string(k)));
  }
  return pairs;
}

json DeviationsJson(const std::vector<OutputDeviation>& deviations) {
  json list = json::array();
  for (const OutputDeviation& d : deviations)
    list.push_back({{"output", d.output},
                    {"step", d.step},
                    {"max_lsb", d.max_lsb},
                    {"rms_lsb", d.rms_lsb},
                    {"share", d.share},
                    {"noise_lsb", d.noise_lsb}});
  return list;
}

json ToJson(const Artifact& a) {
  json manifest;
  manifest["version"] = kVersion;
  manifest["hot_version"] = kHotVersion;
  manifest["toolchain"] = {{"name", a.toolchain}, {"version", a.toolchain_version}, {"flags", a.flags}};
  manifest["precision"] = a.precision;
  manifest["scheme"] = a.scheme;
  manifest["graph_key"] = a.graph_key;
  manifest["threads"] = a.threads;
  manifest["inputs"] = {{"names", a.input_names}, {"shapes", a.input_shapes}};
  manifest["outputs"] = {{"names", a.output_names}, {"shapes", a.output_shapes}};
  manifest["layer_precisions"] = a.layer_precisions;
  const Preprocessing& p = a.preprocessing;
  manifest["preprocessing"] = {{"width", p.width}, {"height", p.height}, {"mean", p.mean}, {"stddev", p.stddev}};
  manifest["task"] = {
      {"name", a.task}, {"classes", a.classes}, {"keypoints", a.keypoints}, {"options", a.task_options}};
  manifest["deviations"] = DeviationsJson(a.deviations);
  manifest["golden_pairs"] = a.golden.size();
  manifest["format"] = FormatOf(a.format).name;
  if (a.estimate) {
    manifest["estimate"] = {{"latency_ns", a.estimate->latency_ns}, {"peak_bytes", a.estimate->peak_bytes}};
  }
  if (!a.planned_bytes.empty()) manifest["planned_bytes"] = a.planned_bytes;
  return manifest;
}

std::vector<std::vector<int64_t>> Shapes(const json& lists) {
  std::vector<std::vector<int64_t>> shapes;
  for (const json& list : lists) {
    std::vector<int64_t>& shape = shapes.emplace_back();
    for (const json& side : list) shape.push_back(WholeNumber<int64_t>(side));
  }
  return shapes;
}

// What version 2 added.
void AddVersion2(const json& manifest, Artifact& a) {
  a.hot_version = manifest.at("hot_version");
  a.keypoints = manifest.at("task").at("keypoints");
  for (const json& d : manifest.at("deviations")) {
    a.deviations.push_back({.output = d.at("output"),
                            .step = d.at("step"),
                            .max_lsb = d.at("max_lsb"),
                            .rms_lsb = d.at("rms_lsb"),
                            .share = d.at("share"),
                            .noise_lsb = d.at("noise_lsb")});
  }
}

std::map<std::string, int64_t> BytesByMemory(const json& object) {
  std::map<std::string, int64_t> bytes;
  for (const auto& [memory, count] : object.items()) bytes[memory] = WholeNumber<int64_t>(count);
  return bytes;
}

Estimate ParseEstimate(const json& json) {
  return {.latency_ns = json.at("latency_ns"), .peak_bytes = BytesByMemory(json.at("peak_bytes"))};
}

Artifact FromJson(const json& manifest) {
  Artifact a;
  a.version = WholeNumber<int>(manifest.at("version"));
  a.toolchain = manifest.at("toolchain").at("name");
  a.toolchain_version = manifest.at("toolchain").at("version");
  a.flags = manifest.at("toolchain").at("flags");
  a.precision = manifest.at("precision");
  a.scheme = manifest.at("scheme");
  a.graph_key = manifest.at("graph_key");
  a.threads = WholeNumber<int>(manifest.at("threads"));
  a.input_names = manifest.at("inputs").at("names");
  a.input_shapes = Shapes(manifest.at("inputs").at("shapes"));
  a.output_names = manifest.at("outputs").at("names");
  a.output_shapes = Shapes(manifest.at("outputs").at("shapes"));
  a.layer_precisions = manifest.at("layer_precisions");
  const json& p = manifest.at("preprocessing");
  a.preprocessing.width = WholeNumber<int>(p.at("width"));
  a.preprocessing.height = WholeNumber<int>(p.at("height"));
  for (size_t i = 0; i < 3; ++i) {
    a.preprocessing.mean[i] = p.at("mean").at(i);
    a.preprocessing.stddev[i] = p.at("stddev").at(i);
  }
  a.task = manifest.at("task").at("name");
  a.classes = manifest.at("task").at("classes");
  a.task_options = manifest.at("task").at("options");
  a.format = ParseFormat(manifest.value("format", "onnx"));
  if (manifest.contains("estimate")) a.estimate = ParseEstimate(manifest.at("estimate"));
  a.planned_bytes = BytesByMemory(manifest.value("planned_bytes", json::object()));
  if (a.version >= 2) AddVersion2(manifest, a);
  if (a.toolchain_version.empty()) throw Error(Code::kDataLoss, "", "the toolchain has no version");
  return a;
}

[[noreturn]] void Damaged(const fs::path& file, const std::string& why) {
  throw Error(Code::kDataLoss, file.string(), "the artifact is damaged: " + why, "compile it again");
}

std::string ReadPart(const fs::path& file) {
  try {
    return ReadFile(file);
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) Damaged(file, "this file is missing");
    throw;
  }
}

json ReadManifest(const fs::path& file) {
  const json manifest = ParseShallow<json>(
      ReadPart(file), kMaxDepth, [&] { Damaged(file, "nested too deep"); }, /*allow_exceptions=*/false);
  if (!manifest.is_object() || !manifest.contains("version") || !manifest["version"].is_number_integer()) {
    Damaged(file, "not a manifest");
  }
  if (manifest["version"].get<int64_t>() > kVersion) {
    throw Error(Code::kFailedPrecondition, file.string(),
                "version " + manifest["version"].dump() + " is newer than this program reads (" +
                    std::to_string(kVersion) + ")",
                "use the program that wrote it, or a newer one");
  }
  if (manifest["version"].get<int64_t>() < 1) Damaged(file, "no version of ours");
  json content = manifest;
  content.erase("manifest_sha256");
  if (manifest.value("manifest_sha256", json()) != Sha256Hex(content.dump())) Damaged(file, "its hash does not match");
  return manifest;
}

void CheckHash(const fs::path& file, const std::string& bytes, const std::string& expected) {
  if (Sha256Hex(bytes) != expected) Damaged(file, "its hash is not the manifest's");
}

}  // namespace

void WriteArtifact(const fs::path& folder, const Artifact& artifact, std::string_view blob) {
  EnsureFolder(folder);
  std::error_code ignored;
  fs::remove(folder / kManifest, ignored);  // until the new one is there, the folder is no artifact
  WriteFileAtomic(BlobFile(folder, artifact.format, blob), artifact.blob);
  WriteSafetensors(folder / kGolden, GoldenTensors(artifact));
  json manifest = ToJson(artifact);
  manifest["blob_sha256"] = Sha256Hex(artifact.blob);
  if (!artifact.reference.empty()) {
    WriteFileAtomic(folder / kReference, artifact.reference);
    manifest["reference_sha256"] = Sha256Hex(artifact.reference);
  }
  manifest["golden_sha256"] = Sha256File(folder / kGolden);
  manifest["manifest_sha256"] = Sha256Hex(manifest.dump());
  WriteFileAtomic(folder / kManifest, manifest.dump(2) + "\n");
}

Artifact ReadArtifact(const fs::path& folder, std::string_view blob) {
  const fs::path file = folder / kManifest;
  const json manifest = ReadManifest(file);
  try {
    Artifact artifact = WithPlace(file.string(), [&] { return FromJson(manifest); });
    const fs::path blob_file = BlobFile(folder, artifact.format, blob);
    artifact.blob = ReadPart(blob_file);
    artifact.blob_sha256 = manifest.at("blob_sha256");
    CheckHash(blob_file, artifact.blob, artifact.blob_sha256);
    if (manifest.contains("reference_sha256")) {
      artifact.reference = ReadPart(folder / kReference);
      artifact.reference_sha256 = manifest.at("reference_sha256");
      CheckHash(folder / kReference, artifact.reference, artifact.reference_sha256);
    }
    CheckHash(folder / kGolden, ReadPart(folder / kGolden), manifest.at("golden_sha256"));
    const auto pairs = WithPlace(file.string(), [&] { return WholeNumber<size_t>(manifest.at("golden_pairs")); });
    artifact.golden = GoldenPairs(ReadSafetensors(folder / kGolden), pairs, artifact.output_names.size());
    return artifact;
  } catch (const json::exception& error) {
    Damaged(file, error.what());
  } catch (const std::out_of_range&) {
    Damaged(folder / kGolden, "it lacks a tensor");
  }
}

void CheckToolchainVersion(const Artifact& artifact, const std::string& version, const std::string& where) {
  if (artifact.toolchain_version.empty() || artifact.toolchain_version == version) return;
  throw Error(Code::kFailedPrecondition, where,
              "was made by " + artifact.toolchain + " " + artifact.toolchain_version + ", this machine has " + version,
              "compile it again here, or install that version");
}

}  // namespace hot
