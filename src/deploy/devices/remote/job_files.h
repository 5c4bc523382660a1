// The files of a job: the client writes them to a folder and uploads them, the agent lays them out again from its
// store, the job's process reads them there and writes its results beside them, which go back the same way. One layout
// for all of these; no name in it comes from a message, which has roles and hashes only. Thread-safe on different
// folders.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/device.h"
#include "deploy/devices/remote/job_layout.h"
#include "deploy/toolchain.h"
#include "hot/v1/device.pb.h"

namespace hot {

// Client: writes the job's files below `folder` and returns the request that names them, complete but for job_id,
// priority and, but for compile, threads.
v1::SubmitRequest WriteCompileJob(const fs::path& folder, std::string_view toolchain, const CompileRequest& request);
v1::SubmitRequest WriteProfileJob(const fs::path& folder, std::span<const Artifact* const> artifacts,
                                  const MeasureOptions& options, double reference_canary_ns);
// `pictures`: for each the inputs of one run, in the artifact's order; none: the device only loads it.
v1::SubmitRequest WriteRunJob(const fs::path& folder, const Artifact& artifact,
                              std::span<const std::vector<Tensor>> pictures);

// The job's process: what the other side wrote. All throw Error(kDataLoss, kInvalidArgument) with a path relative to
// the job's folder when `folder` is empty (the working directory).
struct NetworkToCompile {
  Network network;
  std::optional<Quantization> quantization;
  std::vector<Tensor> golden_inputs;
};
NetworkToCompile ReadNetwork(const fs::path& folder, const v1::CompileJob& job);
// Artifact `index` of a profile job, or the one (0) of a run job.
Artifact ReadJobArtifact(const fs::path& folder, int index);
std::vector<std::vector<Tensor>> ReadPictures(const fs::path& folder);

// The job's process writes results, with their hashes; the client reads what it downloaded to the same places.
v1::Artifact WriteCompiled(const fs::path& folder, const Artifact& artifact);
Artifact ReadCompiled(const fs::path& folder);
v1::File WriteOutputs(const fs::path& folder, std::span<const std::vector<Tensor>> outputs);
std::vector<std::vector<Tensor>> ReadOutputs(const fs::path& folder);

}  // namespace hot
