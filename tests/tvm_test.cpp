// The numbers of toolchain tvm: those of the file it was given, on every instruction set, x86's and under qemu Arm's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/bridge.h"
#include "core/error.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "deploy/onnx_writer.h"
#include "deploy/test_networks.h"
#include "deploy/test_runtimes.h"
#include "deploy/toolchain.h"
#include "deploy/toolchains/tvm/tvm_model.h"
#include "whole_graphs.h"

namespace hot {
namespace {

using Json = nlohmann::json;

constexpr const char* kRunner = HOT_SOURCE_DIR "/src/deploy/toolchains/tvm/testing/run_library.c";

// Asymmetric ranges, so that padding with a zero point counts.
Quantization Asymmetric(const Network& network) {
  Quantization quantization = SyntheticQuantization(network);
  for (auto& [name, scale] : quantization.activations) {
    if (scale.zero_point > -128) scale.zero_point = 13;
  }
  return quantization;
}

Network WholeSsd() {
  const Graph graph = WholeGraph("ssd", 96, 0);
  return FoldBatchNorm(graph, TimingWeights(graph, 3));
}

double LargestDifference(const Tensor& a, const std::vector<float>& b) {
  EXPECT_EQ(a.data.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < std::min(a.data.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.data[i]) - b[i]));
  return largest;
}

std::string Commas(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t side : shape) {
    if (!text.empty()) text += ',';
    text += std::to_string(side);
  }
  return text;
}

class TvmTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    try {
      toolchain_ = MakeToolchain("tvm");
      worker_ = std::make_unique<Bridge>();
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      why_ = error.what();
    }
  }
  static void TearDownTestSuite() {
    toolchain_.reset();
    worker_.reset();
  }
  void SetUp() override {
    if (worker_ == nullptr) GTEST_SKIP() << "skipped: " << why_;
  }

  std::string File(const std::string& name) const { return (folder_.path() / name).string(); }

  // Writes model.so for an instruction set, "host" or another; its description.
  Json Compile(const std::string& onnx, const std::string& target) const {
    WriteFileAtomic(File("model.onnx"), onnx);
    const Json request{
        {"onnx", File("model.onnx")}, {"library", File("model.so")}, {"target", target}, {"part", false}};
    return Json::parse(worker_->Call("tvm.compile", request.dump()));
  }

  std::vector<Tensor> RunHere(const std::string& onnx, const std::string& target, const Tensor& input) const {
    Compile(onnx, target);
    return TvmModel(ReadFile(File("model.so")), target).Run(std::span(&input, 1));
  }

  // Compiles the runner for Armv8; false where qemu or the compiler is not installed.
  bool MakeRunner() const {
    try {
      if (!RunProcess({"qemu-aarch64", "-version"}).status.ok()) return false;
      const ProcessResult made =
          RunProcess({"aarch64-linux-gnu-gcc", "-std=c11", "-O1", "-rdynamic", kRunner, "-o", File("runner")});
      if (!made.status.ok()) throw Error(Code::kInternal, kRunner, made.output);
      return true;
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      return false;
    }
  }

  std::vector<std::vector<float>> RunOnArm(const std::string& onnx, const std::string& target, const char* processor,
                                           const Tensor& input) const {
    const Json made = Compile(onnx, target);
    WriteFileAtomic(File("in"), {reinterpret_cast<const char*>(input.data.data()), input.data.size() * sizeof(float)});
    std::vector<std::string> command{"qemu-aarch64", "-cpu", processor, "-L", "/usr/aarch64-linux-gnu", File("runner")};
    command.insert(command.end(), {File("model.so"), made.at("arena_bytes").dump(),
                                   std::to_string(made.at("steps").size()), File("in"), Commas(input.shape)});
    const Json& outputs = made.at("outputs");
    for (size_t i = 0; i < outputs.size(); ++i)
      command.insert(command.end(), {File("out" + std::to_string(i)), Commas(outputs[i].at("shape"))});
    const ProcessResult ran = RunProcess(command);
    if (!ran.status.ok()) throw Error(Code::kInternal, "qemu-aarch64", ran.output);
    std::vector<std::vector<float>> values(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string bytes = ReadFile(File("out" + std::to_string(i)));
      values[i].resize(bytes.size() / sizeof(float));
      std::memcpy(values[i].data(), bytes.data(), bytes.size());
    }
    return values;
  }

  // An artifact's golden outputs, by its network compiled for a processor of Arm's.
  void ExpectGoldenOutputs(const Network& network, const Quantization* quantization, const std::string& target,
                           const char* processor, double tolerance) const {
    const Precision precision = quantization == nullptr ? Precision::kFp32 : Precision::kInt8;
    const Artifact artifact =
        toolchain_->Compile({.network = network, .precision = precision, .quantization = quantization});
    const GoldenPair& golden = artifact.golden.at(0);
    const auto outputs = RunOnArm(WriteOnnx(network, {.quantization = quantization}), target, processor, golden.input);
    ASSERT_EQ(outputs.size(), golden.outputs.size());
    for (size_t k = 0; k < outputs.size(); ++k)
      EXPECT_LE(LargestDifference(golden.outputs[k], outputs[k]), tolerance) << target << " output " << k;
  }

  const TempFolder folder_;
  inline static std::unique_ptr<Toolchain> toolchain_;
  inline static std::unique_ptr<Bridge> worker_;
  inline static std::string why_;
};

