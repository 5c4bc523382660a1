// Latencies of untrained graphs, from the journal where it has them, else measured now and put there. What the look-up
// table and the check of whole networks stand on. Called by the profile and verify stages.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "pipeline/workspace.h"

namespace hot {

// What an application does around a network or without one (application.h).
struct StudyWork {
  std::string key;  // of the journal: all that its time depends on besides network and device
  std::function<void(Session*)> run;
};

struct LatencyJob {
  const Graph* graph = nullptr;  // null: work without a network
  Precision precision = Precision::kFp32;
  bool part = false;  // a part of a network: in int8 it reads and writes int8 tensors, as it does inside one
  // Of a part whose time is estimated: the network in which it is, and the part's name there, "slot3"
  // (table_networks.h). All jobs of a call have one, or none.
  const Graph* network = nullptr;
  std::string name = "";
  std::set<std::string> float_layers = {};  // in an int8 network (formats.h)
  const StudyWork* work = nullptr;          // instead of the inference alone; all jobs of a call have it, or none
};

// What is measured in place of an untrained network: random weights and made-up ranges, on which time does not depend.
// Holds only what timing needs (CompileRequest::timing_only).
Artifact CompileUntrained(const Toolchain& toolchain, const LatencyJob& job, int threads,
                          const std::string& int8_scheme = "s8s8");
Artifact CompileUntrained(const Workspace& workspace, const LatencyJob& job);

// The journal's row of a job, whatever its own reference for the canary was, in terms of `reference_canary_ns`.
std::optional<MeasurementRow> FindLatency(const Workspace& workspace, const LatencyJob& job,
                                          double reference_canary_ns);

struct LatencyRows {
  std::vector<MeasurementRow> rows;  // one a job, in order
  int measured = 0, from_journal = 0, unsteady = 0;
};

// Equal graphs are measured once. Every finished row is in the journal before the next batch begins.
LatencyRows MeasureLatencies(Workspace& workspace, std::span<const LatencyJob> jobs, const std::string& stage);

// How many different ones there are, and how many of them the journal lacks.
struct LatencyCount {
  size_t all = 0, to_measure = 0;
};
LatencyCount CountLatencies(const Workspace& workspace, std::span<const LatencyJob> jobs);

// What a part (or a whole network) has taken to compile and measure on this device with this toolchain, by the times of
// the journal's rows; nothing when it has too few.
std::optional<double> SecondsALatency(const Workspace& workspace, bool part);

// Canary of the device's first row in the journal, in nanoseconds: every later measurement is expressed in that machine
// speed, so that numbers of different sessions can be added and compared. 0 when nothing was measured yet.
double ReferenceCanaryNs(const Workspace& workspace);

}  // namespace hot
