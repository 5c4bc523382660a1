// Latencies of untrained graphs, from the journal where it has them, else measured now and put there. What the look-up
// table and the check of whole networks stand on. Called by the profile and verify stages.
#pragma once

#include <span>
#include <vector>

#include "pipeline/workspace.h"

namespace hot {

struct LatencyJob {
  const Graph* graph = nullptr;
  Precision precision = Precision::kFp32;
  bool part = false;  // a part of a network: in int8 it reads and writes int8 tensors, as it does inside one
};

// What is measured in place of an untrained network: random weights and made-up ranges, on which time does not depend.
// Holds only what timing needs (CompileRequest::timing_only).
Artifact CompileUntrained(const Toolchain& toolchain, const LatencyJob& job, int threads,
                          const std::string& int8_scheme = "s8s8");

struct LatencyRows {
  std::vector<MeasurementRow> rows;  // one a job, in order
  int measured = 0, from_journal = 0, unsteady = 0;
};

// Equal graphs are measured once. Every finished row is in the journal before the next batch begins.
LatencyRows MeasureLatencies(Workspace& workspace, std::span<const LatencyJob> jobs, const std::string& stage);

// Canary of the device's first row in the journal, in nanoseconds: every later measurement is expressed in that machine
// speed, so that numbers of different sessions can be added and compared. 0 when nothing was measured yet.
double ReferenceCanaryNs(const Workspace& workspace);

}  // namespace hot
