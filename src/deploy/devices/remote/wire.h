// hot's types as messages of proto/hot/v1/device.proto and back: the one place where both meet, for the client (the
// remote device) and the agent (src/server). Files of a job: job_files.h. What comes from a message is checked here, so
// that nobody else needs to. Pure functions.
#pragma once

#include <string>

#include "core/error.h"
#include "deploy/device.h"
#include "deploy/toolchain.h"
#include "hot/v1/device.pb.h"
#include "measure/measure.h"

namespace hot {

v1::Measurement ToProto(const Measurement& measurement);
// Throws Error(kDataLoss) for samples without a canary beside each, and for a number that is no time.
Measurement FromProto(const v1::Measurement& message);

v1::Device ToProto(const DeviceInfo& info);
// Throws Error(kDataLoss) without a name or a fingerprint.
DeviceInfo FromProto(const v1::Device& message);

// Name, version, flags and precisions.
v1::Toolchain ToProto(const Toolchain& toolchain);

// What the agent says went wrong. An Error's text is one line, so that `where` and `hint` are part of the message.
// Numbers that are no Code of ours become kUnknown.
Error ErrorFromWire(int code, const std::string& line);

}  // namespace hot
