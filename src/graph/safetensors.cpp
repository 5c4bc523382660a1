#include "graph/safetensors.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/read_json.h"
#include "graph/element_type.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

size_t Elements(const std::vector<int64_t>& shape) {
  size_t elements = 1;
  for (const int64_t side : shape) elements *= static_cast<size_t>(side);
  return elements;
}

// Throws Error(kDataLoss) for a shape of more than `most` elements, before anything of that size is made.
std::vector<int64_t> ReadShape(const Json& json, size_t most) {
  std::vector<int64_t> shape;
  size_t elements = 1;
  for (const Json& side : json) {
    const auto length = WholeNumber<uint32_t>(side);
    if (length > 0 && elements > most / length) throw Error(Code::kDataLoss, "", "has a tensor larger than the file");
    elements *= length;
    shape.push_back(length);
  }
  return shape;
}

Tensor ReadTensor(const std::string& where, const std::string& name, const Json& entry, std::string_view data) {
  const auto dtype = entry.at("dtype").get<std::string>();  // so that a value nested without end is not printed
  const std::optional<ElementType> type = ParseElementType(dtype);
  if (!type) {
    throw Error(Code::kInvalidArgument, where, name + " has dtype \"" + dtype + "\"", "convert it to F32");
  }
  const auto begin = WholeNumber<size_t>(entry.at("data_offsets").at(0));
  const auto end = WholeNumber<size_t>(entry.at("data_offsets").at(1));
  const std::vector<int64_t> shape = ReadShape(entry.at("shape"), data.size() / ElementBytes(*type));
  if (end > data.size() || begin > end || end - begin != Elements(shape) * ElementBytes(*type)) {
    throw Error(Code::kDataLoss, where, name + " does not fit its offsets");
  }
  Tensor tensor(shape);
  ToFloats(*type, data.data() + begin, tensor.data);
  return tensor;
}

}  // namespace

// Layout: 8 bytes little-endian header size, JSON header, raw data.
Weights ParseSafetensors(std::string_view bytes, const std::string& where, SafetensorsMetadata* metadata) {
  uint64_t header_size = 0;
  if (bytes.size() < sizeof header_size) throw Error(Code::kDataLoss, where, "is not a safetensors file: too short");
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  if (header_size > bytes.size() - sizeof header_size) throw Error(Code::kDataLoss, where, "is cut off in its header");
  try {
    const Json header = Json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(header_size));
    const std::string_view data = bytes.substr(8 + header_size);
    Weights weights;
    return WithPlace(where, [&] {
      for (const auto& [name, entry] : header.items()) {
        if (name != "__metadata__") {
          weights[name] = ReadTensor(where, name, entry, data);
        } else if (metadata != nullptr) {
          *metadata = entry.get<SafetensorsMetadata>();
        }
      }
      return weights;
    });
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kDataLoss, where, std::string("has a broken header: ") + error.what());
  }
}

Weights ReadSafetensors(const fs::path& path, SafetensorsMetadata* metadata) {
  return ParseSafetensors(ReadFile(path), path.string(), metadata);
}

void WriteSafetensors(const fs::path& path, const Weights& weights, const SafetensorsMetadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const auto& [name, tensor] : weights) {
    const size_t bytes = tensor.data.size() * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the format asks for aligned data
  const uint64_t header_size = text.size();
  std::string bytes(reinterpret_cast<const char*>(&header_size), sizeof header_size);
  bytes += text;
  for (const auto& [name, tensor] : weights) {
    bytes.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size() * sizeof(float));
  }
  WriteFileAtomic(path, bytes);
}

}  // namespace hot
