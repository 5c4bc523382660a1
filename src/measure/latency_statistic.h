// Which statistic of its samples a latency budget is about. All are of canary-normalised samples (measure.h), so that
// they can be compared as medians are. Called by pipeline/. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "measure/measure.h"

namespace hot {

enum class LatencyStatistic { kMedian, kMean, kP90 };

std::string_view LatencyStatisticName(LatencyStatistic statistic);
// "median", "mean" or "p90". Throws Error(kInvalidArgument) on other names.
LatencyStatistic ParseLatencyStatistic(std::string_view name);

// The statistic of sample/canary over its median. 1 without samples: a vendor's estimate is one number.
double StatisticOverMedian(LatencyStatistic statistic, std::span<const int64_t> samples_ns,
                           std::span<const int64_t> canary_ns);

// The measurement with the statistic in place of its median; the interval, which is the median's, is scaled with it.
Measurement InStatistic(Measurement measured, LatencyStatistic statistic);

// Samples a measurement takes at least, so that the statistic means something: one of ten lies above a p90.
int LeastSamples(LatencyStatistic statistic);

}  // namespace hot
