// A made-up run folder of realistic size and shape (docs/formats/run.md), for tests of the report and for looking at
// it. Numbers come from formulas and a seeded generator: the same on every machine.
#pragma once

#include "core/files.h"

namespace hot {

struct FixtureSize {
  int ranks = 3;    // candidates for each of 2 widths and 2 objectives
  int trained = 2;  // of them
};

// Writes all files of a finished study: 2 widths, 2 precisions, 7 slots, 12 candidates, 8 of them trained. The
// candidates were found by distilled scores, and test pictures were kept.
void WriteFixtureRun(const fs::path& folder, const FixtureSize& size = {});

}  // namespace hot
