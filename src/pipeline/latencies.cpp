#include "pipeline/latencies.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <map>

#include "core/part_progress.h"
#include "graph/key.h"
#include "measure/emulation.h"
#include "pipeline/deployment.h"
#include "pipeline/formats.h"
#include "pipeline/networks.h"
#include "pipeline/solve.h"
#include "pipeline/table_networks.h"
#include "pipeline/whole_networks.h"
#include "quantize/quantized_network.h"

namespace hot {
namespace {

constexpr size_t kBatch = 32;  // parts side by side in one profile call and board: what a kill can lose
// Of a row that stays unsteady, over all runs: one that finds it in the journal gets the same numbers, and so the same
// networks, as the run that measured it.
constexpr int64_t kMostTries = 2;
constexpr const char* kPartFlag = ";part";  // in a key's flags: see LatencyJob::part
constexpr double kLongestBatch_s = 900;     // rows further apart are of two sessions

// A part's time in a network depends on the network, if only a little.
std::string PartFlag(const LatencyJob& job) {
  if (!job.part || job.network == nullptr) return job.part ? kPartFlag : "";
  return kPartFlag + ("=" + job.name) + " in " + GraphKey(*job.network, job.precision).substr(0, 12);
}

MeasurementKey KeyOf(const Workspace& workspace, const LatencyJob& job) {
  const Toolchain& toolchain = workspace.toolchain();
  MeasurementKey key;
  key.graph_key = job.graph == nullptr ? "none" : GraphKey(*job.graph, job.precision);
  key.device = workspace.device().Describe().fingerprint;
  key.toolchain = toolchain.name();
  key.toolchain_version = toolchain.version();
  key.flags = toolchain.flags() + PartFlag(job) + (job.work ? ";" + job.work->key : "");
  if (!job.float_layers.empty()) key.flags += ";fp32=" + LayerRanges(*job.graph, job.float_layers);
  key.precision = PrecisionName(job.precision);
  key.scheme = SchemeOf(workspace, job.precision);
  key.threads = static_cast<int>(workspace.study().target.threads);
  return key;
}

MeasurementRow MakeRow(const MeasurementKey& key, const Measurement& measured, bool estimate, int64_t now) {
  MeasurementRow row;
  row.key = key;
  row.estimate = estimate;
  row.samples_ns = measured.samples_ns;
  row.canary_ns = measured.canary_ns;
  row.median_ns = measured.median_ns;
  row.low_ns = measured.low_ns;
  row.high_ns = measured.high_ns;
  row.raw_median_ns = measured.raw_median_ns;
  row.p90_ns = measured.p90_ns;
  row.canary_median_ns = measured.canary_median_ns;
  row.steady = measured.steady;
  row.note = measured.note;
  row.created = now;
  return row;
}

// Measured beside the canary of this study, which has as many threads.
bool IsOfCanary(const MeasurementRow& row, const Workspace& workspace) {
  return row.key.toolchain == workspace.toolchain().name() && row.key.threads == workspace.study().target.threads &&
         !row.canary_ns.empty();
}

// What a row's ratios were multiplied with.
double ReferenceOf(const MeasurementRow& row) {
  return CanaryReference({.samples_ns = row.samples_ns, .canary_ns = row.canary_ns, .median_ns = row.median_ns});
}

std::vector<MeasurementRow> CanaryRows(const Workspace& workspace) {
  std::vector<MeasurementRow> rows = workspace.store().Measurements(workspace.device().Describe().fingerprint);
  std::erase_if(rows, [&](const MeasurementRow& row) { return !IsOfCanary(row, workspace); });
  return rows;
}

// 0 without rows.
double OldestReference(const std::vector<MeasurementRow>& rows) {
  const auto oldest = std::ranges::min_element(rows, {}, &MeasurementRow::created);
  return oldest == rows.end() ? 0 : ReferenceOf(*oldest);
}

// What the canary takes on this device when all is well.
class TableCanary {
 public:
  explicit TableCanary(const Workspace& workspace) {
    const std::vector<MeasurementRow> rows = CanaryRows(workspace);
    reference_ns_ = OldestReference(rows);
    for (const MeasurementRow& row : rows) medians_.push_back(row.canary_median_ns);
  }

  // What new rows are normalised with; 0: nothing has been measured yet.
  double reference_ns() const { return reference_ns_; }

