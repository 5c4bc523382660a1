#include "models/pretrained/tensor_file.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "graph/safetensors.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormats =
    "known: safetensors, PyTorch state dicts (.pt, .pth), weights.bin with manifest.json; docs/pretrained.md";

Tensor PlainTensor(const std::string& where, const Json& entry, std::string_view blob) {
  const std::string name = entry.at("name");
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto offset = entry.at("offset").get<uint64_t>(), bytes = entry.at("bytes").get<uint64_t>();
  uint64_t expected = sizeof(float);
  for (int64_t side : shape) {
    if (side < 0 || (side > 0 && expected > blob.size() / static_cast<uint64_t>(side))) expected = blob.size() + 1;
    if (expected > blob.size()) break;
    expected *= static_cast<uint64_t>(side);
  }
  if (bytes != expected || offset > blob.size() || blob.size() - offset < bytes) {
    throw Error(Code::kDataLoss, where, name + " does not fit its place in weights.bin");
  }
  Tensor tensor(shape);
  if (bytes > 0) std::memcpy(tensor.data.data(), blob.data() + offset, bytes);
  return tensor;
}

// The manifest of a plain layout, or `path` itself.
fs::path FileOf(const fs::path& path) { return fs::is_directory(path) ? path / "manifest.json" : path; }

[[noreturn]] void RefuseKind(const fs::path& file, std::string_view bytes) {
  const bool hdf5 = bytes.starts_with("\x89HDF");
  throw Error(Code::kInvalidArgument, file.string(),
              hdf5 ? "is HDF5 (Keras), which is not read" : "is no file of weights", kFormats);
}

// 8 bytes of size, then '{'.
bool IsSafetensors(std::string_view bytes) { return bytes.size() > 8 && bytes[8] == '{'; }

}  // namespace

TensorFile ReadPlainFile(const fs::path& manifest) {
  const fs::path blob_file = manifest.parent_path() / "weights.bin";
  const std::string text = ReadFile(manifest), blob = ReadFile(blob_file);
  TensorFile file;
  try {
    const Json json = Json::parse(text);
    if (json.contains("sha256") && json.at("sha256") != Sha256Hex(blob)) {
      throw Error(Code::kDataLoss, blob_file.string(), "its SHA-256 is not the manifest's");
    }
    for (const Json& entry : json.at("tensors")) {
      file.tensors[entry.at("name")] = PlainTensor(manifest.string(), entry, blob);
    }
    if (json.contains("bn_eps")) file.metadata["bn_eps"] = Json(json.at("bn_eps").get<double>()).dump();
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, manifest.string(), std::string("is no manifest of weights: ") + error.what(),
                kFormats);
  }
  return file;
}

TensorFile ReadTensorFile(const fs::path& path) {
  const fs::path file = FileOf(path);
  if (file.extension() == ".json") return ReadPlainFile(file);
  const std::string bytes = ReadFile(file);
  if (bytes.starts_with("PK") || bytes.starts_with("\x80\x02")) {
    return {.tensors = ReadTorchFile(bytes, file.string()), .metadata = {}};
  }
  if (!IsSafetensors(bytes)) RefuseKind(file, bytes);
  TensorFile read;
  read.tensors = ParseSafetensors(bytes, file.string(), &read.metadata);
  return read;
}

std::string TensorFileKey(const fs::path& path) {
  const fs::path file = FileOf(path);
  if (file.extension() != ".json") return Sha256File(file);
  return Sha256Hex(Sha256File(file) + Sha256File(file.parent_path() / "weights.bin"));
}

}  // namespace hot
