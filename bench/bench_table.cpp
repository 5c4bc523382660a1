// The look-up table of MobileNetV2-1.0 SSD at 320x320 (seed space, one thread) from an empty journal, in fp32 and int8:
// stage profile as `hot profile` runs it, v the loop one writes without it: the same rows one after the other, raw
// samples, the same stopping rule, no canary. Both in turn, several rounds; how far two rounds of one way differ says
// what the seconds bought. Last line: JSON. Usage: hot_bench_table [rounds]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "bench_study.h"
#include "deploy/toolchains/openvino/openvino_model.h"
#include "pipeline/latencies.h"
#include "pipeline/stage.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kWidth = 1.0;
constexpr int kSide = 320;
constexpr int kThreads = 1;
constexpr double kAskedSeconds = 240;  // issue 3: the rows of one width in one precision
constexpr Precision kPrecisions[] = {Precision::kFp32, Precision::kInt8};

struct Row {
  double latency_ns = 0;
  double half_width = 0;  // of the 95 % interval, relative
  bool steady = false;
};
using Rows = std::map<std::string, Row>;  // by graph key: equal graphs are one row

struct Pass {
  double seconds = 0;
  Rows rows;
};

double Seconds(const std::function<void()>& work) {
  const int64_t start = SystemClock().NowNs();
  work();
  return static_cast<double>(SystemClock().NowNs() - start) * 1e-9;
}

double Median(const std::vector<double>& values) { return MedianWithInterval(values).median; }

Row MakeRow(double median, double low, double high, bool steady) {
  return {.latency_ns = median, .half_width = (high - low) / 2 / median, .steady = steady};
}

Pass ProfileStage(Workspace& workspace) {
  Pass pass;
  pass.seconds = Seconds([&] { RunStages(workspace, "profile"); });
  for (LookupTable& table : ReadTables(workspace)) {
    for (const TableRow* row : AllRows(table))
      pass.rows[row->graph_key] = MakeRow(row->latency_ns, row->low_ns, row->high_ns, row->steady);
  }
  return pass;
}

// Warm-up, then samples of at least min_sample_ns until the 95 % interval of their median is within the target or the
// cap is reached: the loop of MeasureInterleaved, for one subject and by the clock alone.
Row MeasureAlone(OpenVinoModel& model, const MeasureOptions& options) {
  constexpr int kWarmUpRuns = 10;
  const auto sample_ns = [&](int repeats) {
    return 1e9 * Seconds([&] {
             for (int i = 0; i < repeats; ++i) model.Infer();
           }) /
           repeats;
  };
  sample_ns(kWarmUpRuns - 1);
  const int repeats = static_cast<int>(std::ceil(static_cast<double>(options.min_sample_ns) / sample_ns(1)));
  std::vector<double> samples;
  while (true) {
    samples.push_back(sample_ns(repeats));
    const auto count = static_cast<int>(samples.size());
    if (count < options.min_samples) continue;
    const MedianInterval interval = MedianWithInterval(samples);
    const Row row = MakeRow(interval.median, interval.low, interval.high, true);
    if (row.half_width <= options.target_half_width) return row;
    if (count >= options.max_samples) return MakeRow(interval.median, interval.low, interval.high, false);
  }
}

// As MeasureLatencies: a row that was not steady gets a second try.
Pass OneAfterTheOther(const Workspace& workspace, Precision precision) {
  Pass pass;
  pass.seconds = Seconds([&] {
    const ScopedPin pin(kThreads);
    ov::Core core;
    const TablePlan plan = PlanTable(workspace, kWidth, precision);
    workspace.context().progress.Begin("one by one", static_cast<double>(plan.graphs.size()));
    for (const Graph& graph : plan.graphs) {
      const Artifact artifact = CompileUntrained(workspace.toolchain(), {&graph, precision, true}, kThreads);
      if (pass.rows.contains(artifact.graph_key)) continue;
      OpenVinoModel model(core, artifact.blob, precision, kThreads, artifact.graph_key);
      model.FillInputs(pass.rows.size());
      Row row = MeasureAlone(model, {});
      if (!row.steady) row = MeasureAlone(model, {});
      pass.rows[artifact.graph_key] = row;
      workspace.context().progress.Update(static_cast<double>(pass.rows.size()), "");
    }
  });
  workspace.context().progress.End(std::to_string(pass.rows.size()) + " rows measured");
  return pass;
}

// How much each row differs between two passes, relative, the factor that is common to all rows taken off.
std::vector<double> RepeatDifferences(const Rows& first, const Rows& second) {
  std::vector<double> differences;
  for (const auto& [key, row] : first) differences.push_back(second.at(key).latency_ns / row.latency_ns);
  const double common = Median(differences);
  for (double& difference : differences) difference = std::abs(difference / common - 1);
  return differences;
}

// All passes of one way to measure in one precision.
struct Contender {
  std::string name;
  std::vector<Pass> passes = {};

