// States and errors of a job in messages (docs/formats/device-agent.md), for client and agent. Pure functions.
#pragma once

#include "core/error.h"
#include "hot/v1/device.pb.h"

namespace hot {

// For good: it is done, failed or cancelled.
inline bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_DONE || state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

// The code of an error that came as a number; kUnknown for what is none.
inline Code ErrorCode(int number) {
  const bool known = number > static_cast<int>(Code::kOk) && number <= static_cast<int>(Code::kDataLoss);
  return known ? static_cast<Code>(number) : Code::kUnknown;
}

}  // namespace hot
