// The report: one self-contained HTML file from what a run folder holds (docs/formats/run.md). Called by `hot report`
// and at the end of `hot optimize`. Stages that have not run are named in the place of their section. Thread rule:
// stateless.
#pragma once

#include "core/context.h"
#include "core/files.h"

namespace hot {

// Writes run_folder/report.html. Throws Error(kNotFound) when there is no study.json, kDataLoss with the file (and
// line) in front when a file is no JSON or of a version that is not known, and what WriteFileAtomic throws.
void WriteReport(const fs::path& run_folder, const Context& context);

}  // namespace hot
