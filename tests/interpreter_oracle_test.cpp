// The reference interpreter against programs that we did not write, on random networks of every block and task:
// - ONNX's own evaluator in float64: the same numbers, whatever the scales.
// - ONNX Runtime without optimizations: the same bits where float32 is exact, which is what scales that are powers of
// two
//   make it (docs/adr/0008).
// - ONNX Runtime as users run it, and OpenVINO: a step beside it here and there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/rng.h"
#include "deploy/calibrate.h"
#include "deploy/deviation.h"
#include "deploy/onnx_writer.h"
#include "deploy/test_networks.h"
#include "deploy/test_runtimes.h"
#include "deploy/toolchain.h"
#include "quantize/interpreter.h"
#include "quantize/quantized_network.h"
#include "whole_graphs.h"

namespace hot {
namespace {

struct Case {
  std::string name;
  Network network;
  Quantization quantization;
  Tensor input;
};

// As after a training: batch norm has something to fold.
Network Trained(const Graph& graph, uint64_t seed) {
  Weights weights = TimingWeights(graph, seed);
  Rng rng(MixSeed(seed, "batch norm"));
  for (auto& [name, tensor] : weights) {
    if (tensor.shape.size() > 1 || name.ends_with(".bias")) continue;
    for (float& value : tensor.data) value = static_cast<float>(rng.Uniform(0.5, 1.5));
  }
  return FoldBatchNorm(graph, weights);
}

Case MakeCase(const std::string& name, Network network, const std::string& scheme = "s8s8") {
  std::vector<Tensor> pictures;
  for (uint64_t seed = 1; seed <= 3; ++seed) pictures.push_back(RandomInput(network, seed));
  Quantization quantization =
      Quantize(network, Calibrate(network, pictures), {.ranges = "percentile", .ranges_of = {}, .scheme = scheme});
  Tensor input = RandomInput(network, 9);
  return {name, std::move(network), std::move(quantization), std::move(input)};
}

Case MakeCase(const std::string& name, const Graph& graph) { return MakeCase(name, Trained(graph, 1)); }

std::vector<Case> BlockCases() {
  std::vector<Case> cases;
  for (const auto& [name, graph] : BlockGraphs()) cases.push_back(MakeCase(name, graph));
  return cases;
}

std::vector<Case> NetworkCases() {
  std::vector<Case> cases;
  for (const char* task : {"ssd", "cpn", "classify"}) {
    cases.push_back(MakeCase(task, WholeGraph(task, 96, 1)));
    const WholeOptions same{.style = {.padding = Padding::kSame, .bn_eps = 1e-3}};
    cases.push_back(MakeCase(task + std::string("-same"), WholeGraph(task, 96, 2, same)));
  }
  cases.push_back(MakeCase("every-op", EveryOp()));
  return cases;
}

// A block of each type in another scheme, and a whole network.
std::vector<Case> SchemeCases(const std::string& scheme) {
  std::vector<Case> cases;
  for (const Block* block : AllBlocks()) {
    cases.push_back(
        MakeCase(std::string(block->type()) + " " + scheme, Trained(BlockGraph(*block, {16, 2, 3, 3}), 1), scheme));
  }
  cases.push_back(MakeCase("ssd " + scheme, Trained(WholeGraph("ssd", 96, 1), 1), scheme));
  return cases;
}

// Each of `cases` with every third layer in float, beginning with the first, the second or the third.
std::vector<Case> WithFallBacks(const std::vector<Case>& cases) {
  std::vector<Case> mixed;
  for (size_t first = 0; first < 3; ++first) {
    for (const Case& one : cases) {
      const QuantizedNetwork whole{one.network, one.network, one.quantization, {}};
      const std::vector<std::string> layers = QuantizedLayers(whole);
      std::set<std::string> in_float;
      for (size_t i = first; i < layers.size(); i += 3) in_float.insert(layers[i]);
      QuantizedNetwork part = WithFloatLayers(whole, in_float);
      mixed.push_back({one.name + " but for " + std::to_string(first), std::move(part.network),
                       std::move(part.quantization), one.input});
    }
  }
  return mixed;
}

std::vector<Case> AllCases() {
  std::vector<Case> cases = BlockCases(), networks = NetworkCases();
  std::move(networks.begin(), networks.end(), std::back_inserter(cases));
  return cases;
}

float PowerOfTwo(float scale) { return std::exp2(std::ceil(std::log2(scale))); }

// Sums of products in such scales are integers times a power of two: float32 holds them exactly.
Quantization WithPowersOfTwo(Quantization quantization) {
  for (auto& [name, scale] : quantization.activations) scale.scale = PowerOfTwo(scale.scale);
  for (auto& [name, scales] : quantization.weight_scales) {
    for (float& scale : scales) scale = PowerOfTwo(scale);
  }
  return quantization;
}

// The input's integers, for a network with int8 borders.
Tensor Integers(const Case& one, const Quantization& quantization) {
  const ActivationScale& scale = quantization.activations.at("image");
  Tensor integers = one.input;
  for (float& value : integers.data)
    value = std::clamp(std::nearbyint(value / scale.scale) + static_cast<float>(scale.zero_point), -128.0f, 127.0f);
  return integers;
}

// Sigmoid and softmax call another exp; a step elsewhere in the network would be seen as 1e-3 and more. Else nothing,
// but for float32's last bit: ONNX's evaluator takes the integers of a bias through float32, which has 24 bits.
double Tolerance(const Case& one, Runtime runtime, float value) {
  if (one.name == "every-op") return 2e-6;
  return runtime == Runtime::kOnnxReference64 ? std::abs(value) * 0x1p-23 : 0;
}

class InterpreterOracle : public testing::Test {
 protected:
  // Runs every case there and here, with float or int8 borders.
  void ExpectTheSame(Runtime runtime, const std::vector<Case>& cases, bool powers_of_two, bool int8_borders) {
    std::vector<ModelRun> runs;
    std::vector<std::vector<Tensor>> expected;
    for (const Case& one : cases) {
      const Quantization quantization = powers_of_two ? WithPowersOfTwo(one.quantization) : one.quantization;
      runs.push_back({WriteOnnx(one.network, {.quantization = &quantization, .int8_borders = int8_borders}),
                      int8_borders ? Integers(one, quantization) : one.input});
      expected.push_back(Interpreter(one.network, quantization, int8_borders ? Borders::kIntegers : Borders::kFloat)
                             .Run(std::span(&runs.back().input, 1)));
    }
    const auto theirs = RunElsewhere(runtime, runs);
    if (!theirs) GTEST_SKIP() << "skipped: onnx and onnxruntime are not installed in .venv";
    for (size_t i = 0; i < cases.size(); ++i) Compare(cases[i], runtime, expected[i], theirs->at(i));
  }