  void Judge(std::vector<Measurement>& measured) {
    for (const Measurement& row : measured) medians_.push_back(row.canary_median_ns);
    if (reference_ns_ <= 0) reference_ns_ = CanaryReference(measured.front());
    MarkDrift(measured, MedianWithInterval(medians_).median);
  }

 private:
  double reference_ns_ = 0;
  std::vector<double> medians_;
};

// Rows of another journal, or of a process that began at the same moment, have a reference of their own: the same
// samples and canary in terms of this one.
MeasurementRow WithReference(MeasurementRow row, double reference_canary_ns) {
  if (row.canary_ns.empty() || reference_canary_ns <= 0) return row;
  const double factor = reference_canary_ns / ReferenceOf(row);
  if (!std::isfinite(factor) || std::abs(factor - 1) < 1e-9) return row;  // as it is, to the last bit
  ScaleLatency(row, factor);
  return row;
}

struct Unique {
  MeasurementKey key;
  LatencyJob job;
  std::optional<MeasurementRow> row;
  int64_t tries = 0;
  int least_samples = 0;  // that its statistic needs

  bool HasTooFew() const { return !row->estimate && std::ssize(row->samples_ns) < least_samples; }
  bool NeedsTry() const { return !row || ((!row->steady || HasTooFew()) && tries < kMostTries); }
};

using Artifacts = std::vector<std::optional<Artifact>>;  // none for work without a network

std::vector<Measurement> MeasureNow(const Workspace& workspace, std::span<Unique* const> batch,
                                    const Artifacts& artifacts, double reference_ns, const Context& context) {
  const bool part = batch.front()->job.part;
  MeasureOptions options = part ? MeasureOptions{} : kWholeOptions;
  options.min_samples = std::max(options.min_samples, batch.front()->least_samples);
  std::vector<const Artifact*> pointers;
  std::vector<Work> work;
  for (size_t i = 0; i < batch.size(); ++i) {
    pointers.push_back(artifacts[i] ? &*artifacts[i] : nullptr);
    if (batch[i]->job.work) work.push_back({.artifact = pointers.back(), .run = batch[i]->job.work->run});
  }
  if (!work.empty()) return workspace.device().ProfileWork(work, options, reference_ns, context);
  return part ? workspace.device().Profile(pointers, options, reference_ns, context)
              : ProfileWhole(workspace, pointers, options, reference_ns, context);
}

Artifacts Compile(const Workspace& workspace, std::span<Unique* const> batch, double offset, Progress& progress) {
  Artifacts artifacts;
  for (const Unique* unique : batch) {
    workspace.context().ThrowIfCancelled();
    artifacts.emplace_back();
    if (unique->job.graph == nullptr) continue;
    artifacts.back() = CompileUntrained(workspace, unique->job);
    progress.Update(offset, "compiling " + std::to_string(artifacts.size()) + " of " + std::to_string(batch.size()));
  }
  return artifacts;
}

// Compiled one batch after the other: where that takes nothing from the device, while that measures the batch before.
class Compiler {
 public:
  explicit Compiler(const Workspace& workspace) : workspace_(workspace) {}

  // `next`: what the next call will ask for.
  Artifacts Take(std::span<Unique* const> batch, std::span<Unique* const> next, double offset) {
    HOT_ASSERT(!coming_.valid() || batch.data() == coming_batch_.data());
    Artifacts artifacts =
        coming_.valid() ? coming_.get() : Compile(workspace_, batch, offset, workspace_.context().progress);
    HOT_ASSERT(artifacts.size() == batch.size());
    if (next.empty() || !next.front()->job.part || workspace_.device().runs_work()) return artifacts;
    coming_batch_ = next;
    coming_ = std::async(std::launch::async, [this, next] { return Compile(workspace_, next, 0, *silent_); });
    return artifacts;
  }

