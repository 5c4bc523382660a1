#include "measure/latency_statistic.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.h"

namespace hot {
namespace {

constexpr std::array<LatencyStatistic, 3> kAll{LatencyStatistic::kMedian, LatencyStatistic::kMean,
                                               LatencyStatistic::kP90};

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::string_view LatencyStatisticName(LatencyStatistic statistic) {
  switch (statistic) {
    case LatencyStatistic::kMedian:
      return "median";
    case LatencyStatistic::kMean:
      return "mean";
    case LatencyStatistic::kP90:
      break;
  }
  return "p90";
}

LatencyStatistic ParseLatencyStatistic(std::string_view name) {
  for (const LatencyStatistic statistic : kAll) {
    if (LatencyStatisticName(statistic) == name) return statistic;
  }
  throw Error(Code::kInvalidArgument, "latency statistic", "unknown \"" + std::string(name) + "\"",
              "known: median, mean, p90");
}

double StatisticOverMedian(LatencyStatistic statistic, std::span<const int64_t> samples_ns,
                           std::span<const int64_t> canary_ns) {
  if (statistic == LatencyStatistic::kMedian || samples_ns.empty()) return 1;
  HOT_ASSERT(samples_ns.size() == canary_ns.size());
  std::vector<double> normalised;
  for (size_t i = 0; i < samples_ns.size(); ++i) {
    normalised.push_back(static_cast<double>(samples_ns[i]) / static_cast<double>(canary_ns[i]));
  }
  const double median = Percentile(normalised, 0.5);
  return (statistic == LatencyStatistic::kMean ? Mean(normalised) : Percentile(normalised, 0.9)) / median;
}

Measurement InStatistic(Measurement measured, LatencyStatistic statistic) {
  ScaleLatency(measured, StatisticOverMedian(statistic, measured.samples_ns, measured.canary_ns));
  return measured;
}

int LeastSamples(LatencyStatistic statistic) {
  return statistic == LatencyStatistic::kP90 ? 64 : MeasureOptions{}.min_samples;
}

}  // namespace hot