  void Compare(const Case& one, Runtime runtime, const std::vector<Tensor>& ours, const OutputValues& theirs) {
    ASSERT_EQ(ours.size(), theirs.size()) << one.name;
    for (size_t k = 0; k < ours.size(); ++k) {
      const std::vector<float>& values = ours[k].data;
      ASSERT_EQ(values.size(), theirs[k].size()) << one.name;
      size_t different = 0;
      double largest = 0;
      for (size_t i = 0; i < values.size(); ++i)
        largest = std::max<double>(largest, std::abs(values[i] - theirs[k][i]));
      for (size_t i = 0; i < values.size(); ++i)
        different += !(std::abs(values[i] - theirs[k][i]) <= Tolerance(one, runtime, values[i]));
      EXPECT_EQ(different, 0u) << one.name << " output " << k << ", of " << values.size() << " values, at most "
                               << largest;
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      EXPECT_GT(*high - *low, 0) << one.name << ": all values are the same";
    }
  }
};

TEST_F(InterpreterOracle, SameBitsAsOnnxsOwnEvaluatorInFloat64) {
  ExpectTheSame(Runtime::kOnnxReference64, AllCases(), false, false);
}

TEST_F(InterpreterOracle, SameIntegersAsOnnxsOwnEvaluatorInFloat64) {
  ExpectTheSame(Runtime::kOnnxReference64, BlockCases(), false, true);
}

TEST_F(InterpreterOracle, SameBitsAsOnnxRuntimeWhereFloat32IsExact) {
  ExpectTheSame(Runtime::kOnnxRuntimeUnoptimized, AllCases(), true, false);
}

TEST_F(InterpreterOracle, SameIntegersAsOnnxRuntimeWhereFloat32IsExact) {
  ExpectTheSame(Runtime::kOnnxRuntimeUnoptimized, BlockCases(), true, true);
}

TEST_F(InterpreterOracle, OtherSchemesHaveTheSameBitsAsOnnxsOwnEvaluatorInFloat64) {
  for (const char* scheme : {"u8s8", "s16s8"})
    ExpectTheSame(Runtime::kOnnxReference64, SchemeCases(scheme), false, false);
}

TEST_F(InterpreterOracle, UnsignedActivationsHaveTheSameBitsAsOnnxRuntimeWhereFloat32IsExact) {
  ExpectTheSame(Runtime::kOnnxRuntimeUnoptimized, SchemeCases("u8s8"), true, false);
}

// The order in which a float layer is summed moves its result by some 1e-16: nothing that float32 shows.
TEST_F(InterpreterOracle, LayersThatFellBackToFloatHaveTheSameBitsAsOnnxsOwnEvaluatorInFloat64) {
  for (const char* scheme : {"s8s8", "u8s8", "s16s8"})
    ExpectTheSame(Runtime::kOnnxReference64, WithFallBacks(SchemeCases(scheme)), false, false);
}

// Distances of all outputs of a case from the reference, the largest of each: LSB, rms, rms of int8 from float.
struct Distance {
  double max_lsb = 0, rms_lsb = 0, noise_lsb = 0;
};

Distance DistanceOf(const Case& one, const Artifact& artifact) {
  const auto fp32 =
      MakeToolchain("openvino")->Compile({.network = one.network, .golden_inputs = std::span(&one.input, 1)});
  Distance distance;
  for (const OutputDeviation& d : MeasureDeviation(artifact, one.network, one.quantization, fp32.golden)) {
    distance.max_lsb = std::max(distance.max_lsb, d.max_lsb);
    distance.rms_lsb = std::max(distance.rms_lsb, d.rms_lsb);
    distance.noise_lsb = std::max(distance.noise_lsb, d.noise_lsb);
  }
  return distance;
}

// By case; empty where ONNX Runtime is not installed.
std::vector<Distance> OnnxRuntimeDistances(const std::vector<Case>& cases, Runtime runtime) {
  std::vector<ModelRun> runs;
  for (const Case& one : cases)
    runs.push_back(
        {WriteOnnx(one.network, {.quantization = &one.quantization, .unsigned_concatenations = true}), one.input});
  const auto theirs = RunElsewhere(runtime, runs);
  std::vector<Distance> distances;
  for (size_t i = 0; theirs && i < cases.size(); ++i) {
    GoldenPair pair{cases[i].input, {}};
    for (const std::vector<float>& values : theirs->at(i))
      pair.outputs.emplace_back(std::vector<int64_t>{std::ssize(values)}).data = values;
    Artifact artifact;
    artifact.golden = {pair};
    distances.push_back(DistanceOf(cases[i], artifact));
  }
  return distances;
}

std::vector<Distance> Distances(const Toolchain& toolchain, const std::vector<Case>& cases) {
  std::vector<Distance> distances;
  for (const Case& one : cases) {
    const CompileRequest request{.network = one.network,
                                 .precision = Precision::kInt8,
                                 .quantization = &one.quantization,
                                 .golden_inputs = std::span(&one.input, 1)};
    distances.push_back(DistanceOf(one, toolchain.Compile(request)));
  }
  return distances;
}

void Print(const char* runtime, const Case& one, const Distance& d) {
  std::printf("%-20s %-16s at most %6.2f LSB, rms %6.3f; int8 from float: rms %6.3f\n", runtime, one.name.c_str(),
              d.max_lsb, d.rms_lsb, d.noise_lsb);
}

// Blocks: within one step, of the integers that they hand on. Whole networks: see deploy/deviation.h; not further away
// than int8 is from float.
TEST_F(InterpreterOracle, RuntimesAsTheyShipAreWithinAStepOfABlock) {
  const std::vector<Case> blocks = BlockCases(), networks = NetworkCases();
  const auto check = [&](const char* runtime, const std::vector<Case>& cases, const std::vector<Distance>& distances) {
    const bool of_block = &cases == &blocks;
    for (size_t i = 0; i < cases.size(); ++i) {
      const Distance& d = distances.at(i);
      Print(runtime, cases[i], d);
      EXPECT_LE(d.max_lsb, of_block ? 1.01 : 255) << runtime << " " << cases[i].name;
      EXPECT_LE(d.rms_lsb, 2 * d.noise_lsb) << runtime << " " << cases[i].name;
    }
  };
  for (const std::vector<Case>* cases : {&blocks, &networks}) {
    check("openvino", *cases, Distances(*MakeToolchain("openvino"), *cases));
    const auto plain = OnnxRuntimeDistances(*cases, Runtime::kOnnxRuntimeUnoptimized);
    if (plain.empty()) GTEST_SKIP() << "skipped: onnxruntime is not installed in .venv";
    check("onnxruntime, plain", *cases, plain);
    check("onnxruntime", *cases, OnnxRuntimeDistances(*cases, Runtime::kOnnxRuntime));
  }
}

// Every rounding of the file stays where it is, in float64: whole networks give the reference's integers, too. What is
// left is the last bit of float32 outputs; one value on another step would be 1 LSB there and more behind it.
TEST_F(InterpreterOracle, TvmIsTheReferenceOverWholeNetworks) {
  std::unique_ptr<Toolchain> tvm;
  try {
    tvm = MakeToolchain("tvm");
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    GTEST_SKIP() << "skipped: " << error.what();
  }
  std::vector<Case> cases;
  for (const char* task : {"ssd", "cpn"}) cases.push_back(MakeCase(task, WholeGraph(task, 96, 1)));
  const std::vector<Distance> distances = Distances(*tvm, cases);
  for (size_t i = 0; i < cases.size(); ++i) {
    Print("tvm", cases[i], distances[i]);
    EXPECT_LE(distances[i].max_lsb, 0.01) << cases[i].name;
    EXPECT_GT(distances[i].noise_lsb, 0) << cases[i].name;
  }
}

}  // namespace
}  // namespace hot
