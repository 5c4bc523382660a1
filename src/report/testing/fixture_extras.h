// Parts of the made-up run folder that not every study has: scores of distilled choices, what the search tells about
// the space, test pictures.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/files.h"

namespace hot {

// search.json's "fronts", "prices", "relaxations".
nlohmann::ordered_json FixtureSearchSpace();

// distill.json.
void WriteFixtureScores(const fs::path& folder, const std::vector<double>& widths);

// samples.json and samples/*.jpg: cells that are discs, and what each network (the baseline first) finds of them.
void WriteFixtureSamples(const fs::path& folder, const std::vector<std::string>& networks);

}  // namespace hot
