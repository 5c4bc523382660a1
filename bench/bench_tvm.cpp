// TVM with our templates v OpenVINO on the host, one thread: MobileNetV2 1.0 with an SSD head at 320x320, untrained, in
// fp32 and int8, all four interleaved in one run, medians of several rounds. Beside it how long TVM compiles and what
// the library needs. Last line: JSON.
// Usage: hot_bench_tvm [rounds]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bench_study.h"
#include "deploy/toolchains/tvm/tvm_model.h"
#include "pipeline/latencies.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kThreads = 1;
constexpr double kWidth = 1.0;
constexpr int kSide = 320;
// Issue 5: latency over OpenVINO's of the same run; seconds to compile.
constexpr double kAsked = 3, kGoal = 1.5, kCompileAsked = 60;

double Median(const std::vector<double>& values) { return MedianWithInterval(values).median; }

struct Pair {
  Precision precision;
  Artifact tvm = {}, openvino = {};
  double compile_s = 0;
  std::vector<double> tvm_ms = {}, openvino_ms = {}, ratios = {};  // by round
};

std::vector<Pair> CompilePairs(const Context& context) {
  const Backbone& backbone = FindBackbone("mobilenet_v2");
  const TaskOptions options{.input = {3, kSide, kSide}, .classes = {"circle", "square", "triangle"}};
  const Graph graph =
      BuildNetwork(backbone, kWidth, BaselineChoices(backbone, kWidth, Precision::kFp32), *MakeTask(options));
  const auto tvm = MakeToolchain("tvm"), openvino = MakeToolchain("openvino");
  std::vector<Pair> pairs;
  for (const Precision precision : {Precision::kFp32, Precision::kInt8}) {
    context.progress.Begin("compiling " + PrecisionName(precision), 1);
    Pair& pair = pairs.emplace_back(Pair{.precision = precision});
    const auto begun = std::chrono::steady_clock::now();
    pair.tvm = CompileUntrained(*tvm, {.graph = &graph, .precision = precision}, kThreads);
    pair.compile_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    pair.openvino = CompileUntrained(*openvino, {.graph = &graph, .precision = precision}, kThreads);
    context.progress.End("compiled");
  }
  return pairs;
}

void Measure(std::vector<Pair>& pairs, int rounds, const Context& context) {
  const auto device = MakeDevice("host", kThreads);
  std::vector<const Artifact*> artifacts;
  for (const Pair& pair : pairs) artifacts.insert(artifacts.end(), {&pair.tvm, &pair.openvino});
  for (int round = 0; round < rounds; ++round) {
    context.progress.Begin("round " + std::to_string(round + 1), static_cast<double>(artifacts.size()));
    const std::vector<Measurement> measured = device->Profile(artifacts, {}, 0, context);
    for (size_t i = 0; i < pairs.size(); ++i) {
      pairs[i].tvm_ms.push_back(measured[2 * i].median_ns * 1e-6);
      pairs[i].openvino_ms.push_back(measured[2 * i + 1].median_ns * 1e-6);
      pairs[i].ratios.push_back(pairs[i].tvm_ms.back() / pairs[i].openvino_ms.back());
    }
    context.progress.End("measured");
  }
}

Json Report(const Pair& pair) {
  const TvmDescription description = TvmModel(pair.tvm.blob, "bench").description();
  const auto [low, high] = std::ranges::minmax(pair.ratios);
  std::printf("%-5s %9.3f %12.3f %7.3f %.3f-%.3f %10.1f %10.1f %9d %9.2f\n", PrecisionName(pair.precision).c_str(),
              Median(pair.tvm_ms), Median(pair.openvino_ms), Median(pair.ratios), low, high, pair.compile_s,
              static_cast<double>(description.arena_bytes) / 1024, description.kernels,
              static_cast<double>(pair.tvm.blob.size()) / (1 << 20));
  return {{"tvm_ms", Median(pair.tvm_ms)},
          {"openvino_ms", Median(pair.openvino_ms)},
          {"ratio", Median(pair.ratios)},
          {"compile_s", pair.compile_s},
          {"arena_bytes", description.arena_bytes},
          {"live_bytes", description.live_bytes},
          {"constant_bytes", description.constant_bytes},
          {"library_bytes", pair.tvm.blob.size()},
          {"kernels", description.kernels},
          {"steps", description.steps.size()}};
}

void Run(int rounds) {
  BenchStudy studies;
  std::vector<Pair> pairs = CompilePairs(studies.context());
  Measure(pairs, rounds, studies.context());
  std::printf("%s\n%-5s %9s %12s %7s %-11s %10s %10s %9s %9s\n", pairs[0].tvm.flags.c_str(), "", "TVM ms",
              "OpenVINO ms", "ratio", "spread", "compile s", "arena KiB", "kernels", "library MiB");
  const Json fp32 = Report(pairs[0]), int8 = Report(pairs[1]);
  std::printf("%s\n", Json{{"bench", "tvm"},
                           {"ours", fp32["tvm_ms"]},
                           {"peer", fp32["openvino_ms"]},
                           {"ratio", fp32["ratio"]},
                           {"unit", "ms"},
                           {"ratio_int8", int8["ratio"]},
                           {"asked_ratio_at_most", kAsked},
                           {"goal_ratio_at_most", kGoal},
                           {"asked_compile_s_at_most", kCompileAsked},
                           {"tvm", pairs[0].tvm.toolchain_version},
                           {"openvino", pairs[0].openvino.toolchain_version},
                           {"fp32", fp32},
                           {"int8", int8},
                           {"rounds", rounds}}
                          .dump()
                          .c_str());
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  try {
    hot::Run(argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 100) : 3);
    return 0;
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
