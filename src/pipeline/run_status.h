// How far a study is, from its run folder alone: for `hot status` and the dashboard. Reads only and works beside a
// running study; what is half there or of another version is as if it were not there. Stateless.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/files.h"

namespace hot {

// {"version": 1, "state", "doing", "stages", "train"}; shape and words: docs/formats/run.md, "How far a study is". A
// folder that is not there (any more) has no stage begun.
nlohmann::ordered_json RunStatus(const fs::path& run_folder);

// The values of "state".
inline constexpr const char* kNotBegun = "not begun";       // no stage was ever finished or begun
inline constexpr const char* kRunning = "running";          // a process holds the folder's lock
inline constexpr const char* kInterrupted = "interrupted";  // nobody does, and a stage was not finished
inline constexpr const char* kPartly = "partly done";       // nobody does, and a stage is left to be done
inline constexpr const char* kFinished = "finished";        // all of the study's stages are done

}  // namespace hot
