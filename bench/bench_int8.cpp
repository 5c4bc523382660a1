// int8 v fp32 of the same untrained networks on the host with OpenVINO and one thread: the MobileNetV2 SSD baselines
// whole, all interleaved in one run, medians of several rounds; where their time goes, by kernel; then every row of the
// width-1.0 look-up table in both precisions, flagged where int8 does not pay. Last line: JSON.
// Usage: hot_bench_int8 [rounds [networks]]; with `networks` the table is left out.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "bench_study.h"
#include "deploy/session.h"
#include "deploy/toolchains/openvino/openvino_model.h"
#include "pipeline/latencies.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kThreads = 1;
constexpr double kTableWidth = 1.0;
constexpr int kTableSide = 320;
constexpr double kAsked = 0.6;         // issue 3: int8's latency over fp32's, width 1.0 at 320x320
constexpr double kGoal = 0.5;          // issue 5
constexpr double kLeastSpeedUp = 1.2;  // issue 5: rows below it are flagged
constexpr int kTimerRuns = 50;         // inferences behind each layer's time

double Median(const std::vector<double>& values) { return MedianWithInterval(values).median; }

struct Baseline {
  double width;
  int side;
  Graph graph = {};
  Artifact fp32 = {}, int8 = {};
  std::vector<double> fp32_ms = {}, int8_ms = {}, ratios = {};  // by round

  std::string Name() const {
    char text[64];
    std::snprintf(text, sizeof text, "mobilenet_v2-%g ssd %dx%d", width, side, side);
    return text;
  }
};

std::vector<Baseline> MakeBaselines() {
  std::vector<Baseline> baselines;
  baselines.push_back({.width = kTableWidth, .side = kTableSide});
  baselines.push_back({.width = 0.35, .side = 160});
  const Backbone& backbone = FindBackbone("mobilenet_v2");
  const auto toolchain = MakeToolchain("openvino");
  for (Baseline& baseline : baselines) {
    const TaskOptions options{.input = {3, baseline.side, baseline.side}, .classes = {"circle", "square", "triangle"}};
    baseline.graph = BuildNetwork(backbone, baseline.width, BaselineChoices(backbone, baseline.width, Precision::kFp32),
                                  *MakeTask(options));
    baseline.fp32 = CompileUntrained(*toolchain, {.graph = &baseline.graph}, kThreads);
    baseline.int8 = CompileUntrained(*toolchain, {.graph = &baseline.graph, .precision = Precision::kInt8}, kThreads);
  }
  return baselines;
}

void MeasureBaselines(std::vector<Baseline>& baselines, int rounds, const Context& context) {
  const auto device = MakeDevice("host", kThreads);
  std::vector<const Artifact*> artifacts;
  for (const Baseline& baseline : baselines) artifacts.insert(artifacts.end(), {&baseline.fp32, &baseline.int8});
  for (int round = 0; round < rounds; ++round) {
    context.progress.Begin("networks, round " + std::to_string(round + 1), static_cast<double>(artifacts.size()));
    const std::vector<Measurement> measured = device->Profile(artifacts, {}, 0, context);
    for (size_t i = 0; i < baselines.size(); ++i) {
      baselines[i].fp32_ms.push_back(measured[2 * i].median_ns * 1e-6);
      baselines[i].int8_ms.push_back(measured[2 * i + 1].median_ns * 1e-6);
      baselines[i].ratios.push_back(baselines[i].int8_ms.back() / baselines[i].fp32_ms.back());
    }
    context.progress.End("measured");
  }
}

void PrintBaselines(const std::vector<Baseline>& baselines) {
  std::printf("%-30s %9s %9s %7s %9s\n", "network", "fp32 ms", "int8 ms", "ratio", "spread");
  for (const Baseline& b : baselines) {
    const auto [low, high] = std::ranges::minmax(b.ratios);
    std::printf("%-30s %9.3f %9.3f %7.3f %.3f-%.3f\n", b.Name().c_str(), Median(b.fp32_ms), Median(b.int8_ms),
                Median(b.ratios), low, high);
  }
}

