// Options of a measurement as a message and back: for the client, the agent (which refuses what can't be meant before
// it queues a job) and the job's process. Apart from wire.h, so that the agent's own process needs no runtime of a
// toolchain. Pure functions.
#pragma once

#include "hot/v1/device.pb.h"
#include "measure/measure.h"

namespace hot {

v1::MeasureOptions ToProto(const MeasureOptions& options);
// Throws Error(kInvalidArgument) for what measures nothing or without end: a half-width that is no share of the median,
// no samples, more than kMaxSamplesAsked, fewer at most than at least, a negative time, too many loads.
MeasureOptions FromProto(const v1::MeasureOptions& message);
inline constexpr int kMaxSamplesAsked = 10'000, kMaxLoadsAsked = 100;

}  // namespace hot
