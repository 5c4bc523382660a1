// Named tensors on disk in the safetensors format: the weights of a checkpoint, golden pairs. Written as float32; read
// in any number type, as float.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/files.h"
#include "graph/tensor.h"

namespace hot {

using SafetensorsMetadata = std::map<std::string, std::string>;  // the format's "__metadata__"

// Throws Error(kDataLoss) on a broken file, kInvalidArgument on a number type that is none of ElementType.
Weights ReadSafetensors(const fs::path& path, SafetensorsMetadata* metadata = nullptr);
// The same of bytes in memory; `where` is for messages.
Weights ParseSafetensors(std::string_view bytes, const std::string& where, SafetensorsMetadata* metadata = nullptr);
void WriteSafetensors(const fs::path& path, const Weights& weights, const SafetensorsMetadata& metadata = {});

}  // namespace hot
