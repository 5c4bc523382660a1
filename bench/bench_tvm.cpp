// TVM with our templates v OpenVINO on the host, one thread: MobileNetV2 1.0 with an SSD head at 320x320, untrained, in
// fp32 and int8, all interleaved in one run, medians of several rounds. OpenVINO's int8 is that of the scheme it is
// faster with, signed or unsigned activations; in fp16, which it executes on no processor without AVX512-FP16, TVM is
// compared with its own fp32. Beside it how long TVM compiles, what the library needs, and how far the outputs of both
// are from the reference interpreter, in fp16 from those of fp32. Last line: JSON.
// Usage: hot_bench_tvm [rounds]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bench_study.h"
#include "core/rng.h"
#include "deploy/calibrate.h"
#include "deploy/deviation.h"
#include "deploy/session.h"
#include "deploy/toolchain.h"
#include "deploy/toolchains/tvm/tvm_model.h"
#include "models/backbone.h"
#include "tasks/task.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kThreads = 1;
constexpr double kWidth = 1.0;
constexpr int kSide = 320;
// Issue 5: latency over OpenVINO's of the same run; seconds to compile; LSB from the reference interpreter.
constexpr double kAsked = 3, kGoal = 1.5, kCompileAsked = 60, kLsbAsked = 1;

double Median(const std::vector<double>& values) { return MedianWithInterval(values).median; }

// One artifact and its medians by round.
struct Subject {
  Artifact artifact;
  double compile_s = 0, max_lsb = 0;
  std::vector<double> ms = {};
};

struct Pair {
  Precision precision;
  Subject tvm;
  std::vector<Subject> openvino;  // by scheme; none in fp16

  const Subject& peer() const {
    return *std::ranges::min_element(openvino, {}, [](const Subject& one) { return Median(one.ms); });
  }
};

std::vector<double> Ratios(const Subject& ours, const Subject& peer) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.ms.size(); ++i) ratios.push_back(ours.ms[i] / peer.ms[i]);
  return ratios;
}

Network MakeNetwork() {
  const Backbone& backbone = FindBackbone("mobilenet_v2");
  const TaskOptions options{.input = {3, kSide, kSide}, .classes = {"circle", "square", "triangle"}};
  const Graph graph =
      BuildNetwork(backbone, kWidth, BaselineChoices(backbone, kWidth, Precision::kFp32), *MakeTask(options));
  return FoldBatchNorm(graph, TimingWeights(graph, 1));
}

Tensor Picture(uint64_t seed) {
  Tensor picture({1, 3, kSide, kSide});
  Rng rng(seed);
  for (float& value : picture.data) value = static_cast<float>(rng.Uniform(-1, 1));
  return picture;
}

Subject Compile(const Toolchain& toolchain, const Network& network, Precision precision,
                const Quantization* quantization = nullptr) {
  const CompileRequest request{
      .network = network, .precision = precision, .quantization = quantization, .threads = kThreads};
  Subject subject;
  const auto begun = std::chrono::steady_clock::now();
  subject.artifact = toolchain.Compile(request);
  subject.compile_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (quantization == nullptr) return subject;
  for (const OutputDeviation& output : MeasureDeviation(subject.artifact, network, *quantization))
    subject.max_lsb = std::max(subject.max_lsb, output.max_lsb);
  return subject;
}

std::vector<Pair> CompilePairs(const Context& context) {
  const Network network = MakeNetwork();
  const auto tvm = MakeToolchain("tvm"), openvino = MakeToolchain("openvino");
  context.progress.Begin("compile", 3);
  std::vector<Pair> pairs;
  pairs.push_back(
      {Precision::kFp32, Compile(*tvm, network, Precision::kFp32), {Compile(*openvino, network, Precision::kFp32)}});
  context.progress.Update(1, "fp16");
  pairs.push_back({Precision::kFp16, Compile(*tvm, network, Precision::kFp16), {}});
  context.progress.Update(2, "int8");
  const Observations observations = Calibrate(network, {Picture(1), Picture(2)}, false);
  const auto quantized = [&](const char* scheme) {
    return Quantize(network, observations, {.ranges = "minmax", .scheme = scheme});
  };
  const Quantization s8s8 = quantized("s8s8"), u8s8 = quantized("u8s8");
  pairs.push_back(
      {Precision::kInt8,
       Compile(*tvm, network, Precision::kInt8, &s8s8),
       {Compile(*openvino, network, Precision::kInt8, &s8s8), Compile(*openvino, network, Precision::kInt8, &u8s8)}});
  context.progress.End("compiled");
  return pairs;
}

