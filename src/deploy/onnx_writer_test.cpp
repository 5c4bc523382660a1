#include "deploy/onnx_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/calibrate.h"
#include "deploy/session.h"
#include "deploy/test_networks.h"
#include "deploy/test_runtimes.h"
#include "deploy/toolchain.h"
#include "onnx.pb.h"
#include "quantize/plan.h"
#include "quantize/quantized_network.h"

namespace hot {
namespace {

using ::testing::HasSubstr;

onnx::ModelProto Parse(const std::string& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return model;
}

std::map<std::string, int> OpCounts(const onnx::ModelProto& model) {
  std::map<std::string, int> counts;
  for (const auto& node : model.graph().node()) ++counts[node.op_type()];
  return counts;
}

// The network's outputs under ONNX Runtime; none where it is not installed.
std::optional<OutputValues> OnnxRuntime(const std::string& onnx, const Tensor& input) {
  const auto outputs = RunElsewhere(Runtime::kOnnxRuntime, {{onnx, input}});
  if (!outputs) return std::nullopt;
  return outputs->at(0);
}

// Largest difference relative to the largest magnitude.
double RelativeDifference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 1e-12, difference = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return difference / largest;
}

// Ranges as the network really has them on some random inputs.
Quantization Calibrated(const Network& network, const std::string& scheme = "s8s8") {
  std::vector<Tensor> inputs;
  for (uint64_t seed = 1; seed <= 4; ++seed) inputs.push_back(RandomInput(network, seed));
  return Quantize(network, Calibrate(network, inputs, false), {.ranges = "minmax", .ranges_of = {}, .scheme = scheme});
}

TEST(OnnxWriter, FloatHasOneNodeAnOperatorAndTheNodesNames) {
  const onnx::ModelProto model = Parse(WriteOnnx(SmallMobileNet(), {}));
  EXPECT_EQ(model.opset_import(0).version(), 13);
  EXPECT_EQ(OpCounts(model), (std::map<std::string, int>{{"Conv", 15}, {"Clip", 9}, {"Add", 3}}));
  EXPECT_EQ(model.graph().input(0).name(), "image");
  EXPECT_EQ(model.graph().output(0).name(), "boxes");
  EXPECT_EQ(model.graph().output(1).name(), "classes");
}

TEST(OnnxWriter, QdqSurroundsConvolutionsAndAdditionsButNotTheHead) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network);
  const onnx::ModelProto model = Parse(WriteOnnx(network, {.quantization = &quantization}));
  const auto counts = OpCounts(model);
  // Input, 13 convolutions (activation included) that others read, 3 additions; 15 weights and 15 biases.
  EXPECT_EQ(counts.at("QuantizeLinear"), 17);
  EXPECT_EQ(counts.at("DequantizeLinear"), 17 + 30);
  for (const auto& node : model.graph().node()) {
    if (node.op_type() == "Conv") {
      for (const std::string& input : node.input()) EXPECT_THAT(input, ::testing::EndsWith(".dq"));
    }
    if (node.op_type() == "QuantizeLinear") {
      EXPECT_THAT(node.input(0), ::testing::Not(::testing::AnyOf("boxes", "classes")));
    }
  }
  for (const auto& output : model.graph().output()) {
    EXPECT_EQ(output.type().tensor_type().elem_type(), onnx::TensorProto::FLOAT);
  }
}

TEST(OnnxWriter, Int8BordersChangeTheTypesOfInputAndOutputs) {
  const Network network = SmallMobileNet();
  const Quantization quantization = SyntheticQuantization(network);
  const onnx::ModelProto model = Parse(WriteOnnx(network, {.quantization = &quantization, .int8_borders = true}));
  EXPECT_EQ(model.graph().input(0).type().tensor_type().elem_type(), onnx::TensorProto::INT8);
  for (const auto& output : model.graph().output()) {
    EXPECT_EQ(output.type().tensor_type().elem_type(), onnx::TensorProto::INT8);
  }
  EXPECT_EQ(model.graph().output(0).name(), "boxes");
}

TEST(OnnxWriter, ExposedOutputsFollowTheGraphsOwnAsTheirReadersSeeThem) {
  const Network network = EveryOp();
  const Quantization quantization = SyntheticQuantization(network);
  const auto names = [&](const Quantization* with) {
    std::vector<std::string> outputs;
    const onnx::ModelProto model =
        Parse(WriteOnnx(network, {.quantization = with, .exposed = {"up", "mix.act", "a.conv"}}));
    for (const auto& output : model.graph().output()) outputs.push_back(output.name());
    return outputs;
  };
  EXPECT_THAT(names(nullptr), ::testing::ElementsAre("sigmoid", "softmax", "up", "mix.act", "a.conv"));
  EXPECT_THAT(names(&quantization), ::testing::ElementsAre("sigmoid", "softmax", "up.dq", "mix.act.dq", "a.conv"));
}

