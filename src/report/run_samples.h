// Puts the small test pictures of a run folder into samples.json's data, so that the report stays one file. Called by
// ReadRunData. Thread rule: stateless.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/files.h"

namespace hot {

// RFC 4648, section 4.
std::string Base64(std::string_view bytes);

// Adds "data", a data: address, to each of samples.json's pictures whose file is there. Only JPEGs in the run folder's
// samples/, and of 1 MiB in all: the report is to be sent by mail.
void EmbedPictures(const fs::path& run_folder, nlohmann::ordered_json& samples);

}  // namespace hot
