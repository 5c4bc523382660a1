#include "measure/measure.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "core/part_progress.h"
#include "core/rng.h"
#include "measure/conditions.h"

namespace hot {
namespace {

constexpr int kWarmUpWindow = 3;        // runs a median is taken over
constexpr int kWarmUpCap = 30;          // runs
constexpr double kWarmUpChange = 0.05;  // between neighbouring windows
constexpr double kCanaryJump = 0.05;    // the two readings of a sample
constexpr double kCanaryDrift = 0.03;   // of a row from the usual
constexpr int kCanaryRuns = 3;      // a reading is their median: the first finds cold caches, one may be interrupted
constexpr int kDropsInAdvance = 4;  // samples that may be dropped before the first is kept
constexpr double kMaxRepeats = 10'000;
constexpr int kMaxUntimed = 3;      // runs before a sample
constexpr int kMinForInterval = 6;  // fewer values have no 95 % interval of the median

int64_t TimeNs(const Subject& subject, int repeats, const Clock& clock) {
  const int64_t start = clock.NowNs();
  for (int i = 0; i < repeats; ++i) subject();
  return clock.NowNs() - start;
}

// How often the kernel took the CPU from this thread.
int64_t Preemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// Runs until the median of one window is that of the window before; returns it. A change of the CPU's speed only makes
// the warm-up longer.
double WarmUp(const Subject& subject, const Clock& clock) {
  double before = 0;
  for (int runs = 0; runs < kWarmUpCap; runs += kWarmUpWindow) {
    std::vector<double> window;
    for (int i = 0; i < kWarmUpWindow; ++i) window.push_back(static_cast<double>(TimeNs(subject, 1, clock)));
    const double median = MedianWithInterval(window).median;
    if (runs > 0 && std::abs(median - before) <= kWarmUpChange * before) return median;
    before = median;
  }
  return before;
}

struct Row {
  const Subject* subject = nullptr;
  int repeats = 1;
  int dropped = 0;
  bool done = false;
  std::vector<double> per_inference_ns, canary_ns;

  std::vector<double> Ratios() const {
    std::vector<double> ratios;
    for (size_t i = 0; i < canary_ns.size(); ++i) ratios.push_back(per_inference_ns[i] / canary_ns[i]);
    return ratios;
  }
};

class Interleaver {
 public:
  Interleaver(std::span<const Subject> subjects, const Subject& canary, const MeasureOptions& options,
              const Context& context)
      : canary_(canary), options_(options), context_(context), start_ns_(context.clock.NowNs()) {
    WarmUp(canary_, context_.clock);
    for (const Subject& subject : subjects) {
      context_.ThrowIfCancelled();
      const double once_ns = std::max(1.0, WarmUp(subject, context_.clock));
      const double repeats = std::ceil(static_cast<double>(options_.min_sample_ns) / once_ns);
      rows_.push_back({&subject, static_cast<int>(std::clamp(repeats, 1.0, kMaxRepeats)), 0, false, {}, {}});
    }
  }