// Each step of the compiled network with its median time over kTimerRuns inferences.
std::vector<LayerTime> TimeSteps(ov::Core& core, const Artifact& artifact) {
  OpenVinoModel model(core, artifact.blob, ParsePrecision(artifact.precision), kThreads, "timers", true);
  model.FillInputs(1);
  std::map<std::string, std::vector<double>> times;
  std::map<std::string, LayerTime> steps;
  for (int run = -kTimerRuns / 5; run < kTimerRuns; ++run) {
    model.Infer();
    if (run < 0) continue;  // warm-up
    for (LayerTime& step : model.LayerTimes()) {
      times[step.layer].push_back(step.us);
      steps[step.layer] = std::move(step);
    }
  }
  std::vector<LayerTime> medians;
  for (auto& [layer, step] : steps) {
    step.us = Median(times[layer]);
    medians.push_back(std::move(step));
  }
  return medians;
}

double TotalUs(const std::vector<LayerTime>& steps) {
  double us = 0;
  for (const LayerTime& step : steps) us += step.us;
  return us;
}

void PrintKernels(const std::string& network, const Artifact& artifact, const std::vector<LayerTime>& steps) {
  struct Kernel {
    std::string name;
    int steps = 0;
    double us = 0;
  };
  std::map<std::string, Kernel> by_name;
  for (const LayerTime& step : steps) {
    const std::string name = step.type + " " + step.kernel;
    const Kernel& before = by_name[name];
    by_name[name] = {name, before.steps + 1, before.us + step.us};
  }
  std::vector<Kernel> kernels;
  for (const auto& [name, kernel] : by_name) kernels.push_back(kernel);
  std::ranges::sort(kernels, std::greater(), &Kernel::us);
  const double total = TotalUs(steps);
  std::printf("\n%s, %s: %.3f ms in steps, by OpenVINO's timers\n", network.c_str(), artifact.precision.c_str(),
              total * 1e-3);
  for (const Kernel& kernel : kernels) {
    std::printf("  %-45s %4d steps %8.0f us %5.1f %%\n", kernel.name.c_str(), kernel.steps, kernel.us,
                100 * kernel.us / total);
  }
}

void PrintKernels(const std::vector<Baseline>& baselines) {
  const ScopedPin pin(kThreads);
  ov::Core core;
  for (const Baseline& baseline : baselines) {
    for (const Artifact* artifact : {&baseline.fp32, &baseline.int8})
      PrintKernels(baseline.Name(), *artifact, TimeSteps(core, *artifact));
  }
}

// One part and choice in both precisions.
struct RowPair {
  std::string part, choice;  // choice without its precision; empty for stem, tail and head
  bool baseline = false;
  double fp32_ns = 0, int8_ns = 0;
  // Conversions of the layout at the borders, which a part pays alone and not inside a network; shares of the times.
  double fp32_borders = 0, int8_borders = 0;

  double speed_up() const { return fp32_ns / int8_ns; }
  double inner_speed_up() const { return fp32_ns * (1 - fp32_borders) / (int8_ns * (1 - int8_borders)); }
  bool flagged() const { return speed_up() < kLeastSpeedUp; }
  bool printed() const { return baseline || flagged(); }
};

double BorderShare(ov::Core& core, const Artifact& part) {
  const std::vector<LayerTime> steps = TimeSteps(core, part);
  std::vector<LayerTime> conversions;
  std::ranges::copy_if(steps, std::back_inserter(conversions),
                       [](const LayerTime& step) { return step.type == "Reorder" || step.type == "Transpose"; });
  return TotalUs(conversions) / TotalUs(steps);
}

std::string BareName(const Choice& choice) {
  if (choice.block.empty()) return "";
  const std::string name = choice.Name();
  return name.substr(0, name.find('@'));
}

// Of the rows that are printed. Jobs 2i and 2i + 1 are those of pair i.
void FindBorders(const Workspace& workspace, const std::vector<LatencyJob>& jobs, std::vector<RowPair>& pairs) {
  const ScopedPin pin(kThreads);
  ov::Core core;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!pairs[i].printed()) continue;
    pairs[i].fp32_borders = BorderShare(core, CompileUntrained(workspace.toolchain(), jobs[2 * i], kThreads));
    pairs[i].int8_borders = BorderShare(core, CompileUntrained(workspace.toolchain(), jobs[2 * i + 1], kThreads));
  }
}

