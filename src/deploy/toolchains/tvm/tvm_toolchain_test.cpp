// What the tvm toolchain promises beyond the contract: the numbers of the file it was given, whatever the instruction
// set; integers in integer kernels; one planned arena; clear refusals.
#include "deploy/toolchains/tvm/tvm_toolchain.h"

#include <elf.h>
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
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "deploy/test_runtimes.h"
#include "deploy/toolchains/tvm/tvm_model.h"

namespace hot {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

class TvmToolchainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      toolchain_ = MakeTvmToolchain();
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      GTEST_SKIP() << "skipped: " << error.what();
    }
  }

  // The library of an ONNX file for an instruction set, "host" or another.
  static std::string Compile(const std::string& onnx, const std::string& target) {
    const TempFolder folder;
    WriteFileAtomic(folder.path() / "model.onnx", onnx);
    Bridge().Call("tvm.compile", Json{{"onnx", (folder.path() / "model.onnx").string()},
                                      {"library", (folder.path() / "model.so").string()},
                                      {"target", target},
                                      {"part", false}}
                                     .dump());
    return ReadFile(folder.path() / "model.so");
  }

  static Code LoadCode(const std::string& library) {
    try {
      TvmModel(library, "library");
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kOk;
  }

  std::unique_ptr<Toolchain> toolchain_;
};

// Asymmetric ranges, so that padding with a zero point counts.
Quantization Asymmetric(const Network& network) {
  Quantization quantization = SyntheticQuantization(network);
  for (auto& [name, scale] : quantization.activations) {
    if (scale.zero_point > -128) scale.zero_point = 13;
  }
  return quantization;
}

double LargestDifference(const Tensor& a, const std::vector<float>& b) {
  EXPECT_EQ(a.data.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < std::min(a.data.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.data[i]) - b[i]));
  return largest;
}

// Float as ONNX Runtime computes it, operator by operator; int8 as the file says over the real numbers, where sums have
// no order and halves are halves.
TEST_F(TvmToolchainTest, FloatAndInt8AreWhatOtherRuntimesGiveForTheFile) {
  for (const Network& network : {SmallMobileNet(), EveryOp()}) {
    const Quantization quantization = Asymmetric(network);
    const Tensor input = RandomInput(network, 5);
    const std::string fp32 = WriteOnnx(network, {}), int8 = WriteOnnx(network, {.quantization = &quantization});
    for (const auto& [onnx, oracle] :
         {std::pair(fp32, Runtime::kOnnxRuntimeUnoptimized), std::pair(int8, Runtime::kOnnxReference64)}) {
      const auto expected = RunElsewhere(oracle, {{onnx, input}});
      if (!expected) GTEST_SKIP() << "skipped: onnxruntime or a whole onnx is not installed in .venv";
      for (const std::string target : {"host", "x86-64-avx2"}) {
        const std::vector<Tensor> outputs = TvmModel(Compile(onnx, target), target).Run(std::span(&input, 1));
        ASSERT_EQ(outputs.size(), (*expected)[0].size());
        for (size_t k = 0; k < outputs.size(); ++k)
          EXPECT_LE(LargestDifference(outputs[k], (*expected)[0][k]), 2e-5) << target << " " << k;
      }
    }
  }
}

TEST_F(TvmToolchainTest, EveryInstructionSetGivesTheSameIntegers) {
  const Network network = SmallMobileNet();
  const Quantization quantization = Asymmetric(network);
  const std::string onnx = WriteOnnx(network, {.quantization = &quantization});
  const Tensor input = RandomInput(network, 8);
  const auto host = TvmModel(Compile(onnx, "host"), "host").Run(std::span(&input, 1));
  const auto avx2 = TvmModel(Compile(onnx, "x86-64-avx2"), "avx2").Run(std::span(&input, 1));
  for (size_t i = 0; i < host.size(); ++i) EXPECT_EQ(host[i].data, avx2[i].data);
}

