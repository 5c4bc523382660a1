// What a firmware engineer takes home: an artifact with a C++17 example that runs it, names, thresholds, licence notes,
// checksums, and `verify`, which replays the golden pairs on the board. Written by hot export, read by hot check.
// Format: docs/formats/bundle.md. Stateless.
#pragma once

#include <string>
#include <vector>

#include "core/files.h"
#include "data/dataset.h"
#include "deploy/artifact.h"
#include "tasks/trial.h"

namespace hot {

struct BundleRequest {
  fs::path run;
  std::string id, trial;  // of train.json
  std::string precision;  // empty: the first of the study's target.precision
  std::string isa;        // empty: the artifact as it was measured; else as in Recompile()
  fs::path out;
};

// Throws Error(kNotFound) when the network was not compiled in that precision, kUnimplemented when its toolchain or
// task has no example, and what reading the run folder throws. Returns the files.
std::vector<fs::path> WriteBundle(const BundleRequest& request);

struct Bundle {
  std::string id;
  Artifact artifact;
  TrialSpec trial;  // task and scoring
  DataSource test;  // where its accuracy was measured
};

// Throws Error(kNotFound) when there is no such folder, kDataLoss when a file is missing or its checksum differs,
// kFailedPrecondition for a newer version.
Bundle ReadBundle(const fs::path& folder);

// The C++ header of constants that the example reads: namespace network.
std::string NetworkHeader(const Artifact& artifact, const TaskOptions& task, const std::string& name);

}  // namespace hot