void Measure(std::vector<Pair>& pairs, int rounds, const Context& context) {
  const auto device = MakeDevice("host", kThreads);
  std::vector<Subject*> subjects;
  for (Pair& pair : pairs) {
    subjects.push_back(&pair.tvm);
    for (Subject& one : pair.openvino) subjects.push_back(&one);
  }
  std::vector<const Artifact*> artifacts;
  for (const Subject* subject : subjects) artifacts.push_back(&subject->artifact);
  for (int round = 0; round < rounds; ++round) {
    context.progress.Begin("round " + std::to_string(round + 1), static_cast<double>(artifacts.size()));
    const std::vector<Measurement> measured = device->Profile(artifacts, {}, 0, context);
    for (size_t i = 0; i < subjects.size(); ++i) subjects[i]->ms.push_back(measured[i].median_ns * 1e-6);
    context.progress.End("measured");
  }
}

// Largest difference of any output value of the same random input, as a share of its output's largest value.
double OffBy(const Artifact& artifact, const Artifact& exact) {
  TvmModel model(artifact.blob, "bench");
  return GoldenDifference(exact, model);
}

// `peer`: what it is compared with, OpenVINO or, where that has nothing, TVM in fp32.
Json Report(const Pair& pair, const Subject& peer) {
  const TvmDescription description = TvmModel(pair.tvm.artifact.blob, "bench").description();
  const std::vector<double> ratios = Ratios(pair.tvm, peer);
  const auto [low, high] = std::ranges::minmax(ratios);
  std::printf("%-5s %9.3f %9.3f %7.3f %.3f-%.3f %10.1f %10.4f %13.2f %10.1f %8d %12.2f\n",
              PrecisionName(pair.precision).c_str(), Median(pair.tvm.ms), Median(peer.ms), Median(ratios), low, high,
              pair.tvm.compile_s, pair.tvm.max_lsb, peer.max_lsb, static_cast<double>(description.arena_bytes) / 1024,
              description.kernels, static_cast<double>(pair.tvm.artifact.blob.size()) / (1 << 20));
  Json peers = Json::array();
  for (const Subject& one : pair.openvino)
    peers.push_back({{"scheme", one.artifact.scheme}, {"ms", Median(one.ms)}, {"max_lsb", one.max_lsb}});
  return {{"tvm_ms", Median(pair.tvm.ms)},
          {"openvino", peers},
          {"ratio", Median(ratios)},
          {"compile_s", pair.tvm.compile_s},
          {"max_lsb", pair.tvm.max_lsb},
          {"arena_bytes", description.arena_bytes},
          {"live_bytes", description.live_bytes},
          {"constant_bytes", description.constant_bytes},
          {"library_bytes", pair.tvm.artifact.blob.size()},
          {"kernels", description.kernels},
          {"steps", description.steps.size()}};
}

void Run(int rounds) {
  BenchStudy studies;
  std::vector<Pair> pairs = CompilePairs(studies.context());
  Measure(pairs, rounds, studies.context());
  const Artifact &tvm = pairs[0].tvm.artifact, &openvino = pairs[0].peer().artifact;
  std::printf("TVM: %s; peer: OpenVINO %s, of fp16 TVM in fp32\n%-5s %9s %9s %7s %-11s %10s %10s %13s %10s %8s %12s\n",
              tvm.flags.c_str(), openvino.flags.c_str(), "", "TVM ms", "peer ms", "ratio", "spread", "compile s",
              "TVM LSB", "OpenVINO LSB", "arena KiB", "kernels", "library MiB");
  const Json fp32 = Report(pairs[0], pairs[0].peer()), fp16 = Report(pairs[1], pairs[0].tvm),
             int8 = Report(pairs[2], pairs[2].peer());
  const double off = OffBy(pairs[1].tvm.artifact, tvm);
  std::printf("fp16: outputs at most %.2e of their largest value away from fp32's\n", off);
  std::printf("%s\n", Json{{"bench", "tvm"},
                           {"ours", fp32["tvm_ms"]},
                           {"peer", fp32["openvino"][0]["ms"]},
                           {"ratio", fp32["ratio"]},
                           {"unit", "ms"},
                           {"ratio_int8", int8["ratio"]},
                           {"ratio_fp16_to_fp32", fp16["ratio"]},
                           {"fp16_off_fp32", off},
                           {"asked_ratio_at_most", kAsked},
                           {"goal_ratio_at_most", kGoal},
                           {"asked_compile_s_at_most", kCompileAsked},
                           {"asked_lsb_at_most", kLsbAsked},
                           {"tvm", tvm.toolchain_version},
                           {"openvino", openvino.toolchain_version},
                           {"fp32", fp32},
                           {"fp16", fp16},
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
