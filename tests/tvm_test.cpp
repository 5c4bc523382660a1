// The numbers of toolchain tvm: those of the file it was given, on every instruction set, x86's and under qemu Arm's.
#include "deploy/onnx_writer.h"
#include "deploy/test_networks.h"
#include "deploy/test_runtimes.h"
#include "tvm_fixture.h"
#include "whole_graphs.h"

namespace hot {
namespace {

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

class TvmTest : public TvmFixture {
 protected:
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