// testing/run_library.c, compiled for Armv8 and executed by qemu. Empty where one of them is not installed.
fs::path ArmRunner(const TempFolder& folder) {
  const fs::path runner = folder.path() / "run_library";
  const std::string source = HOT_SOURCE_DIR "/src/deploy/toolchains/tvm/testing/run_library.c";
  try {
    if (!RunProcess({"qemu-aarch64", "-version"}).status.ok()) return {};
    const ProcessResult made =
        RunProcess({"aarch64-linux-gnu-gcc", "-std=c11", "-O1", "-rdynamic", source, "-o", runner});
    if (!made.status.ok()) throw Error(Code::kInternal, source, made.output);
    return runner;
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    return {};
  }
}

std::string Commas(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t side : shape) text += (text.empty() ? "" : ",") + std::to_string(side);
  return text;
}

std::vector<std::vector<float>> RunOnArm(const fs::path& runner, const TempFolder& folder, const std::string& onnx,
                                         const std::string& target, const Tensor& input) {
  const auto file = [&](const std::string& name) { return (folder.path() / name).string(); };
  WriteFileAtomic(file("model.onnx"), onnx);
  WriteFileAtomic(file("in"), {reinterpret_cast<const char*>(input.data.data()), input.data.size() * sizeof(float)});
  const Json request{{"onnx", file("model.onnx")}, {"library", file("model.so")}, {"target", target}, {"part", false}};
  const Json made = Json::parse(Bridge().Call("tvm.compile", request.dump()));
  std::vector<std::string> command = {"qemu-aarch64",
                                      "-cpu",
                                      "max",
                                      "-L",
                                      "/usr/aarch64-linux-gnu",
                                      runner.string(),
                                      file("model.so"),
                                      made.at("arena_bytes").dump(),
                                      std::to_string(made.at("steps").size()),
                                      file("in"),
                                      Commas(input.shape)};
  std::vector<std::vector<float>> outputs;
  for (const Json& output : made.at("outputs")) {
    command.insert(command.end(), {file("out" + std::to_string(outputs.size())), Commas(output.at("shape"))});
    outputs.emplace_back();
  }
  const ProcessResult ran = RunProcess(command);
  if (!ran.status.ok()) throw Error(Code::kInternal, "qemu-aarch64", ran.output);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string bytes = ReadFile(file("out" + std::to_string(i)));
    outputs[i].resize(bytes.size() / sizeof(float));
    std::memcpy(outputs[i].data(), bytes.data(), bytes.size());
  }
  return outputs;
}

TEST_F(TvmToolchainTest, ArmUnderQemuGivesTheSame) {
  const TempFolder folder;
  const fs::path runner = ArmRunner(folder);
  if (runner.empty()) GTEST_SKIP() << "skipped: qemu-user or gcc-aarch64-linux-gnu is not installed";
  const Network network = SmallMobileNet();
  const Quantization quantization = Asymmetric(network);
  const Tensor input = RandomInput(network, 9);
  for (const Quantization* asked : {static_cast<const Quantization*>(nullptr), &quantization}) {
    const std::string onnx = WriteOnnx(network, {.quantization = asked});
    const auto host = TvmModel(Compile(onnx, "host"), "host").Run(std::span(&input, 1));
    for (const std::string target : {"aarch64-dotprod", "aarch64-neon"}) {
      const auto arm = RunOnArm(runner, folder, onnx, target, input);
      ASSERT_EQ(arm.size(), host.size());
      for (size_t k = 0; k < host.size(); ++k) {
        // Integers are equal; floats are added in another order where vectors have other lengths.
        EXPECT_LE(LargestDifference(host[k], arm[k]), asked == nullptr ? 1e-4 : 0) << target;
      }
    }
  }
}

TEST_F(TvmToolchainTest, Int8ComputesEveryConvolutionInIntegers) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network);
  const Artifact artifact =
      toolchain_->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization});
  EXPECT_THAT(ConvolutionsNotIn(artifact.layer_precisions, "i8"), IsEmpty());
  size_t convolutions = 0;
  for (const auto& [layer, precision] : artifact.layer_precisions) convolutions += layer.starts_with("Convolution ");
  EXPECT_EQ(convolutions, 15u);
  EXPECT_EQ(convolutions, artifact.layer_precisions.size()) << "additions are part of the convolution before them";
  const Artifact fp32 = toolchain_->Compile({.network = network});
  EXPECT_THAT(ConvolutionsNotIn(fp32.layer_precisions, "f32"), IsEmpty());
}

