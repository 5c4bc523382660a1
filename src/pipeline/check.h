// Whether a bundle got worse than another one: both artifacts measured side by side on one device, and scored on the
// same pictures. Made for a firmware team's CI: called by hot check. Stateless.
#pragma once

#include <string>
#include <vector>

#include "core/context.h"
#include "core/files.h"
#include "measure/measure.h"
#include "tasks/metric.h"

namespace hot {

struct CheckOptions {
  fs::path bundle, baseline;     // folders of hot export
  std::string device = "host";   // see MakeDevice
  fs::path data;                 // root of the test data; empty: where the bundle's study had it
  double latency_margin = 0.02;  // slower by this share is no regression
  double accuracy_margin = 0;    // lower by this much of the score (0-1) is no regression
};

// Worse means that the 95 % interval lies wholly beyond the margin. An interval that does not is no proof of equality:
// the report gives it, so that a reader sees what could have been found.
struct CheckResult {
  Measurement latency, baseline_latency;
  RatioInterval ratio;  // bundle / baseline
  std::string score_name;
  double score = 0, baseline_score = 0;
  PairedDifference difference;  // bundle - baseline
  size_t pictures = 0;
  bool slower = false, less_accurate = false;
};

// The verdict from measurements and predictions of both (bundle first), which the rest of `result` is filled from.
CheckResult JudgeCheck(const Measurement& latency, const Measurement& baseline_latency,
                       const std::vector<ScoredPicture>& found, const std::vector<ScoredPicture>& baseline_found,
                       const ScoreOptions& scoring, const CheckOptions& options);

// Throws Error(kDataLoss) for a damaged bundle, kInvalidArgument when the two are of different tasks, and what reading
// the data and loading the artifacts throws.
CheckResult CheckBundle(const CheckOptions& options, const Context& context);

}  // namespace hot
