// Learning curves of trials (docs/formats/run.md): read for the report when they are whole, and for the dashboard while
// they grow. Stateless.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/files.h"

namespace hot {

// {"epoch": [...], "loss": [...], "val": [... or null]} of an epochs.jsonl, thinned to at most 200 points and all of
// validation (the last epoch stays). A last line without its end, which a kill cut off or which is being written, is
// left out. Throws Error(kDataLoss) with the line in front.
nlohmann::ordered_json ReadCurve(const fs::path& path);

// The file's time and size, which another content would not have; "" without the file.
std::string FileStamp(const fs::path& path);

// Json::parse of a file's text, or of a part of it. Throws Error(kDataLoss) where it is nested so deep that copies of
// it would use up the stack.
nlohmann::ordered_json ParseFileText(const fs::path& path, std::string_view text, const char* hint,
                                     bool allow_exceptions);

}  // namespace hot