 private:
  const Workspace& workspace_;
  const std::unique_ptr<Progress> silent_ = MakeSilentProgress();
  std::span<Unique* const> coming_batch_;
  std::future<Artifacts> coming_;
};

std::vector<Measurement> Measure(const Workspace& workspace, std::span<Unique* const> batch, const Artifacts& artifacts,
                                 double offset, double reference_ns) {
  const Context& context = workspace.context();
  const std::string what = batch.front()->job.part ? " parts" : " whole networks";
  PartProgress progress(context.progress, offset, 1, "measuring " + std::to_string(batch.size()) + what + " in turns");
  progress.Update(0, "");
  const Context inner{context.clock, progress, context.cancelled};
  return MeasureNow(workspace, batch, artifacts, reference_ns, inner);
}

// Parts of one network.
std::vector<Measurement> EstimateParts(const Workspace& workspace, std::span<Unique* const> batch, double offset) {
  const Context& context = workspace.context();
  context.ThrowIfCancelled();
  const LatencyJob& job = batch.front()->job;
  const Artifact artifact = CompileUntrained(workspace, {.graph = job.network, .precision = job.precision});
  const Artifact* pointer = &artifact;
  workspace.device().Profile(std::span(&pointer, 1), {}, 0, context);  // refuses what is not for it
  std::vector<Measurement> estimated;
  for (const Unique* unique : batch)
    estimated.push_back(Estimated(PartNs(*artifact.estimate, *job.network, unique->job.name)));
  context.progress.Update(offset + static_cast<double>(batch.size()), "parts of networks");
  return estimated;
}

// The first of these, which are measured side by side; of parts of networks those of the first one's.
std::span<Unique* const> FirstBatch(const Workspace& workspace, std::span<Unique* const> open) {
  if (open.empty()) return open;
  const LatencyJob& job = open.front()->job;
  const auto is_of_another = [&](const Unique* unique) { return unique->job.network != job.network; };
  if (job.network != nullptr)
    return open.first(static_cast<size_t>(std::ranges::find_if(open, is_of_another) - open.begin()));
  const size_t at_once = job.part ? kBatch : kWholeAtOnce;
  return open.first(std::min({kMostProfiled, at_once * static_cast<size_t>(workspace.device().boards()), open.size()}));
}

// Measures the first batch; returns how many that were.
size_t MeasureFirst(Workspace& workspace, std::span<Unique* const> open, double offset, Compiler& compiler,
                    TableCanary& canary) {
  const Context& context = workspace.context();
  const auto batch = FirstBatch(workspace, open), next = FirstBatch(workspace, open.subspan(batch.size()));
  auto measured = batch.front()->job.network != nullptr
                      ? EstimateParts(workspace, batch, offset)
                      : Measure(workspace, batch, compiler.Take(batch, next, offset), offset, canary.reference_ns());
  const bool estimate = workspace.device().Describe().estimates();
  if (!estimate) canary.Judge(measured);
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i]->row = MakeRow(batch[i]->key, measured[i], estimate, context.clock.WallSeconds());
    workspace.store().AddMeasurement(*batch[i]->row);
    ++batch[i]->tries;
  }
  return batch.size();
}

void MeasureAll(Workspace& workspace, std::vector<Unique*> open, double done_before, TableCanary& canary) {
  std::ranges::stable_sort(open, {}, [](const Unique* unique) { return unique->job.network; });
  Compiler compiler(workspace);
  for (size_t done = 0; done < open.size();) {
    done += MeasureFirst(workspace, std::span(open).subspan(done), done_before + static_cast<double>(done), compiler,
                         canary);
  }
}

struct LookedUp {
  std::map<std::string, Unique> unique;
  std::vector<Unique*> by_job, open;  // in it: one a job, and those that have to be measured
};

LookedUp LookUp(const Workspace& workspace, std::span<const LatencyJob> jobs) {
  LookedUp found;
  for (const LatencyJob& job : jobs) {
    const MeasurementKey key = KeyOf(workspace, job);
    auto [it, added] = found.unique.try_emplace(key.graph_key + key.flags, Unique{key, job, std::nullopt});
    if (added) {
      if (!job.part) it->second.least_samples = LeastSamples(StudyStatistic(workspace));
      it->second.row = workspace.store().FindMeasurement(key);
      it->second.tries = workspace.store().CountMeasurements(key);
      if (it->second.NeedsTry()) found.open.push_back(&it->second);
    }
    found.by_job.push_back(&it->second);
  }
  return found;
}

// Of a device that is not here: rows that are not in the journal can't be had, those that are there are taken as they
// are.
void TakeWhatIsThere(const Workspace& workspace, const std::string& stage, size_t rows, std::vector<Unique*>& open) {
  const auto missing = std::ranges::count_if(open, [](const Unique* unique) { return !unique->row; });
  open.clear();
  if (missing == 0) return;
  throw Error(Code::kUnavailable, "journal:" + workspace.device().Describe().fingerprint,
              std::to_string(missing) + " of " + std::to_string(rows) +
                  " networks or parts are not in the journal, and the device that would measure them is not here",
              "hot " + stage + " beside the device measures them; then import its journal");
}

}  // namespace

