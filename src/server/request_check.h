// What a client asks for, checked before it reaches queue, disk or a job: protobuf only says that bytes are messages.
// Called by the agent's Submit. Every fault is Error(kInvalidArgument), "field: what is wrong". Pure; thread-safe.
#pragma once

#include <set>
#include <span>
#include <string>

#include "hot/v1/device.pb.h"

namespace hot::server {

struct RequestLimits {
  int threads = 64;    // of one job
  int artifacts = 64;  // of a profile job
};

// The job's id, priority, threads; each file's role (those that the job needs, each once) and hash; toolchain and
// precision among `toolchains`; options of a measurement finite, in range and in order.
void CheckRequest(const v1::SubmitRequest& request, std::span<const v1::Toolchain> toolchains,
                  const RequestLimits& limits);

// 1 to 64 of a-z, 0-9 and "-": ids become names of folders.
void CheckJobId(const std::string& job_id);

// Hashes of all files that the request names: what must be whole in the blob store, and stay, for the job to run.
std::set<std::string> RequestedBlobs(const v1::SubmitRequest& request);

}  // namespace hot::server
