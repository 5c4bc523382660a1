// A made-up run folder of realistic size and shape (docs/formats/run.md), for tests of the report and for looking at
// it. Numbers come from formulas and a seeded generator: the same on every machine.
#pragma once

#include "core/files.h"

namespace hot {

// Writes all files of a finished study: 2 widths, 2 precisions, 7 slots, 12 candidates, 8 of them trained.
void WriteFixtureRun(const fs::path& folder);

}  // namespace hot