TEST(OnnxWriter, ExtremesComeLast) {
  const onnx::ModelProto model = Parse(WriteOnnx(EveryOp(), {.exposed = {"up"}, .extremes = {"mix.act"}}));
  std::vector<std::string> outputs;
  for (const auto& output : model.graph().output()) outputs.push_back(output.name());
  EXPECT_THAT(outputs, ::testing::ElementsAre("sigmoid", "softmax", "up", "mix.act.min", "mix.act.max"));
  EXPECT_EQ(model.graph().output(4).type().tensor_type().shape().dim_size(), 0);
}

TEST(OnnxWriter, WhatHasNoScaleStaysFloat) {
  const Network network = SmallMobileNet();
  Quantization quantization = SyntheticQuantization(network);
  quantization.weight_scales.erase("block2.project.conv");
  quantization.activations.erase("block2.depth.act");
  const onnx::ModelProto model = Parse(WriteOnnx(network, {.quantization = &quantization}));
  for (const auto& node : model.graph().node()) {
    if (node.op_type() != "Conv") continue;
    const bool is_float = node.output(0) == "block2.project.conv.raw" || node.output(0) == "block2.project.conv";
    EXPECT_EQ(node.input(1) == "block2.project.conv.weight", is_float) << node.output(0);
    EXPECT_EQ(node.input(0) == "block2.depth.act", is_float) << node.output(0);
  }
  EXPECT_EQ(OpCounts(model).at("QuantizeLinear"), 16);
}

TEST(OnnxWriter, SchemesHaveTheirOwnTypes) {
  const Network network = SmallMobileNet();
  for (const auto& [scheme, type, opset] :
       {std::tuple{"s8s8", onnx::TensorProto::INT8, 13}, std::tuple{"u8s8", onnx::TensorProto::UINT8, 13},
        std::tuple{"s16s8", onnx::TensorProto::INT16, 21}}) {
    const Quantization quantization = SyntheticQuantization(network, scheme);
    const onnx::ModelProto model = Parse(WriteOnnx(network, {.quantization = &quantization, .int8_borders = true}));
    EXPECT_EQ(model.graph().input(0).type().tensor_type().elem_type(), type) << scheme;
    EXPECT_EQ(model.opset_import(0).version(), opset) << scheme;
  }
}

TEST(OnnxWriter, WeightsAreRoundedToTheNearestStepAndNeverMinus128) {
  const Network network = SmallMobileNet();
  Quantization quantization = SyntheticQuantization(network);
  for (float& scale : quantization.weight_scales.at("classes")) scale *= 0.5f;  // forces saturation
  const onnx::ModelProto model = Parse(WriteOnnx(network, {.quantization = &quantization}));
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.name() != "classes.weight") continue;
    const Tensor& weight = network.weights.at("classes.weight");
    ASSERT_EQ(tensor.raw_data().size(), weight.data.size());
    for (size_t i = 0; i < weight.data.size(); ++i) {
      const float steps = weight.data[i] / quantization.weight_scales.at("classes")[i / 24];
      EXPECT_NEAR(static_cast<int8_t>(tensor.raw_data()[i]), std::clamp(steps, -127.0f, 127.0f), 0.501);
    }
  }
}

TEST(OnnxWriter, FloatEqualsOnnxRuntime) {
  for (const Network& network : {SmallMobileNet(), EveryOp()}) {
    const Tensor input = RandomInput(network, 9);
    const auto expected = OnnxRuntime(WriteOnnx(network, {}), input);
    if (!expected) GTEST_SKIP() << "skipped: onnxruntime is not installed in .venv";
    const Artifact artifact = MakeToolchain("openvino")->Compile({.network = network});
    const auto outputs = MakeDevice("host", 1)->Load(artifact)->Run(std::span(&input, 1));
    ASSERT_EQ(outputs.size(), expected->size());
    for (size_t i = 0; i < outputs.size(); ++i) EXPECT_LT(RelativeDifference(outputs[i].data, (*expected)[i]), 1e-4);
  }
}

