// Sum of table rows -> whole network: an intercept and a slope, fitted to networks measured whole (fidelity of sums;
// see docs/adr/0005-sum-correction.md). Stateless.
#pragma once

#include <map>
#include <vector>

#include "search/auto_search.h"

namespace hot {

struct PredictedMeasured {
  double predicted_ns = 0, measured_ns = 0;
};

// Least squares of the relative error. With fewer than four networks, or sums that span less than 15 %, only the slope
// is fitted (the median ratio): an intercept would be a guess. No networks: the plain sum.
CostCorrection FitCorrection(const std::vector<PredictedMeasured>& pairs);

using Corrections = std::map<double, CostCorrection>;  // by width; missing: the plain sum
CostCorrection CorrectionOf(const Corrections& corrections, double width);

// One fit for each of `widths`; a width without a measured network takes the fit over all.
Corrections FitCorrections(const std::map<double, std::vector<PredictedMeasured>>& pairs,
                           const std::vector<double>& widths);

}  // namespace hot
