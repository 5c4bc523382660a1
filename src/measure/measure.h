// Latency as a statistic: interleaved rounds over many subjects, a canary beside every sample, warm-up until stable,
// stop by confidence interval. Used by the host device and the agent. Not thread-safe; nothing else should run on the
// cores.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"

namespace hot {

struct MeasureOptions {
  double target_half_width = 0.01;  // of the median, 95 % interval
  int min_samples = 12;
  int max_samples = 120;              // cap; then the row is marked unsteady
  int64_t min_sample_ns = 1'000'000;  // short subjects are repeated within a sample until it lasts this long
  int64_t max_total_ns = 0;           // cap on the whole call; 0: none
  // 0: subjects are loaded once, all together, and take turns. Else each is loaded so often and measured while no other
  // runs, as in an application; loads take turns, and all samples of a subject count together.
  int loads = 0;
};

struct Measurement {
  std::vector<int64_t> samples_ns;  // per inference, raw
  std::vector<int64_t> canary_ns;   // canary's time beside each sample
  double median_ns = 0;             // median(sample/canary) * reference canary
  double low_ns = 0, high_ns = 0;   // 95 % interval of that median (order statistics, binomial)
  double raw_median_ns = 0, p90_ns = 0, canary_median_ns = 0;
  bool steady = true;  // interval within the target before the cap, and the CPU was not throttled
  std::string note;    // why not; temperature and clock, where the kernel tells them
  // Most that loading the subject and running it once took (resident_memory.h); 0: not known.
  int64_t resident_bytes = 0;
};

// What a vendor's tool estimates, as a row beside measured ones: no samples, no canary, an interval without width.
Measurement Estimated(double latency_ns);

// The canary's time that a measurement's ratios were multiplied with. It must have samples.
double CanaryReference(const Measurement& measurement);

// Median and interval times `factor`: of a Measurement, or of a row of the journal.
template <typename Row>
void ScaleLatency(Row& row, double factor) {
  for (double* value : {&row.median_ns, &row.low_ns, &row.high_ns}) *value *= factor;
}

// As if the device had been `factor` times as slow in the row's time: medians and interval times `factor`, readings of
// the canary divided by it, so that CanaryReference() stays what it was.
void Rescale(Measurement& row, double factor);

// Several calls' rows of one subject as one: all samples together, in terms of the first row's reference. Steady when
// most of them are. Rows without samples are estimates, and all the same. Not for an empty list.
Measurement Pooled(std::span<const Measurement> rows);

// One load's row of each subject: `share` of the options, progress, the canary's reference.
using MeasureLoad =
    std::function<std::vector<Measurement>(const MeasureOptions& share, double reference_canary_ns, const Context&)>;

// Calls `measure`, which loads each subject anew and measures it, options.loads times, and pools the rows: where a
// network lies in memory makes it a percent or more faster or slower.
std::vector<Measurement> MeasureLoads(const MeasureOptions& options, double reference_canary_ns, const Context& context,
                                      const MeasureLoad& measure);

// Rows in whose time the canary took another time than usual, by more than 3 %, become unsteady, and say so: the device
// was in another state, and not all networks slow down alike.
void MarkDrift(std::span<Measurement> rows, double usual_canary_ns);

// One subject: runs one inference.
using Subject = std::function<void()>;

// Warms each subject up until its running median is stable, then runs all in a new random order each round, untimed
// runs before each sample (as many as timed ones, at most three, so that a number does not depend on who is measured
// beside it), the canary before and after each sample (a reading is the median of three runs; the mean of both is the
// sample's canary; neighbouring samples share the reading between them).
// A sample whose two readings differ by more than 5 % was taken across a change of the CPU's speed; it is dropped, as
// is one in which the kernel gave the CPU to another job, though never more than are kept. A subject leaves the rounds
// when its interval is within the target or it has max_samples; every subject gets a sample, however small max_total_ns
// is. `reference_canary_ns` 0: the canary's median in this call is the reference. Progress: one unit a finished
// subject, through context.progress.Update.
std::vector<Measurement> MeasureInterleaved(std::span<const Subject> subjects, const Subject& canary,
                                            const MeasureOptions& options, double reference_canary_ns,
                                            const Context& context);

// Median and a distribution-free 95 % interval of it (binomial order statistics); values need not be sorted.
struct MedianInterval {
  double median = 0, low = 0, high = 0;
};
MedianInterval MedianWithInterval(std::vector<double> values);
double Percentile(std::vector<double> values, double p);

// median(a) / median(b), and a 95 % percentile interval of it by the bootstrap, both sides resampled on their own
// (Efron & Tibshirani, 1993). Values are positive; 1 where one side is empty.
struct RatioInterval {
  double ratio = 1, low = 1, high = 1;
};
RatioInterval MedianRatio(const std::vector<double>& a, const std::vector<double>& b, int rounds, uint64_t seed);

// What the numbers depend on besides the subject: board, CPU model, kernel, governor, kind and number of cores, memory,
// and the way of measuring (kMeasuringMethod); canonical JSON text. Raised when another way of measuring gives other
// numbers, so that old rows of the journal are not mixed with new ones. 1: four inputs a subject in turn, one untimed
// run, networks timed without biases. 2: see MeasureInterleaved, OpenVinoModel::FillInputs and TimingWeights
// (docs/adr/0004).
// 3: memory in huge pages, whole networks beside the reference network (docs/adr/0014). 4: whole networks in many
// loads, none of them between runs of another.
inline constexpr int kMeasuringMethod = 4;

struct Environment {
  std::string json;
  std::string fingerprint;  // short hash of json
};
Environment DescribeEnvironment();

// Pins the calling thread to `cpus` CPUs (the last ones first: CPU 0 is usually busier). Returns those CPUs; empty when
// not permitted.
std::vector<int> PinThread(int cpus);

// PinThread and, where permitted (root, CAP_SYS_NICE), real-time priority for the life of the object: a background job
// that gets a time slice in the middle of a sample doubles it. Threads started meanwhile inherit both (and keep them).
class ScopedPin {
 public:
  explicit ScopedPin(int cpus);
  ~ScopedPin();
  ScopedPin(const ScopedPin&) = delete;
  ScopedPin& operator=(const ScopedPin&) = delete;
  const std::vector<int>& cpus() const { return cpus_; }  // empty when pinning is not permitted
  bool raised() const { return raised_; }                 // to real-time priority

 private:
  std::vector<int> before_, cpus_;
  int policy_before_ = 0, nice_before_ = 0;
  bool raised_ = false;
};

}  // namespace hot