// ONNX Runtime computes in float between the integers, so that what it gives is what rounding costs.
TEST(OnnxWriter, EverySchemeIsAsExactAsItsSteps) {
  for (const auto& [scheme, most, least] :
       {std::tuple{"s8s8", 0.10, 1e-3}, std::tuple{"u8s8", 0.10, 1e-3}, std::tuple{"s16s8", 0.05, 1e-5}}) {
    Network network = SmallMobileNet();
    const Quantization quantization = Calibrated(network, scheme);
    const Tensor input = RandomInput(network, 9);
    const auto expected = OnnxRuntime(WriteOnnx(network, {}), input);
    const auto got = OnnxRuntime(WriteOnnx(network, {.quantization = &quantization}), input);
    if (!expected) GTEST_SKIP() << "skipped: onnxruntime is not installed in .venv";
    ASSERT_EQ(got->size(), expected->size());
    for (size_t i = 0; i < got->size(); ++i) {
      EXPECT_LT(RelativeDifference((*got)[i], (*expected)[i]), most) << scheme;
      EXPECT_GT(RelativeDifference((*got)[i], (*expected)[i]), least) << scheme;
    }
  }
}

TEST(OnnxWriter, Fp16IsHalfAsLargeAndCloseToFloat) {
  for (const Network& network : {SmallMobileNet(), EveryOp()}) {
    const std::string half = WriteOnnx(network, {.fp16 = true}), whole = WriteOnnx(network, {});
    const onnx::ModelProto model = Parse(half);
    for (const auto& tensor : model.graph().initializer()) {
      if (tensor.name().ends_with(".weight")) {
        EXPECT_EQ(tensor.data_type(), onnx::TensorProto::FLOAT16);
      }
    }
    EXPECT_LT(half.size(), 0.75 * static_cast<double>(whole.size()));
    const Tensor input = RandomInput(network, 9);
    const auto expected = OnnxRuntime(whole, input);
    const auto got = OnnxRuntime(half, input);
    if (!expected) GTEST_SKIP() << "skipped: onnxruntime is not installed in .venv";
    ASSERT_EQ(got->size(), expected->size());
    for (size_t i = 0; i < got->size(); ++i) {
      EXPECT_LT(RelativeDifference((*got)[i], (*expected)[i]), 0.01);
      EXPECT_GT(RelativeDifference((*got)[i], (*expected)[i]), 1e-6);
    }
  }
}

TEST(OnnxWriter, Int8IsCloseToOnnxRuntimeAndToFloat) {
  for (const Network& network : {SmallMobileNet(), EveryOp()}) {
    const Tensor input = RandomInput(network, 9);
    const Quantization quantization = Calibrated(network);
    const auto expected = OnnxRuntime(WriteOnnx(network, {.quantization = &quantization}), input);
    if (!expected) GTEST_SKIP() << "skipped: onnxruntime is not installed in .venv";
    const auto toolchain = MakeToolchain("openvino");
    const auto device = MakeDevice("host", 1);
    const Artifact int8 =
        toolchain->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization});
    const auto outputs = device->Load(int8)->Run(std::span(&input, 1));
    const auto reference = device->Load(toolchain->Compile({.network = network}))->Run(std::span(&input, 1));
    ASSERT_EQ(outputs.size(), expected->size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      // Runtimes round halves differently: a step or two, amplified by later layers.
      EXPECT_LT(RelativeDifference(outputs[i].data, (*expected)[i]), 0.04) << i;
      EXPECT_LT(RelativeDifference(outputs[i].data, reference[i].data), 0.10) << i;
    }
  }
}

TEST(OnnxWriter, Int8BordersGiveTheSameNumbersAsFloatBorders) {
  const Network network = SmallMobileNet();
  const Quantization quantization = Calibrated(network);
  const ActivationScale in = quantization.activations.at("image"), out = quantization.activations.at("boxes");
  Tensor input = RandomInput(network, 9), steps = input;
  for (size_t i = 0; i < input.data.size(); ++i) {
    steps.data[i] =
        std::clamp(std::nearbyint(input.data[i] / in.scale) + static_cast<float>(in.zero_point), -128.0f, 127.0f);
  }
  const auto toolchain = MakeToolchain("openvino");
  const auto device = MakeDevice("host", 1);
  const CompileRequest request{.network = network, .precision = Precision::kInt8, .quantization = &quantization};
  CompileRequest borders = request;
  borders.int8_borders = true;
  const Tensor real = device->Load(toolchain->Compile(request))->Run(std::span(&input, 1))[0];
  const Tensor integers = device->Load(toolchain->Compile(borders))->Run(std::span(&steps, 1))[0];
  for (size_t i = 0; i < real.data.size(); ++i) {
    const float limited = std::clamp(real.data[i], out.scale * static_cast<float>(-128 - out.zero_point),
                                     out.scale * static_cast<float>(127 - out.zero_point));
    EXPECT_NEAR((integers.data[i] - static_cast<float>(out.zero_point)) * out.scale, limited, 2.01 * out.scale);
  }
}

