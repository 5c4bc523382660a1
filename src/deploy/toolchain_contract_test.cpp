// What every toolchain must do, for each registered one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/test_pairings.h"
#include "deploy/toolchain.h"

namespace hot {
namespace {

class ToolchainContract : public PairingTest {
 protected:
  Artifact Compile(Precision precision) {
    const std::string scheme = SchemeOf(precision, "s8s8");
    Quantization quantization;
    if (!scheme.empty()) quantization = SyntheticQuantization(network_, scheme);
    return toolchain_->Compile({.network = network_,
                                .precision = precision,
                                .quantization = scheme.empty() ? nullptr : &quantization,
                                .threads = 1,
                                .graph_key = "key"});
  }
};

TEST_P(ToolchainContract, NamesItself) {
  EXPECT_EQ(toolchain_->name(), GetParam().toolchain);
  EXPECT_FALSE(toolchain_->version().empty());
  EXPECT_FALSE(toolchain_->flags().empty());
  EXPECT_FALSE(toolchain_->precisions().empty());
}

TEST_P(ToolchainContract, FillsTheArtifactInEveryPrecisionItOffers) {
  for (const Precision precision : toolchain_->precisions()) {
    const Artifact artifact = Compile(precision);
    SCOPED_TRACE(PrecisionName(precision));
    EXPECT_EQ(artifact.toolchain, toolchain_->name());
    EXPECT_EQ(artifact.toolchain_version, toolchain_->version());
    EXPECT_FALSE(artifact.flags.empty());
    EXPECT_EQ(artifact.precision, PrecisionName(precision));
    EXPECT_EQ(artifact.graph_key, "key");
    EXPECT_EQ(artifact.blob_sha256, Sha256Hex(artifact.blob));
    EXPECT_THAT(artifact.input_names, ::testing::ElementsAre("image"));
    EXPECT_THAT(artifact.input_shapes, ::testing::ElementsAre(std::vector<int64_t>{1, 3, 32, 32}));
    EXPECT_THAT(artifact.output_names, ::testing::ElementsAre("boxes", "classes"));
    EXPECT_THAT(artifact.output_shapes,
                ::testing::ElementsAre(std::vector<int64_t>{1, 8, 8, 8}, std::vector<int64_t>{1, 12, 8, 8}));
    EXPECT_FALSE(artifact.layer_precisions.empty());
    ASSERT_EQ(artifact.golden.size(), 1u);
    EXPECT_EQ(artifact.golden[0].outputs.size(), 2u);
  }
}

// Also from an object that has compiled nothing yet and remembers nothing.
TEST_P(ToolchainContract, SameRequestSameBytes) {
  std::vector<std::string> first, second;
  for (const Precision precision : toolchain_->precisions()) first.push_back(Compile(precision).blob_sha256);
  toolchain_ = MakeToolchain(GetParam().toolchain, GetParam().device);
  for (const Precision precision : toolchain_->precisions()) second.push_back(Compile(precision).blob_sha256);
  EXPECT_EQ(first, second);
}

TEST_P(ToolchainContract, RefusesAPrecisionItLacks) {
  const auto offered = toolchain_->precisions();
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kFp16, Precision::kInt8, Precision::kInt16x8}) {
    if (std::find(offered.begin(), offered.end(), precision) != offered.end()) continue;
    try {
      Compile(precision);
      ADD_FAILURE() << PrecisionName(precision);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnimplemented) << PrecisionName(precision);
    }
  }
}

TEST_P(ToolchainContract, IntegersNeedAQuantization) {
  for (const Precision precision : toolchain_->precisions()) {
    if (SchemeOf(precision, "s8s8").empty()) continue;
    try {
      toolchain_->Compile({.network = network_, .precision = precision});
      ADD_FAILURE() << PrecisionName(precision);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << PrecisionName(precision);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ToolchainContract, ::testing::ValuesIn(Pairings()), PairingName);

TEST(MakeToolchain, NamesTheKnownOnes) {
  try {
    MakeToolchain("gcc");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("openvino"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("vela"));
  }
}

TEST(MakeToolchain, RefusesADeviceThatItHasNothingFor) {
  for (const auto& [device, toolchain] :
       {Pairing{"ethos-u55-128", "openvino"}, Pairing{"ethos-u55-128", "tvm"}, Pairing{"host", "vela"}}) {
    try {
      MakeToolchain(toolchain, device);
      ADD_FAILURE() << toolchain;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      EXPECT_THAT(error.what(), ::testing::AllOf(::testing::HasSubstr(device), ::testing::HasSubstr("target.")));
    }
  }
}

}  // namespace
}  // namespace hot
