// The artifact of a run for the processors of a board that this machine can't run code of. Called by hot export.
// Stateless.
#pragma once

#include <string>

#include "core/files.h"
#include "deploy/artifact.h"

namespace hot {

// `made`, the artifact of network `id` in a run folder, compiled from the same weights and integers for another
// instruction set (CompileTvmFor()). `trial`: the folder of its training. Throws what reading these and compiling
// throw.
Artifact Recompile(const Artifact& made, const fs::path& run, const fs::path& trial, const std::string& id,
                   const std::string& isa);

}  // namespace hot