  double seconds() const {
    std::vector<double> values;
    for (const Pass& pass : passes) values.push_back(pass.seconds);
    return Median(values);
  }
  double worst_seconds() const { return std::ranges::max_element(passes, {}, &Pass::seconds)->seconds; }
  double half_width() const {
    std::vector<double> values;
    for (const Pass& pass : passes) {
      for (const auto& [key, row] : pass.rows) values.push_back(row.half_width);
    }
    return Median(values);
  }
  int64_t unsteady() const {  // in the worst pass
    int64_t most = 0;
    for (const Pass& pass : passes)
      most =
          std::max<int64_t>(most, std::ranges::count_if(pass.rows, [](const auto& row) { return !row.second.steady; }));
    return most;
  }
  std::vector<double> repeat() const {
    std::vector<double> values;
    for (size_t i = 1; i < passes.size(); ++i) {
      const std::vector<double> more = RepeatDifferences(passes[i - 1].rows, passes[i].rows);
      values.insert(values.end(), more.begin(), more.end());
    }
    return values;
  }
};

struct Comparison {
  Precision precision = Precision::kFp32;
  Contender ours{"hot profile"}, peer{"one by one"};
};

// "0.85"; "-" where there is one pass only.
std::string PercentText(const std::vector<double>& values, double p) {
  if (values.empty()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", 100 * Percentile(values, p));
  return text;
}

void PrintContender(Precision precision, const Contender& contender) {
  const std::vector<double> repeat = contender.repeat();
  std::printf("%-5s %4zu  %-12s %9.1f %9.1f %9lld %11.2f %9s %9s\n", PrecisionName(precision).c_str(),
              contender.passes[0].rows.size(), contender.name.c_str(), contender.seconds(), contender.worst_seconds(),
              static_cast<long long>(contender.unsteady()), 100 * contender.half_width(),
              PercentText(repeat, 0.5).c_str(), PercentText(repeat, 0.9).c_str());
}

Json ContenderJson(const Contender& contender) {
  const std::vector<double> repeat = contender.repeat();
  Json json = {{"rows", contender.passes[0].rows.size()},
               {"seconds", contender.seconds()},
               {"worst_seconds", contender.worst_seconds()},
               {"unsteady", contender.unsteady()},
               {"half_width_percent", 100 * contender.half_width()}};
  if (!repeat.empty()) {
    json["repeat_percent"] = 100 * Median(repeat);
    json["repeat_p90_percent"] = 100 * Percentile(repeat, 0.9);
  }
  return json;
}

void Print(const std::vector<Comparison>& comparisons, size_t nominal_rows, int rounds) {
  std::printf("%-5s %4s  %-12s %9s %9s %9s %11s %9s %9s\n", "", "rows", "measured by", "median s", "worst s",
              "unsteady", "+-interval%", "repeat%", "p90%");
  for (const Comparison& comparison : comparisons) {
    PrintContender(comparison.precision, comparison.ours);
    PrintContender(comparison.precision, comparison.peer);
  }
  const auto slowest = std::ranges::max_element(comparisons, {}, [](const Comparison& c) { return c.ours.seconds(); });
  const double ours = slowest->ours.seconds(), peer = slowest->peer.seconds();
  Json json = {{"bench", "table"},
               {"ours", ours},
               {"peer", peer},
               {"ratio", ours / peer},
               {"unit", "s"},
               {"asked_at_most", kAskedSeconds},
               {"nominal_rows", nominal_rows},
               {"rounds", rounds}};
  for (const Comparison& comparison : comparisons) {
    json[PrecisionName(comparison.precision)] = {{"ours", ContenderJson(comparison.ours)},
                                                 {"peer", ContenderJson(comparison.peer)}};
  }
  std::printf("%s\n", json.dump().c_str());
}

// Choices of all slots before doubles are dropped: the "114 rows" of the seed space.
size_t NominalRows(const Workspace& workspace) {
  size_t rows = 0;
  for (const Slot& slot : workspace.backbone().Slots(kWidth, Precision::kFp32)) rows += slot.choices.size();
  return rows;
}

void Run(int rounds) {
  BenchStudy studies;
  std::vector<Comparison> comparisons;
  for (const Precision precision : kPrecisions) comparisons.push_back({.precision = precision});
  size_t nominal_rows = 0;
  for (int round = 0; round < rounds; ++round) {
    for (Comparison& comparison : comparisons) {
      Workspace workspace(studies.Fresh(kWidth, kSide, {PrecisionName(comparison.precision)}), studies.context());
      nominal_rows = NominalRows(workspace);
      const auto ours = [&] { comparison.ours.passes.push_back(ProfileStage(workspace)); };
      const auto peer = [&] { comparison.peer.passes.push_back(OneAfterTheOther(workspace, comparison.precision)); };
      if (round % 2 == 0) ours();
      peer();
      if (round % 2 == 1) ours();
    }
  }
  Print(comparisons, nominal_rows, rounds);
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 100) : 3;
  try {
    hot::Run(rounds);
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
