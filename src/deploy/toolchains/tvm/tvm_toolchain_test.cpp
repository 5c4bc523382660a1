// What the tvm toolchain promises beyond the contract: integers in integer kernels; one planned arena; clear refusals.
// Its numbers, on all instruction sets: tests/tvm_test.cpp.
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
#include "deploy/onnx_writer.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "deploy/toolchains/tvm/tvm_model.h"

namespace hot {
namespace {

using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
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
  EXPECT_THAT(artifact.planned_bytes, UnorderedElementsAre(Pair("arena", Gt(0)), Pair("constants", Gt(0))));
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

TEST_F(TvmToolchainTest, Fp16HalvesWhatIsStoredAndSaysSo) {
  const Network network = SmallMobileNet();
  const Artifact fp32 = toolchain_->Compile({.network = network});
  const Artifact fp16 = toolchain_->Compile({.network = network, .precision = Precision::kFp16});
  EXPECT_THAT(ConvolutionsNotIn(fp16.layer_precisions, "f16"), IsEmpty());
  EXPECT_EQ(fp16.layer_precisions.size(), fp32.layer_precisions.size());
  for (const auto& [layer, precision] : fp16.layer_precisions) EXPECT_TRUE(fp32.layer_precisions.contains(layer));
  EXPECT_THAT(fp16.flags, HasSubstr("sums=f32"));
  EXPECT_EQ(fp16.planned_bytes.at("arena"), fp32.planned_bytes.at("arena") / 2);
  EXPECT_LT(fp16.planned_bytes.at("constants"), fp32.planned_bytes.at("constants") * 3 / 4) << "biases stay float32";
  EXPECT_EQ(fp16.output_names, fp32.output_names);
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

// By the worker itself, whose caller writes only files that are whole.
TEST_F(TvmToolchainTest, RefusesFilesAndTargetsItDoesNotKnow) {
  const std::string onnx = WriteOnnx(SmallMobileNet(), {});
  const TempFolder folder;
  Bridge worker;
  const auto refusal = [&](const std::string& file, const std::string& target) -> std::string {
    WriteFileAtomic(folder.path() / "model.onnx", file);
    try {
      worker.Call("tvm.compile", Json{{"onnx", (folder.path() / "model.onnx").string()},
                                      {"library", (folder.path() / "model.so").string()},
                                      {"target", target},
                                      {"part", false}}
                                     .dump());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
      return error.what();
    }
    return "";
  };
  for (const std::string& broken : {std::string("not a model"), std::string(), onnx.substr(0, onnx.size() / 2)})
    EXPECT_THAT(refusal(broken, "host"), HasSubstr("not an ONNX file of ours"));
  EXPECT_THAT(refusal(onnx, "z80"), HasSubstr("aarch64-neon"));
}

}  // namespace
}  // namespace hot
