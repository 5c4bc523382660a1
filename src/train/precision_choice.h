// Which number format trains faster on this machine, measured. Called by hot-train when a study asks for
// `train.precision: auto`. Needs no LibTorch header. Thread rule: as for RunTrial.
#pragma once

#include <string>

#include "tasks/trial.h"

namespace hot {

struct PrecisionTimes {
  double fp32_s = 0, bf16_s = 0;  // of one step
  // "fp32" or "bf16".
  std::string faster() const { return bf16_s < fp32_s ? "bf16" : "fp32"; }
};

// Makes a few steps of the trial in each format, in turns, on its first batch; the shortest of each count. Leaves no
// files. CPUs without bfloat16 units compute it too, many times slower. Throws what the data reader throws.
PrecisionTimes MeasurePrecisions(const TrialSpec& spec);

}  // namespace hot