// fp32 and int8 of a row stand side by side in the list of jobs, so that they are measured in the same batch.
std::vector<RowPair> MeasureRows(Workspace& workspace) {
  TablePlan fp32 = PlanTable(workspace, kTableWidth, Precision::kFp32);
  TablePlan int8 = PlanTable(workspace, kTableWidth, Precision::kInt8);
  HOT_ASSERT(fp32.graphs.size() == int8.graphs.size());
  std::vector<LatencyJob> jobs;
  for (size_t i = 0; i < fp32.graphs.size(); ++i) {
    jobs.push_back({.graph = &fp32.graphs[i], .precision = Precision::kFp32, .part = true});
    jobs.push_back({.graph = &int8.graphs[i], .precision = Precision::kInt8, .part = true});
  }
  const LatencyRows measured = MeasureLatencies(workspace, jobs, "rows");
  workspace.context().progress.End(std::to_string(measured.measured) + " rows measured, " +
                                   std::to_string(measured.unsteady) + " unsteady");
  const std::vector<Choice> baseline = BaselineChoices(workspace.backbone(), kTableWidth, Precision::kInt8);
  std::vector<RowPair> pairs;
  for (const TableRow* row : AllRows(int8.table)) {
    const size_t i = 2 * pairs.size();
    pairs.push_back({.part = row->part,
                     .choice = BareName(row->choice),
                     .baseline = std::ranges::count(baseline, row->choice) > 0 || row->choice.block.empty(),
                     .fp32_ns = measured.rows[i].median_ns,
                     .int8_ns = measured.rows[i + 1].median_ns});
  }
  FindBorders(workspace, jobs, pairs);
  return pairs;
}

// The baseline's rows, and the flagged ones.
void PrintRows(const std::vector<RowPair>& pairs) {
  std::printf("\n%-6s %-16s %9s %9s %9s %9s %9s\n", "part", "choice", "fp32 us", "int8 us", "speed-up", "borders%",
              "without");
  for (const RowPair& pair : pairs) {
    if (!pair.printed()) continue;
    std::printf("%-6s %-16s %9.1f %9.1f %9.2f %9.1f %9.2f%s%s\n", pair.part.c_str(), pair.choice.c_str(),
                pair.fp32_ns * 1e-3, pair.int8_ns * 1e-3, pair.speed_up(), 100 * pair.int8_borders,
                pair.inner_speed_up(), pair.baseline ? "  baseline" : "", pair.flagged() ? "  FLAGGED" : "");
  }
}

Json RowsJson(const std::vector<RowPair>& pairs) {
  std::vector<double> speed_ups;
  Json flagged = Json::array(), flagged_inside = Json::array();
  for (const RowPair& pair : pairs) {
    speed_ups.push_back(pair.speed_up());
    if (!pair.flagged()) continue;
    flagged.push_back(pair.choice.empty() ? pair.part : pair.part + " " + pair.choice);
    if (pair.inner_speed_up() < kLeastSpeedUp) flagged_inside.push_back(flagged.back());
  }
  return {{"rows", pairs.size()},
          {"median_speed_up", Median(speed_ups)},
          {"least_speed_up", kLeastSpeedUp},
          {"flagged_rows", flagged.size()},
          {"flagged", flagged},
          {"flagged_without_borders", flagged_inside}};
}

void Run(int rounds, bool with_table) {
  BenchStudy studies;
  std::vector<Baseline> baselines = MakeBaselines();
  MeasureBaselines(baselines, rounds, studies.context());
  PrintBaselines(baselines);
  PrintKernels(baselines);
  const auto device = MakeDevice("host", kThreads);
  const auto in_float = ConvolutionsNotIn(device->Load(baselines[0].int8)->LayerPrecisions(), "i8");
  for (const std::string& layer : in_float) std::printf("not on an integer kernel: %s\n", layer.c_str());
  Json json = {{"bench", "int8"},
               {"ours", Median(baselines[0].int8_ms)},
               {"peer", Median(baselines[0].fp32_ms)},
               {"ratio", Median(baselines[0].ratios)},
               {"unit", "ms"},
               {"asked_ratio_at_most", kAsked},
               {"goal_ratio_at_most", kGoal},
               {"ratio_0.35_160", Median(baselines[1].ratios)},
               {"convolutions_not_int8", in_float.size()},
               {"rounds", rounds}};
  if (with_table) {
    Workspace workspace(studies.Fresh(kTableWidth, kTableSide, {"fp32", "int8"}), studies.context());
    const std::vector<RowPair> pairs = MeasureRows(workspace);
    PrintRows(pairs);
    json["table"] = RowsJson(pairs);
  }
  std::printf("%s\n", json.dump().c_str());
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 100) : 3;
  try {
    hot::Run(rounds, argc <= 2 || std::string(argv[2]) != "networks");
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