TEST(OnnxWriter, ChannelsLastBordersTransposeInputsAndOutputsOnly) {
  const Network network = SmallMobileNet();
  const Tensor input = RandomInput(network, 9);
  Tensor transposed({1, 32, 32, 3});
  for (size_t i = 0; i < input.data.size(); ++i) transposed.data[i % 1024 * 3 + i / 1024] = input.data[i];
  const auto toolchain = MakeToolchain("openvino");
  const auto device = MakeDevice("host", 1);
  const auto plain = device->Load(toolchain->Compile({.network = network}))->Run(std::span(&input, 1));
  const Artifact artifact = toolchain->Compile({.network = network, .int8_borders = true});
  EXPECT_THAT(artifact.flags, HasSubstr("borders=nhwc"));
  const auto last = device->Load(artifact)->Run(std::span(&transposed, 1));
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0].shape, (std::vector<int64_t>{1, 8, 8, 8}));
  for (size_t i = 0; i < plain[1].data.size(); ++i) {
    EXPECT_NEAR(last[1].data[i % 64 * 12 + i / 64], plain[1].data[i], 1e-4);
  }
}

TEST(OnnxWriter, BordersOfAMixedPartAreIntegersOrChannelsLastAsTheLayersBehindThem) {
  GraphBuilder builder;
  NodeId x = builder.ConvBn("a", builder.Input("x", {3, 8, 6}), 8, 3, 1, 1, Op::kRelu6);
  builder.Output(builder.ConvBn("b", x, 4, 1, 1, 1, Op::kInput));
  const Graph graph = std::move(builder).Build();
  const Network network = FoldBatchNorm(graph, TimingWeights(graph, 4));
  const QuantizedNetwork whole{
      .exact = network, .network = network, .quantization = SyntheticQuantization(network), .ranges = {}};
  const auto types = [&](const std::string& in_float) {
    const QuantizedNetwork mixed = WithFloatLayers(whole, {in_float});
    const OnnxOptions options{.quantization = &mixed.quantization, .int8_borders = true, .channels_last_borders = true};
    const onnx::GraphProto parsed = Parse(WriteOnnx(mixed.network, options)).graph();
    const auto text = [](const onnx::ValueInfoProto& value) {
      std::string dims = value.type().tensor_type().elem_type() == onnx::TensorProto::INT8 ? "int8" : "float";
      for (const auto& dim : value.type().tensor_type().shape().dim()) dims += " " + std::to_string(dim.dim_value());
      return dims;
    };
    return text(parsed.input(0)) + ", " + text(parsed.output(0));
  };
  EXPECT_EQ(types("a.conv"), "float 1 8 6 3, int8 1 4 8 6");
  EXPECT_EQ(types("b.conv"), "int8 1 3 8 6, float 1 8 6 4");
}

template <typename Function>
Error Thrown(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kOk, "", "nothing was thrown");
}

TEST(OnnxWriter, RefusesWhatItCanNotWrite) {
  const Network network = SmallMobileNet();
  Quantization quantization = SyntheticQuantization(network);
  EXPECT_EQ(Thrown([&] { WriteOnnx(network, {.quantization = &quantization, .fp16 = true}); }).code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Thrown([&] { WriteOnnx(network, {.exposed = {"nowhere"}}); }).code(), Code::kNotFound);
  quantization.activations.erase("block1.add");
  EXPECT_THAT(Thrown([&] { WriteOnnx(network, {.quantization = &quantization}); }).what(), HasSubstr("block1.add"));
  quantization = SyntheticQuantization(network);
  quantization.weight_scales.at("boxes").pop_back();
  EXPECT_THAT(Thrown([&] { WriteOnnx(network, {.quantization = &quantization}); }).what(), HasSubstr("boxes"));

  Network missing = network;
  missing.weights.erase("boxes.bias");
  EXPECT_EQ(Thrown([&] { WriteOnnx(missing, {}); }).code(), Code::kDataLoss);

  GraphBuilder builder;
  builder.Output(builder.ConvBn("a", builder.Input("x", {3, 4, 4}), 3, 1, 1, 1, Op::kRelu6));
  const Graph graph = std::move(builder).Build();
  EXPECT_THAT(Thrown([&] { WriteOnnx({graph, RandomWeights(graph, 1)}, {}); }).what(), HasSubstr("batch norm"));
}

}  // namespace
}  // namespace hot
