// What a client asks for, checked before it reaches queue, disk or a job: protobuf only says that bytes are messages.
// Called by the agent's Submit. Pure; thread-safe.
#pragma once

#include <span>

#include "hot/v1/device.pb.h"

namespace hot::server {

struct RequestLimits {
  int threads = 64;    // of one job; an agent's device may have fewer cores
  int artifacts = 64;  // of a profile job
};

// The job's id (1 to 64 of a-z, 0-9 and "-": it names a folder), priority and threads; toolchain and precision, which
// must be among `toolchains`; number of artifacts and options of a measurement (FromProto() of measure_options.h);
// roles and hashes of the files (FilesOf() of job_layout.h). Throws Error(kInvalidArgument), "field: what is wrong".
void CheckRequest(const v1::SubmitRequest& request, std::span<const v1::Toolchain> toolchains,
                  const RequestLimits& limits);

}  // namespace hot::server
