// The device agent (`hot serve`) on this machine. Last line: JSON. Usage: hot_bench_server [MODE], one of
//   jobs [JOBS KILLS]  8 clients put mixed jobs (500) through an agent that is killed (5 times): what is lost, and what
//                      is recorded twice
//   overhead [ROUNDS]  a profile job of one network through the agent v the same measurement in process
//   agents [ROUNDS]    a table on two agents v on one, each pinned to one core; where the time went
//   repeat [MINUTES]   the look-up table of width 1.0 twice, with a pause (30) between: how far the rows differ
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent_process.h"
#include "agent_soak.h"
#include "bench_study.h"
#include "deploy/toolchain.h"
#include "graph/key.h"
#include "hot/v1/device.grpc.pb.h"
#include "models/backbone.h"
#include "pipeline/latencies.h"
#include "pipeline/stage.h"
#include "pipeline/workspace.h"
#include "tasks/task.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

double Median(std::vector<double> values) { return MedianWithInterval(std::move(values)).median; }

Json Jobs(int jobs, int kills) {
  const SoakResult result = SoakAgent({.clients = 8, .jobs = jobs, .kills = kills, .seed = 1});
  std::printf(
      "%d jobs of 8 clients, agent killed %d times: %d lost, %d recorded twice, %d executions repeated, %.0f s\n",
      result.jobs, result.kills, result.lost, result.duplicated, result.repeated, result.seconds);
  return {{"bench", "server jobs"},          {"jobs", result.jobs},   {"lost", result.lost},
          {"duplicated", result.duplicated}, {"kills", result.kills}, {"repeated", result.repeated},
          {"seconds", result.seconds}};
}

// MobileNetV2 SSD, three classes, random weights: about 5 ms an inference in fp32 on a desktop's core.
Artifact FiveMilliseconds() {
  const Backbone& backbone = FindBackbone("mobilenet_v2");
  TaskOptions options;
  options.classes = {"a", "b", "c"};
  options.input = {3, 160, 160};
  const Graph graph = BuildNetwork(backbone, 1.0, BaselineChoices(backbone, 1.0, Precision::kFp32), *MakeTask(options));
  return MakeToolchain("openvino")
      ->Compile({.network = FoldBatchNorm(graph, TimingWeights(graph, 1)),
                 .timing_only = true,
                 .graph_key = GraphKey(graph, Precision::kFp32)});
}

Json Overhead(int rounds, const Context& context) {
  const TempFolder folder;
  const AgentProcess agent(folder.path() / "agent");
  const auto host = MakeDevice("host", 1), remote = MakeDevice(agent.url(), 1);
  const Artifact artifact = FiveMilliseconds();
  const Artifact* const artifacts[] = {&artifact};
  const MeasureOptions options{.min_samples = 64};  // what an agent takes at least
  // The canary's time in a first measurement is what all are normalised with.
  const double reference = CanaryReference(host->Profile(artifacts, options, 0, context).at(0));
  std::vector<double> seconds[2], latencies[2], time_ratios, latency_ratios;
  for (int round = -1; round < rounds; ++round) {  // the first only warms up
    for (int way = 0; way < 2; ++way) {
      const Stopwatch watch;
      const Measurement measured = (way == 0 ? *host : *remote).Profile(artifacts, options, reference, context).at(0);
      if (round < 0) continue;
      seconds[way].push_back(watch.Seconds());
      latencies[way].push_back(measured.median_ns * 1e-6);
    }
    if (round < 0) continue;
    time_ratios.push_back(seconds[1].back() / seconds[0].back());
    latency_ratios.push_back(latencies[1].back() / latencies[0].back());
  }
  std::printf("time to result: in process %.2f s, agent %.2f s, ratio %.3f (asked 1.3)\n", Median(seconds[0]),
              Median(seconds[1]), Median(time_ratios));
  std::printf("latency: in process %.3f ms, agent %.3f ms, ratio %.4f (asked 0.98 to 1.02)\n", Median(latencies[0]),
              Median(latencies[1]), Median(latency_ratios));
  return {{"bench", "server overhead"},
          {"seconds", {Median(seconds[0]), Median(seconds[1])}},
          {"ratio", Median(time_ratios)},
          {"asked_ratio", 1.3},
          {"latency_ms", {Median(latencies[0]), Median(latencies[1])}},
          {"latency_ratio", Median(latency_ratios)},
          {"asked_latency_ratio", 1.02},
          {"rounds", rounds}};
}

struct Table {
  double seconds = 0;
  std::vector<MeasurementRow> rows;
  int again = 0;  // rows that were measured more than once
  std::map<std::string, int> reasons;
};

// Stage profile from an empty journal.
Table Profile(BenchStudy& bench, double width, int side, const std::string& device) {
  Study study = bench.Fresh(width, side, {"int8"});
  study.target.device = device;
  Workspace workspace(study, bench.context());
  const Stopwatch watch;
  RunStages(workspace, "profile");
  Table table{.seconds = watch.Seconds(), .rows = {}, .again = 0, .reasons = {}};
  table.rows = workspace.store().Measurements(workspace.device().Describe().fingerprint);
  for (const MeasurementRow& row : table.rows) {
    table.again += workspace.store().CountMeasurements(row.key) > 1 ? 1 : 0;
    if (!row.steady) ++table.reasons[row.note];
  }
  std::ranges::sort(table.rows, {}, [](const MeasurementRow& row) { return row.key.graph_key + row.key.flags; });
  return table;
}

