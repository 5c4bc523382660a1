// What the device makes of a study's baseline and of the smallest network of its space: between them lies what a
// latency budget can ask for. Called by `hot init`. Not thread-safe.
#pragma once

#include <cstdint>

#include "pipeline/workspace.h"

namespace hot {

struct ProbedNetwork {
  double latency_ns = 0;
  int64_t macs = 0, weight_bytes = 0, peak_bytes = 0;
};

struct DeviceProbe {
  ProbedNetwork baseline;
  ProbedNetwork smallest;  // in each slot the choice with the fewest MACs
};

// Both networks untrained, compiled and measured side by side, or estimated. Nothing goes into the journal: it is a
// look, not a measurement that a study stands on. Throws as toolchain and device do.
DeviceProbe ProbeDevice(const Workspace& workspace);

}  // namespace hot
