// A JSON object from a file that a person may have touched: run folders and bundles, read without a workspace.
// Stateless.
#pragma once

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace hot {

// Throws Error(kNotFound) with `hint` when the file is missing, kDataLoss when it is no JSON object.
inline nlohmann::ordered_json ReadJsonObject(const fs::path& file, const char* hint) {
  if (!fs::exists(file)) throw Error(Code::kNotFound, file.string(), "does not exist", hint);
  auto json = nlohmann::ordered_json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw Error(Code::kDataLoss, file.string(), "is broken: it holds no JSON object");
  return json;
}

}  // namespace hot