// How long the jobs of this program's studies on an agent have run in all, by the agent's own account.
double RanSeconds(const AgentProcess& agent) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  grpc::ClientContext call;
  call.AddMetadata("hot-client", std::to_string(getuid()) + "@" + host.data());
  v1::ListRequest request;
  request.set_limit(10'000);
  v1::ListResponse response;
  const auto channel = grpc::CreateChannel(agent.address(), grpc::InsecureChannelCredentials());
  const grpc::Status status = v1::DeviceAgent::NewStub(channel)->List(&call, request, &response);
  if (!status.ok()) throw Error(Code::kInternal, "bench server", status.error_message());
  double seconds = 0;
  for (const v1::JobStatus& job : response.jobs()) seconds += static_cast<double>(job.ran_ns()) * 1e-9;
  return seconds;
}

// A table on these agents, and where its time went: how long each agent's jobs ran, how many samples its rows took.
Json TableOn(BenchStudy& bench, const std::vector<const AgentProcess*>& agents) {
  std::string url;
  std::vector<double> ran;
  for (const AgentProcess* agent : agents) {
    url += (url.empty() ? "" : ",") + agent->url();
    ran.push_back(-RanSeconds(*agent));
  }
  const Table table = Profile(bench, 1.0, 224, url);
  for (size_t i = 0; i < agents.size(); ++i) ran[i] += RanSeconds(*agents[i]);
  size_t samples = 0;
  for (const MeasurementRow& row : table.rows) samples += row.samples_ns.size();
  return {{"seconds", table.seconds},
          {"ran_seconds", ran},
          {"rows", table.rows.size()},
          {"samples", samples},
          {"measured_again", table.again}};
}

Json Agents(int rounds) {
  BenchStudy bench;
  const TempFolder folder;
  const AgentProcess first(folder.path() / "a", {}, {"taskset", "-c", "0"});
  const AgentProcess second(folder.path() / "b", {}, {"taskset", "-c", "1"});
  std::vector<double> one, two, ratios;
  Json tables = Json::array();
  for (int round = 0; round < rounds; ++round) {
    const Json alone = TableOn(bench, {&second}), both = TableOn(bench, {&first, &second});
    std::printf("one agent %s\ntwo       %s\n", alone.dump().c_str(), both.dump().c_str());
    std::fflush(stdout);
    one.push_back(alone.at("seconds"));
    two.push_back(both.at("seconds"));
    ratios.push_back(two.back() / one.back());
    tables.push_back({alone, both});
  }
  std::printf("table on one agent %.1f s, on two %.1f s, ratio %.3f (asked 0.6)\n", Median(one), Median(two),
              Median(ratios));
  return {{"bench", "server agents"}, {"seconds", {Median(one), Median(two)}},
          {"ratio", Median(ratios)},  {"asked_ratio", 0.6},
          {"ratios", ratios},         {"tables", tables}};
}

Json Repeat(int minutes) {
  BenchStudy bench;
  const TempFolder folder;
  const AgentProcess agent(folder.path() / "agent");
  const Table before = Profile(bench, 1.0, 320, agent.url());
  std::this_thread::sleep_for(std::chrono::minutes(minutes));
  const Table after = Profile(bench, 1.0, 320, agent.url());
  // Each table is normalised with its own first canary: what both have in common is a row's ratio to the canary.
  std::vector<double> normalised, raw;
  for (size_t i = 0; i < before.rows.size(); ++i) {
    const auto ratio = [](const MeasurementRow& row) {
      return row.median_ns /
             CanaryReference({.samples_ns = row.samples_ns, .canary_ns = row.canary_ns, .median_ns = row.median_ns});
    };
    normalised.push_back(std::abs(ratio(after.rows[i]) / ratio(before.rows[i]) - 1));
    raw.push_back(std::abs(after.rows[i].raw_median_ns / before.rows[i].raw_median_ns - 1));
  }
  std::printf(
      "%zu rows, %d minutes apart: median difference %.2f %% of canary-normalised times (asked 2 %%), %.2f %% raw; "
      "90 %% of the rows within %.2f %%\n",
      before.rows.size(), minutes, 100 * Median(normalised), 100 * Median(raw), 100 * Percentile(normalised, 0.9));
  const auto json = [](const Table& table) {
    return Json{{"seconds", table.seconds}, {"measured_again", table.again}, {"unsteady", table.reasons}};
  };
  return {{"bench", "server repeat"},
          {"rows", before.rows.size()},
          {"minutes", minutes},
          {"median_difference", Median(normalised)},
          {"asked", 0.02},
          {"raw_difference", Median(raw)},
          {"p90_difference", Percentile(normalised, 0.9)},
          {"tables", {json(before), json(after)}}};
}

Json Run(const std::string& mode, const std::vector<int>& numbers) {
  const auto number = [&](size_t i, int otherwise) { return i < numbers.size() ? numbers[i] : otherwise; };
  if (mode == "jobs") return Jobs(number(0, 500), number(1, 5));
  if (mode == "agents") return Agents(number(0, 3));
  if (mode == "repeat") return Repeat(number(0, 30));
  if (mode == "overhead") {
    const auto silent = MakeSilentProgress();
    const std::atomic<bool> cancelled = false;
    return Overhead(number(0, 9), {SystemClock(), *silent, cancelled});
  }
  throw Error(Code::kInvalidArgument, "bench server", "unknown mode \"" + mode + "\"",
              "jobs [JOBS KILLS], overhead [ROUNDS], agents [ROUNDS], repeat [MINUTES]");
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  std::vector<int> numbers;
  for (int i = 2; i < argc; ++i) numbers.push_back(std::atoi(argv[i]));
  try {
    std::printf("%s\n", hot::Run(argc > 1 ? argv[1] : "jobs", numbers).dump().c_str());
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