TEST_F(TvmToolchainTest, ValuesShareOneArena) {
  const Network network = SmallMobileNet();
  const TvmModel model(toolchain_->Compile({.network = network, .timing_only = true}).blob, "small");
  int64_t all = 0;
  for (const Node& node : network.graph.nodes()) all += node.shape.elements() * static_cast<int64_t>(sizeof(float));
  EXPECT_GE(model.description().arena_bytes, model.description().live_bytes);
  EXPECT_LE(model.description().arena_bytes, model.description().live_bytes * 5 / 4);
  EXPECT_LT(model.description().arena_bytes, all / 2);
  EXPECT_LE(model.description().kernels, static_cast<int>(model.description().steps.size()));
}

TEST_F(TvmToolchainTest, APartIsTimedWithoutItsBordersConversions) {
  GraphBuilder builder;
  builder.Output(TestIrb(builder, "block", builder.Input("x", {16, 16, 16}), 16, 1));
  const Graph graph = std::move(builder).Build();
  const Network network = FoldBatchNorm(graph, RandomWeights(graph, 1));
  const Quantization quantization = SyntheticQuantization(network);
  const Artifact artifact = toolchain_->Compile(
      {.network = network, .precision = Precision::kInt8, .quantization = &quantization, .int8_borders = true});
  EXPECT_THAT(artifact.flags, HasSubstr("borders=int8"));
  TvmModel model(artifact.blob, "block");
  const TvmDescription& description = model.description();
  for (int i = 0; i < static_cast<int>(description.steps.size()); ++i) {
    const std::string& op = description.steps[static_cast<size_t>(i)].op;
    const bool timed = i >= description.first_timed && i < description.last_timed;
    EXPECT_EQ(timed, op == "conv" || op == "depthwise") << op;
  }
  model.FillInputs(1);
  model.Infer();
  EXPECT_LE(GoldenDifference(artifact, model), 1e-6);
  for (const float value : artifact.golden.at(0).outputs.at(0).data) EXPECT_EQ(value, std::nearbyint(value));
}

TEST_F(TvmToolchainTest, RefusesWhatIsNoLibraryForThisProcessor) {
  const Network network = SmallMobileNet();
  const std::string library = toolchain_->Compile({.network = network, .timing_only = true}).blob;
  EXPECT_EQ(LoadCode(library), Code::kOk);
  EXPECT_EQ(LoadCode(""), Code::kDataLoss);
  EXPECT_EQ(LoadCode("not a library"), Code::kDataLoss);
  for (const size_t part : {2, 3, 10, 100}) {
    EXPECT_EQ(LoadCode(library.substr(0, library.size() - library.size() / part)), Code::kDataLoss) << part;
  }
  std::string foreign = library;
  const uint16_t machine = EM_RISCV;
  std::memcpy(foreign.data() + offsetof(Elf64_Ehdr, e_machine), &machine, sizeof machine);
  EXPECT_EQ(LoadCode(foreign), Code::kFailedPrecondition);
  std::string newer = library;
  newer.replace(newer.find("\"version\": 1"), 12, "\"version\": 9");
  EXPECT_EQ(LoadCode(newer), Code::kFailedPrecondition);
}

TEST_F(TvmToolchainTest, RefusesMoreThanOneThread) {
  const Network network = SmallMobileNet();
  try {
    toolchain_->Compile({.network = network, .threads = 2});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("target.threads"));
  }
}

TEST_F(TvmToolchainTest, RefusesFilesAndTargetsItDoesNotKnow) {
  const std::string onnx = WriteOnnx(SmallMobileNet(), {});
  for (const std::string& broken : {std::string("not a model"), std::string(), onnx.substr(0, onnx.size() / 2)}) {
    try {
      Compile(broken, "host");
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
    }
  }
  try {
    Compile(onnx, "z80");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("aarch64-neon"));
  }
}

}  // namespace
}  // namespace hot