  std::vector<Row> Run() {
    Rng rng(MixSeed(rows_.size(), "measure"));
    std::vector<size_t> order(rows_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    canary_before_ns_ = ReadCanary();
    while (!order.empty() && !OutOfTime()) {
      rng.Shuffle(std::span<size_t>(order));
      for (const size_t index : order) Sample(rows_[index], false);
      std::erase_if(order, [&](size_t index) { return rows_[index].done; });
      context_.progress.Update(static_cast<double>(rows_.size() - order.size()), "");
    }
    for (Row& row : rows_) {
      if (row.canary_ns.empty()) Sample(row, true);
    }
    return std::move(rows_);
  }

  bool Steady(const Row& row) const {
    if (static_cast<int>(row.canary_ns.size()) < std::max(kMinForInterval, options_.min_samples)) return false;
    const MedianInterval interval = MedianWithInterval(row.Ratios());
    return interval.high - interval.low <= 2 * options_.target_half_width * interval.median;
  }

 private:
  double ReadCanary() const {
    std::vector<double> runs;
    for (int i = 0; i < kCanaryRuns; ++i) runs.push_back(static_cast<double>(TimeNs(canary_, 1, context_.clock)));
    return std::max(1.0, MedianWithInterval(runs).median);
  }

  bool OutOfTime() const {
    return options_.max_total_ns > 0 && context_.clock.NowNs() - start_ns_ >= options_.max_total_ns;
  }

  void Sample(Row& row, bool keep_always) {
    if (OutOfTime() && !keep_always) return;
    context_.ThrowIfCancelled();
    // Untimed: bring back into the caches what the other subjects pushed out.
    for (int i = 0; i < std::min(row.repeats, kMaxUntimed); ++i) (*row.subject)();
    const int64_t preemptions = Preemptions();
    const auto total_ns = static_cast<double>(std::max<int64_t>(1, TimeNs(*row.subject, row.repeats, context_.clock)));
    const bool preempted = Preemptions() != preemptions;
    const double before = canary_before_ns_;
    const double after = ReadCanary();
    canary_before_ns_ = after;
    const bool jumped = std::abs(after - before) > kCanaryJump * std::min(after, before);
    const bool may_drop = !keep_always && row.dropped < static_cast<int>(row.canary_ns.size()) + kDropsInAdvance;
    if ((jumped || preempted) && may_drop) {
      ++row.dropped;
      return;
    }
    row.per_inference_ns.push_back(total_ns / row.repeats);
    row.canary_ns.push_back((before + after) / 2);
    row.done = static_cast<int>(row.canary_ns.size()) >= options_.max_samples || Steady(row);
  }

  const Subject& canary_;
  const MeasureOptions& options_;
  const Context& context_;
  const int64_t start_ns_;
  double canary_before_ns_ = 1;
  std::vector<Row> rows_;
};

std::vector<int64_t> Rounded(const std::vector<double>& values) {
  std::vector<int64_t> rounded;
  for (const double value : values) rounded.push_back(std::llround(value));
  return rounded;
}

double Median(const std::vector<double>& values) { return MedianWithInterval(values).median; }

// Of all rows of a call.
struct Surroundings {
  bool throttled = false;
  std::string text;  // "54.0 °C, 1800 MHz"
};

void AddNote(std::string& note, const std::string& text) {
  if (!text.empty()) note += (note.empty() ? "" : "; ") + text;
}

Measurement Summarize(const Row& row, double reference_canary_ns, bool steady, const Surroundings& surroundings) {
  const MedianInterval interval = MedianWithInterval(row.Ratios());
  Measurement result;
  result.samples_ns = Rounded(row.per_inference_ns);
  result.canary_ns = Rounded(row.canary_ns);
  result.median_ns = interval.median * reference_canary_ns;
  result.low_ns = interval.low * reference_canary_ns;
  result.high_ns = interval.high * reference_canary_ns;
  result.raw_median_ns = Median(row.per_inference_ns);
  result.p90_ns = Percentile(row.per_inference_ns, 0.9);
  result.canary_median_ns = Median(row.canary_ns);
  result.steady = steady && !surroundings.throttled;
  if (!steady) AddNote(result.note, "the interval did not reach its target before the cap");
  if (surroundings.throttled) AddNote(result.note, "the CPU was throttled");
  AddNote(result.note, surroundings.text);
  return result;
}

// Of one of options.loads loads, so that together they have what was asked for.
MeasureOptions ShareOf(MeasureOptions options) {
  options.min_samples = (options.min_samples + options.loads - 1) / options.loads;
  options.max_samples = std::max(options.max_samples / options.loads, options.min_samples);
  options.target_half_width *= std::sqrt(options.loads);
  options.max_total_ns /= options.loads;
  options.loads = 0;
  return options;
}

}  // namespace

Measurement Estimated(double latency_ns) {
  Measurement result;
  result.median_ns = result.low_ns = result.high_ns = result.raw_median_ns = result.p90_ns = latency_ns;
  return result;
}

double CanaryReference(const Measurement& measurement) {
  std::vector<double> ratios;
  for (size_t i = 0; i < measurement.samples_ns.size(); ++i) {
    ratios.push_back(static_cast<double>(measurement.samples_ns[i]) / static_cast<double>(measurement.canary_ns[i]));
  }
  return measurement.median_ns / MedianWithInterval(std::move(ratios)).median;
}

void Rescale(Measurement& row, double factor) {
  ScaleLatency(row, factor);
  for (int64_t& reading : row.canary_ns) reading = std::llround(static_cast<double>(reading) / factor);
}

Measurement Pooled(std::span<const Measurement> rows) {
  HOT_ASSERT(!rows.empty());
  Measurement all = rows.front();
  if (all.samples_ns.empty() || rows.size() == 1) return all;
  const double reference_ns = CanaryReference(all);
  all.samples_ns.clear();
  all.canary_ns.clear();
  std::vector<double> ratios, samples, canary_medians;
  for (const Measurement& row : rows) {
    all.samples_ns.insert(all.samples_ns.end(), row.samples_ns.begin(), row.samples_ns.end());
    all.canary_ns.insert(all.canary_ns.end(), row.canary_ns.begin(), row.canary_ns.end());
    canary_medians.push_back(row.canary_median_ns);
    all.resident_bytes = std::max(all.resident_bytes, row.resident_bytes);  // later calls find memory of the first
  }
  for (size_t i = 0; i < all.samples_ns.size(); ++i) {
    samples.push_back(static_cast<double>(all.samples_ns[i]));
    ratios.push_back(samples.back() / static_cast<double>(all.canary_ns[i]));
  }
  const MedianInterval interval = MedianWithInterval(std::move(ratios));
  all.median_ns = interval.median * reference_ns;
  all.low_ns = interval.low * reference_ns;
  all.high_ns = interval.high * reference_ns;
  all.raw_median_ns = Median(samples);
  all.p90_ns = Percentile(std::move(samples), 0.9);
  all.canary_median_ns = Median(canary_medians);
  all.steady = 2 * std::ranges::count_if(rows, &Measurement::steady) > std::ssize(rows);
  const auto same = std::ranges::find(rows, all.steady, &Measurement::steady);
  all.note = same == rows.end() ? "" : same->note;
  return all;
}

std::vector<Measurement> MeasureLoads(const MeasureOptions& options, double reference_canary_ns, const Context& context,
                                      const MeasureLoad& measure) {
  std::vector<std::vector<Measurement>> of_row;
  for (int load = 0; load < options.loads; ++load) {
    const auto done = static_cast<double>(load * std::ssize(of_row)) / options.loads;
    PartProgress progress(context.progress, done, 1.0 / options.loads);
    auto rows = measure(ShareOf(options), reference_canary_ns, {context.clock, progress, context.cancelled});
    if (rows.empty()) return rows;
    if (reference_canary_ns <= 0) reference_canary_ns = CanaryReference(rows.front());  // of all loads
    of_row.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) of_row[i].push_back(std::move(rows[i]));
  }
  std::vector<Measurement> pooled;
  for (const std::vector<Measurement>& rows : of_row) pooled.push_back(Pooled(rows));
  return pooled;
}

void MarkDrift(std::span<Measurement> rows, double usual_canary_ns) {
  for (Measurement& row : rows) {
    const double drift = row.canary_median_ns / usual_canary_ns - 1;
    if (std::abs(drift) <= kCanaryDrift) continue;
    row.steady = false;
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "the canary was off by %+.1f %%", 100 * drift);
    AddNote(row.note, text.data());
  }
}

std::vector<Measurement> MeasureInterleaved(std::span<const Subject> subjects, const Subject& canary,
                                            const MeasureOptions& options, double reference_canary_ns,
                                            const Context& context) {
  if (options.max_samples < 1 || options.target_half_width <= 0) {
    throw Error(Code::kInvalidArgument, "measure", "max_samples and target_half_width must be positive");
  }
  const Conditions before = ReadConditions();
  Interleaver interleaver(subjects, canary, options, context);
  const std::vector<Row> rows = interleaver.Run();
  const Conditions after = ReadConditions();
  const Surroundings surroundings{Throttled(before, after), ToText(after)};
  if (reference_canary_ns <= 0) {
    std::vector<double> all;
    for (const Row& row : rows) all.insert(all.end(), row.canary_ns.begin(), row.canary_ns.end());
    reference_canary_ns = Median(all);
  }
  std::vector<Measurement> results;
  for (const Row& row : rows)
    results.push_back(Summarize(row, reference_canary_ns, interleaver.Steady(row), surroundings));
  return results;
}

}  // namespace hot