Artifact CompileUntrained(const Toolchain& toolchain, const LatencyJob& job, int threads,
                          const std::string& int8_scheme) {
  const Network network = FoldBatchNorm(*job.graph, TimingWeights(*job.graph, 1));
  const std::string scheme = SchemeOf(job.precision, int8_scheme);
  Quantization quantization;
  if (!scheme.empty()) quantization = SyntheticQuantization(network, scheme);
  if (!job.float_layers.empty()) {
    const QuantizedNetwork whole{.exact = network, .network = network, .quantization = quantization, .ranges = {}};
    quantization = WithFloatLayers(whole, job.float_layers).quantization;
  }
  return toolchain.Compile({.network = network,
                            .precision = job.precision,
                            .quantization = scheme.empty() ? nullptr : &quantization,
                            .threads = threads,
                            .int8_borders = job.part,
                            .timing_only = true,
                            .graph_key = GraphKey(*job.graph, job.precision)});
}

Artifact CompileUntrained(const Workspace& workspace, const LatencyJob& job) {
  return CompileUntrained(workspace.toolchain(), job, static_cast<int>(workspace.study().target.threads),
                          workspace.study().quantize.scheme);
}

std::optional<MeasurementRow> FindLatency(const Workspace& workspace, const LatencyJob& job,
                                          double reference_canary_ns) {
  std::optional<MeasurementRow> row = workspace.store().FindMeasurement(KeyOf(workspace, job));
  if (row) row = WithReference(*std::move(row), reference_canary_ns);
  return row;
}

double ReferenceCanaryNs(const Workspace& workspace) { return OldestReference(CanaryRows(workspace)); }

LatencyCount CountLatencies(const Workspace& workspace, std::span<const LatencyJob> jobs) {
  const LookedUp found = LookUp(workspace, jobs);
  return {.all = found.unique.size(), .to_measure = found.open.size()};
}

std::optional<double> SecondsALatency(const Workspace& workspace, bool part) {
  std::map<int64_t, size_t> rows_at;  // a batch of rows has one time
  for (const MeasurementRow& row : workspace.store().Measurements(workspace.device().Describe().fingerprint)) {
    const bool is_part = row.key.flags.find(kPartFlag) != std::string::npos;
    if (is_part == part && row.key.toolchain == workspace.toolchain().name()) ++rows_at[row.created];
  }
  std::vector<double> seconds;
  for (auto at = rows_at.begin(); at != rows_at.end() && std::next(at) != rows_at.end(); ++at) {
    const auto gap = static_cast<double>(std::next(at)->first - at->first);
    if (gap < kLongestBatch_s) seconds.push_back(gap / static_cast<double>(std::next(at)->second));
  }
  if (seconds.empty()) return std::nullopt;
  return Percentile(std::move(seconds), 0.5);
}

LatencyRows MeasureLatencies(Workspace& workspace, std::span<const LatencyJob> jobs, const std::string& stage) {
  const DeviceInfo device = workspace.device().Describe();
  RefuseEmulated(device.json, device.name);
  auto [unique, by_job, open] = LookUp(workspace, jobs);
  if (!device.present) {
    TakeWhatIsThere(workspace, stage, unique.size(), open);
  } else {
    RememberTarget(workspace.device(), workspace.toolchain(), workspace.store(),
                   workspace.context().clock.WallSeconds());
  }
  LatencyRows result;
  result.measured = static_cast<int>(open.size());
  result.from_journal = static_cast<int>(unique.size() - open.size());
  workspace.context().progress.Begin(stage, static_cast<double>(unique.size()));
  TableCanary canary(workspace);
  MeasureAll(workspace, open, result.from_journal, canary);
  std::erase_if(open, [](const Unique* u) { return !u->NeedsTry(); });
  MeasureAll(workspace, open, static_cast<double>(unique.size() - open.size()), canary);
  for (const Unique* u : by_job) result.rows.push_back(WithReference(*u->row, canary.reference_ns()));
  for (const auto& [key, u] : unique) result.unsteady += u.row->steady ? 0 : 1;
  return result;
}

}  // namespace hot
