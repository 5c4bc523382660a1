// The look-up table of MobileNetV2-1.0 SSD at 320x320 (seed space, int8) from an empty journal, for each Ethos-U NPU:
// stage profile with the worker kept alive and Vela called within it, v Vela's command line, one process a network. The
// peer's networks are some of those that the table is read from (docs/adr/0016), as TFLite files already written. Then
// how far the table's plain sum is from Vela's estimate of the whole network, for random networks. Last line: JSON.
// Usage: hot_bench_vela [networks, default 20]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "bench_study.h"
#include "core/rng.h"
#include "core/subprocess.h"
#include "deploy/toolchains/vela/ethos_npu.h"
#include "measure/measure.h"
#include "pipeline/latencies.h"
#include "pipeline/networks.h"
#include "pipeline/stage.h"
#include "pipeline/tables.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kWidth = 1.0;
constexpr int kSide = 320;
constexpr size_t kPeerNetworks = 6;
constexpr double kAskedSeconds = 60;  // issue 5: the seed table of one width, per NPU

struct Row {
  std::string npu;
  size_t rows = 0, networks = 0;  // that they are read from
  double seconds = 0, a_network = 0, peer_a_network = 0;
  double median_error_pct = 0, worst_error_pct = 0;  // of the plain sum
};

double Seconds(const std::function<void()>& work) {
  const int64_t start = SystemClock().NowNs();
  work();
  return static_cast<double>(SystemClock().NowNs() - start) * 1e-9;
}

Workspace Open(BenchStudy& study, const EthosNpu& npu) {
  Study fresh = study.Fresh(kWidth, kSide, {"int8"});
  fresh.target.device = npu.name;
  fresh.target.toolchain = "vela";
  return Workspace(fresh, study.context());
}

// Vela's command line on one TFLite file.
void RunVela(const EthosNpu& npu, const fs::path& file) {
  const ProcessResult run = RunProcess({HOT_VENV "/bin/python", "-m", "ethosu.vela", file.string(), "--output-dir",
                                        file.parent_path().string(), "--config", "Arm/vela.ini", "--accelerator-config",
                                        std::string(npu.name), "--system-config", std::string(npu.system_config),
                                        "--memory-mode", std::string(npu.memory_mode)});
  if (!run.status.ok()) throw Error(Code::kInternal, "vela", run.output);
}

// Seconds a network, over some spread across those of the table.
double PeerSeconds(const Workspace& workspace, const EthosNpu& npu, const std::vector<Graph>& networks) {
  const TempFolder folder;
  std::vector<fs::path> files;
  for (size_t i = 0; i < kPeerNetworks; ++i) {
    const Graph& graph = networks[i * networks.size() / kPeerNetworks];
    files.push_back(folder.path() / (std::to_string(i) + ".tflite"));
    WriteFileAtomic(files.back(), CompileUntrained(workspace.toolchain(), {&graph, Precision::kInt8}, 1).reference);
  }
  return Seconds([&] {
           for (const fs::path& file : files) RunVela(npu, file);
         }) /
         static_cast<double>(kPeerNetworks);
}

// Plain sum of the table v the whole network, both Vela's estimates, in percent.
std::vector<double> PredictionErrors(Workspace& workspace, int networks) {
  const LookupTable table = ReadTables(workspace).at(0);
  Rng rng(1);
  std::vector<double> predicted;
  std::vector<Graph> graphs;
  for (int i = 0; i < networks; ++i) {
    std::vector<Choice> pick;
    for (const auto& rows : table.slots) pick.push_back(rows[static_cast<size_t>(rng.Below(std::ssize(rows)))].choice);
    predicted.push_back(Predict(table, pick, {}).latency_ns);
    graphs.push_back(GraphOf(workspace, kWidth, pick));
  }
  std::vector<LatencyJob> jobs;
  for (const Graph& graph : graphs) jobs.push_back({.graph = &graph, .precision = Precision::kInt8, .part = false});
  const LatencyRows whole = MeasureLatencies(workspace, jobs, "whole networks");
  std::vector<double> errors;
  for (size_t i = 0; i < predicted.size(); ++i)
    errors.push_back(100 * std::abs(predicted[i] / whole.rows[i].median_ns - 1));
  return errors;
}

Row Measure(BenchStudy& study, const EthosNpu& npu, int networks) {
  Workspace workspace = Open(study, npu);
  Row row;
  row.npu = npu.name;
  row.seconds = Seconds([&] { RunStages(workspace, "profile"); });
  row.rows = workspace.store().Measurements(workspace.device().Describe().fingerprint).size();
  const std::vector<Graph> of_table = PlanTable(workspace, kWidth, Precision::kInt8).networks.graphs;
  row.networks = of_table.size();
  row.a_network = row.seconds / static_cast<double>(row.networks);
  row.peer_a_network = PeerSeconds(workspace, npu, of_table);
  const std::vector<double> errors = PredictionErrors(workspace, networks);
  row.median_error_pct = MedianWithInterval(errors).median;
  row.worst_error_pct = std::ranges::max(errors);
  return row;
}

void Print(const std::vector<Row>& rows) {
  std::printf("%-14s %5s %9s %9s %12s %16s %22s\n", "", "rows", "networks", "table s", "s a network", "command line, s",
              "sum v whole, worst");
  for (const Row& row : rows) {
    std::printf("%-14s %5zu %9zu %9.2f %12.3f %16.3f %11.2f %% %6.2f %%\n", row.npu.c_str(), row.rows, row.networks,
                row.seconds, row.a_network, row.peer_a_network, row.median_error_pct, row.worst_error_pct);
  }
  const Row& slowest = *std::ranges::max_element(rows, {}, &Row::seconds);
  const Json json{{"bench", "vela"},
                  {"slowest_npu", slowest.npu},
                  {"rows", slowest.rows},
                  {"networks", slowest.networks},
                  {"table_seconds", slowest.seconds},
                  {"within_asked_seconds", slowest.seconds <= kAskedSeconds},
                  {"ours", slowest.a_network},
                  {"peer", slowest.peer_a_network},
                  {"ratio", slowest.a_network / slowest.peer_a_network},
                  {"median_error_pct", std::ranges::max_element(rows, {}, &Row::median_error_pct)->median_error_pct}};
  std::printf("%s\n", json.dump().c_str());
}

int Main(int networks) {
  BenchStudy study;
  std::vector<Row> rows;
  for (const EthosNpu& npu : kEthosNpus) rows.push_back(Measure(study, npu, networks));
  Print(rows);
  return 0;
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  try {
    return hot::Main(argc > 1 ? std::max(1, std::atoi(argv[1])) : 20);
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return hot::ExitCode(error.code());
  }
}