// Float as ONNX Runtime computes it, operator by operator; int8 as the file says over the real numbers, where sums have
// no order and halves are halves.
TEST_F(TvmTest, FloatAndInt8AreWhatOtherRuntimesGiveForTheFile) {
  for (const Network& network : {SmallMobileNet(), EveryOp()}) {
    const Quantization quantization = Asymmetric(network);
    const Tensor input = RandomInput(network, 5);
    const std::string fp32 = WriteOnnx(network, {}), int8 = WriteOnnx(network, {.quantization = &quantization});
    for (const auto& [onnx, oracle] :
         {std::pair(fp32, Runtime::kOnnxRuntimeUnoptimized), std::pair(int8, Runtime::kOnnxReference64)}) {
      const auto expected = RunElsewhere(oracle, {{onnx, input}});
      if (!expected) GTEST_SKIP() << "skipped: onnxruntime or a whole onnx is not installed in .venv";
      for (const std::string target : {"host", "x86-64-avx2"}) {
        const std::vector<Tensor> outputs = RunHere(onnx, target, input);
        ASSERT_EQ(outputs.size(), (*expected)[0].size());
        for (size_t k = 0; k < outputs.size(); ++k)
          EXPECT_LE(LargestDifference(outputs[k], (*expected)[0][k]), 2e-5) << target << " " << k;
      }
    }
  }
}

TEST_F(TvmTest, EveryInstructionSetOfX86GivesTheSameIntegers) {
  const Network network = SmallMobileNet();
  const Quantization quantization = Asymmetric(network);
  const std::string onnx = WriteOnnx(network, {.quantization = &quantization});
  const Tensor input = RandomInput(network, 8);
  const auto host = RunHere(onnx, "host", input), avx2 = RunHere(onnx, "x86-64-avx2", input);
  for (size_t i = 0; i < host.size(); ++i) EXPECT_EQ(host[i].data, avx2[i].data);
}

// Integers are equal; floats are added in another order where vectors have other lengths, and exp is another. The
// processors have just the instructions that each target names.
TEST_F(TvmTest, GoldenOutputsOnArmUnderQemu) {
  if (!MakeRunner()) GTEST_SKIP() << "skipped: qemu-user or gcc-aarch64-linux-gnu is not installed";
  const Network small = SmallMobileNet(), every = EveryOp(), whole = WholeSsd();
  const Quantization small_int8 = Asymmetric(small), every_int8 = Asymmetric(every), whole_int8 = Asymmetric(whole);
  ExpectGoldenOutputs(small, nullptr, "aarch64-neon", "cortex-a53", 1e-4);
  ExpectGoldenOutputs(small, &small_int8, "aarch64-neon", "cortex-a53", 0);
  ExpectGoldenOutputs(every, &every_int8, "aarch64-neon", "cortex-a53", 1e-6);
  ExpectGoldenOutputs(small, &small_int8, "aarch64-dotprod", "cortex-a76", 0);
  ExpectGoldenOutputs(whole, &whole_int8, "aarch64-dotprod", "cortex-a76", 0);
}

}  // namespace
}  // namespace hot
