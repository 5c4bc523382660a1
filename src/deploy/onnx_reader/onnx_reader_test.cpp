#include "deploy/onnx_reader/onnx_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "deploy/onnx_model.h"
#include "deploy/onnx_reader/names.h"
#include "deploy/onnx_writer.h"
#include "deploy/test_networks.h"
#include "graph/costs.h"
#include "graph/key.h"

namespace hot {
namespace {

using testing::HasSubstr;

constexpr auto kFloat = onnx::TensorProto::FLOAT;

std::vector<float> Numbers(size_t count, float first = 0.5f) {
  std::vector<float> numbers(count);
  for (size_t i = 0; i < count; ++i) numbers[i] = first + 0.01f * static_cast<float>(i % 37);
  return numbers;
}

// A file like an exporter's: input x [1, 4, 6, 6], convolution c, then what `rest` adds, which gives "y".
std::string File(const std::function<void(OnnxModel&)>& rest, int opset = 17,
                 const std::vector<int64_t>& input = {1, 4, 6, 6}) {
  OnnxModel model(opset);
  model.Input("x", kFloat, input);
  model.Floats("c.weight", {8, 4, 1, 1}, Numbers(32));
  model.Floats("c.bias", {8}, Numbers(8));
  model.Node("Conv", {"x", "c.weight", "c.bias"}, "c");
  rest(model);
  model.Output("y", kFloat, {});
  return model.Serialize();
}

OnnxNetwork Parse(const std::string& bytes, const OnnxReadOptions& options = {}) {
  return ParseOnnx(bytes, ".", "model.onnx", options);
}

// What a file says after the convolution, in one of the ways to say it, and the graph that is meant.
struct Wording {
  const char* name;
  std::function<void(OnnxModel&)> says;
  std::function<NodeId(GraphBuilder&, NodeId)> means;
  int opset = 17;
};

class Wordings : public testing::TestWithParam<Wording> {};

TEST_P(Wordings, AreReadAsWhatIsMeant) {
  GraphBuilder builder;
  const NodeId x = builder.Input("input", {4, 6, 6});
  const NodeId c = builder.Conv("c", x, {.out_channels = 8, .bias = true});
  builder.Output(GetParam().means(builder, c));
  const OnnxNetwork read = Parse(File(GetParam().says, GetParam().opset));
  EXPECT_EQ(GraphKey(read.network.graph, Precision::kFp32), GraphKey(std::move(builder).Build(), Precision::kFp32));
  EXPECT_EQ(read.outputs, std::vector<std::string>{"y"});
}

NodeId Pooled(GraphBuilder& b, NodeId c) { return b.Unary(Op::kGlobalAvgPool, "g", c); }
NodeId Classified(GraphBuilder& b, NodeId c) { return b.Linear("l", Pooled(b, c), 3); }
std::function<NodeId(GraphBuilder&, NodeId)> Unary(Op op) {
  return [op](GraphBuilder& b, NodeId c) { return b.Unary(op, "u", c); };
}

void Clip(OnnxModel& m, float low, float high) {
  m.Floats("low", {}, {low});
  m.Floats("high", {}, {high});
  m.Node("Clip", {"c", "low", "high"}, "y");
}

// The end of a classifier: `flat` is what makes "g" of "c" the vector "f".
void Gemm(OnnxModel& m, const std::function<void()>& flat, bool transposed = true) {
  flat();
  m.Floats("l.weight", transposed ? std::vector<int64_t>{3, 8} : std::vector<int64_t>{8, 3}, Numbers(24));
  m.Floats("l.bias", {3}, Numbers(3));
  SetInt(m.Node("Gemm", {"f", "l.weight", "l.bias"}, "y"), "transB", transposed ? 1 : 0);
}

void ShapeArithmetic(OnnxModel& m) {  // x.view(x.size(0), -1)
  m.Node("GlobalAveragePool", {"c"}, "g");
  m.Node("Shape", {"g"}, "s");
  m.Int64s("zero", {}, {0});
  SetInt(m.Node("Gather", {"s", "zero"}, "n"), "axis", 0);
  m.Int64s("axes", {1}, {0});
  m.Node("Unsqueeze", {"n", "axes"}, "n1");
  m.Int64s("rest", {1}, {-1});
  SetInt(m.Node("Concat", {"n1", "rest"}, "dims"), "axis", 0);
  m.Node("Reshape", {"g", "dims"}, "f");
}

void HardSigmoid(OnnxModel& m, const std::string& x, const std::string& y) {
  onnx::NodeProto& node = m.Node("HardSigmoid", {x}, y);
  SetFloat(node, "alpha", 0.1666667f);
}

void SqueezeAndExcite(OnnxModel& m) {
  SetInts(m.Node("ReduceMean", {"c"}, "g"), "axes", {-1, -2});
  m.Floats("e.weight", {8, 8, 1, 1}, Numbers(64));
  m.Node("Conv", {"g", "e.weight"}, "e");
  HardSigmoid(m, "e", "h");
  m.Node("Mul", {"h", "c"}, "y");
}

NodeId SqueezedAndExcited(GraphBuilder& b, NodeId c) {
  const NodeId e = b.Conv("e", Pooled(b, c), {.out_channels = 8});
  return b.Mul("m", c, b.Unary(Op::kHardSigmoid, "h", e));
}

INSTANTIATE_TEST_SUITE_P(
    Exporters, Wordings,
    testing::Values(
        Wording{"Clip06", [](OnnxModel& m) { Clip(m, 0, 6); }, Unary(Op::kRelu6)},
        Wording{"ClipOpen",
                [](OnnxModel& m) {
                  m.Floats("low", {}, {0});
                  m.Node("Clip", {"c", "low"}, "y");
                },
                Unary(Op::kRelu)},
        Wording{"Identity",
                [](OnnxModel& m) {
                  m.Node("Identity", {"c"}, "i");
                  m.Node("Dropout", {"i"}, "d");
                  m.Node("Relu", {"d"}, "y");
                },
                Unary(Op::kRelu)},
        Wording{"HardSwish14", [](OnnxModel& m) { m.Node("HardSwish", {"c"}, "y"); }, Unary(Op::kHardSwish)},
        Wording{"HardSwishOlder",
                [](OnnxModel& m) {
                  HardSigmoid(m, "c", "h");
                  m.Node("Mul", {"c", "h"}, "y");
                },
                Unary(Op::kHardSwish), 13},
        Wording{"SqueezeAndExcite", SqueezeAndExcite, SqueezedAndExcited},
        Wording{"GemmFlatten",
                [](OnnxModel& m) {
                  Gemm(m, [&] {
                    m.Node("GlobalAveragePool", {"c"}, "g");
                    m.Node("Flatten", {"g"}, "f");
                  });
                },
                Classified},
        Wording{"GemmUntransposed",
                [](OnnxModel& m) {
                  Gemm(
                      m,
                      [&] {
                        onnx::NodeProto& mean = m.Node("ReduceMean", {"c"}, "f");
                        SetInts(mean, "axes", {2, 3});
                        SetInt(mean, "keepdims", 0);
                      },
                      false);
                },
                Classified},
        Wording{"GemmShapeArithmetic", [](OnnxModel& m) { Gemm(m, [&] { ShapeArithmetic(m); }); }, Classified},
        Wording{"ReduceMean18",
                [](OnnxModel& m) {
                  m.Int64s("axes", {2}, {2, 3});
                  SetInt(m.Node("ReduceMean", {"c", "axes"}, "y"), "keepdims", 1);
                },
                Pooled, 18},
        Wording{"MatMulAdd",
                [](OnnxModel& m) {
                  m.Node("GlobalAveragePool", {"c"}, "g");
                  m.Int64s("axes", {2}, {2, 3});
                  m.Node("Squeeze", {"g", "axes"}, "f");
                  m.Floats("w", {8, 3}, Numbers(24));
                  m.Floats("b", {3}, Numbers(3));
                  m.Node("MatMul", {"f", "w"}, "p");
                  m.Node("Add", {"p", "b"}, "y");
                },
                Classified},
        Wording{"AveragePoolOfAll",
                [](OnnxModel& m) {
                  SetInts(m.Node("AveragePool", {"c"}, "y"), "kernel_shape", {6, 6});
                },
                Pooled},
        Wording{"MaxPool",
                [](OnnxModel& m) {
                  onnx::NodeProto& pool = m.Node("MaxPool", {"c"}, "y");
                  SetInts(pool, "kernel_shape", {2, 2});
                  SetInts(pool, "strides", {2, 2});
                  SetInt(pool, "ceil_mode", 1);
                },
                [](GraphBuilder& b, NodeId c) { return b.Pool(Op::kMaxPool, "p", c, 2, 2, 0); }},
        Wording{
            "SamePadding",
            [](OnnxModel& m) {
              m.Floats("d.weight", {8, 1, 3, 3}, Numbers(72));
              onnx::NodeProto& conv = m.Node("Conv", {"c", "d.weight"}, "y");
              SetText(conv, "auto_pad", "SAME_UPPER");
              SetInts(conv, "strides", {2, 2});
              SetInt(conv, "group", 8);
            },
            [](GraphBuilder& b, NodeId c) {
              return b.Conv("d", c, {.out_channels = 8, .kernel = 3, .stride = 2, .groups = 8, .pads = {0, 0, 1, 1}});
            }},
        Wording{"Concat",
                [](OnnxModel& m) {
                  m.Node("Relu", {"c"}, "r");
                  SetInt(m.Node("Concat", {"c", "r"}, "y"), "axis", -3);
                },
                [](GraphBuilder& b, NodeId c) {
                  return b.Concat("y", {c, b.Unary(Op::kRelu, "r", c)});
                }},
        Wording{"ResizeTwice",
                [](OnnxModel& m) {
                  m.Floats("scales", {4}, {1, 1, 2, 2});
                  onnx::NodeProto& resize = m.Node("Resize", {"c", "", "scales"}, "y");
                  SetText(resize, "coordinate_transformation_mode", "asymmetric");
                  SetText(resize, "nearest_mode", "floor");
                },
                [](GraphBuilder& b, NodeId c) { return b.Upsample("u", c, 2); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(OnnxReader, ReadsWhatOurWriterWrites) {
  const Network ours = SmallMobileNet();
  const OnnxNetwork read = Parse(WriteOnnx(ours, {}));
  EXPECT_EQ(GraphKey(read.network.graph, Precision::kFp32), GraphKey(ours.graph, Precision::kFp32));
  EXPECT_EQ(read.network.weights.size(), ours.weights.size());
  EXPECT_EQ(read.network.weights.at("stem.conv.weight").data, ours.weights.at("stem.conv.weight").data);
  const Network all = EveryOp();
  const Costs costs = ComputeCosts(Parse(WriteOnnx(all, {})).network.graph, Precision::kFp32);
  EXPECT_EQ(costs.macs, ComputeCosts(all.graph, Precision::kFp32).macs);
  EXPECT_EQ(costs.params, ComputeCosts(all.graph, Precision::kFp32).params);
}

TEST(OnnxReader, KeepsBatchNormAndItsNumbers) {
  const OnnxNetwork read = Parse(File([](OnnxModel& m) {
    for (const char* name : {"n.weight", "n.bias", "n.running_mean", "n.running_var"}) m.Floats(name, {8}, Numbers(8));
    onnx::NodeProto& norm =
        m.Node("BatchNormalization", {"c", "n.weight", "n.bias", "n.running_mean", "n.running_var"}, "y");
    SetFloat(norm, "epsilon", 0.001f);
  }));
  EXPECT_FLOAT_EQ(read.network.graph.nodes().back().attrs.eps, 0.001f);
  EXPECT_EQ(read.network.weights.at("n.running_var").data, Numbers(8));
}

TEST(OnnxReader, MatrixOfAnUntransposedGemmIsTurned) {
  const OnnxNetwork read = Parse(File([](OnnxModel& m) {
    Gemm(
        m,
        [&] {
          m.Node("GlobalAveragePool", {"c"}, "g");
          m.Node("Flatten", {"g"}, "f");
        },
        false);
  }));
  const Tensor& weight = read.network.weights.at("l.weight");
  EXPECT_EQ(weight.shape, (std::vector<int64_t>{3, 8}));
  EXPECT_EQ(weight.data[1], Numbers(24)[3]);  // output 0, input 1
}

TEST(OnnxReader, OpenSizesAreGivenByTheUser) {
  const std::string file = File([](OnnxModel& m) { m.Node("Relu", {"c"}, "y"); }, 17, {0, 4, 0, 0});
  EXPECT_EQ(Parse(file, {.input = Shape{4, 9, 7}}).network.graph.nodes().back().shape, (Shape{8, 9, 7}));
}

TEST(OnnxReader, StopsAtNamedOutputs) {
  const std::string file = File([](OnnxModel& m) {
    m.Node("Relu", {"c"}, "r");
    SetInts(m.Node("Transpose", {"r"}, "y"), "perm", {0, 2, 3, 1});
  });
  const OnnxNetwork read = Parse(file, {.outputs = {"r"}});
  EXPECT_EQ(read.network.graph.nodes().back().op, Op::kRelu);
}

struct BadCase {
  const char* name;
  std::string bytes;
  Code code;
  const char* says;
};

class BadFiles : public testing::TestWithParam<BadCase> {};

TEST_P(BadFiles, GiveOneClearLine) {
  try {
    Parse(GetParam().bytes);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), GetParam().code) << error.what();
    EXPECT_THAT(std::string(error.what()), HasSubstr(GetParam().says));
    EXPECT_EQ(error.where().find("model.onnx"), 0u) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

std::string External(const std::string& location) {
  onnx::ModelProto model;
  model.ParseFromString(File([](OnnxModel& m) { m.Node("Relu", {"c"}, "y"); }));
  onnx::TensorProto& weight = *model.mutable_graph()->mutable_initializer(0);
  weight.clear_raw_data();
  weight.set_data_location(onnx::TensorProto::EXTERNAL);
  onnx::StringStringEntryProto& entry = *weight.add_external_data();
  entry.set_key("location");
  entry.set_value(location);
  return model.SerializeAsString();
}

const std::string kGood = File([](OnnxModel& m) { m.Node("Relu", {"c"}, "y"); });

INSTANTIATE_TEST_SUITE_P(
    Onnx, BadFiles,
    testing::Values(
        BadCase{"NoOnnx", "not a network", Code::kInvalidArgument, "is no ONNX file"},
        BadCase{"Empty", "", Code::kInvalidArgument, "is no ONNX file"},
        BadCase{"Truncated", kGood.substr(0, kGood.size() / 2), Code::kInvalidArgument, "is no ONNX file, or its end"},
        BadCase{"OldOpset", File([](OnnxModel& m) { m.Node("Relu", {"c"}, "y"); }, 9), Code::kUnimplemented,
                "opset 9, older than 11"},
        BadCase{"UnknownOperation", File([](OnnxModel& m) { m.Node("Einsum", {"c"}, "y"); }), Code::kUnimplemented,
                "node y (Einsum): no such operation is read (--outputs c reads"},
        BadCase{"BehindAnUnknownOperation", File([](OnnxModel& m) {
                  m.Node("Elu", {"c"}, "e");
                  m.Node("Relu", {"e"}, "y");
                }),
                Code::kUnimplemented, "node e (Elu)"},
        BadCase{"OpenSize", File([](OnnxModel& m) { m.Node("Relu", {"c"}, "y"); }, 17, {0, 4, 0, 0}),
                Code::kInvalidArgument, "--input 3,224,224"},
        BadCase{"NoPicture", File([](OnnxModel& m) { m.Node("Relu", {"c"}, "y"); }, 17, {1, 4}), Code::kInvalidArgument,
                "input x: has 2 sides"},
        BadCase{"NotFinite", File([](OnnxModel& m) {
                  m.Floats("w", {8, 8, 1, 1}, std::vector<float>(64, std::nanf("")));
                  m.Node("Conv", {"c", "w"}, "y");
                }),
                Code::kDataLoss, "not finite"},
        BadCase{"WrongChannels", File([](OnnxModel& m) {
                  m.Floats("w", {8, 5, 1, 1}, Numbers(40));
                  m.Node("Conv", {"c", "w"}, "y");
                }),
                Code::kUnimplemented, "other channels"},
        BadCase{"TooFewNumbers", File([](OnnxModel& m) {
                  m.Floats("w", {8, 8, 1, 1}, Numbers(63));
                  m.Node("Conv", {"c", "w"}, "y");
                }),
                Code::kDataLoss, "tensor w holds 252 bytes instead of 256"},
        BadCase{"Dilated", File([](OnnxModel& m) {
                  m.Floats("w", {8, 8, 3, 3}, Numbers(576));
                  SetInts(m.Node("Conv", {"c", "w"}, "y"), "dilations", {2, 2});
                }),
                Code::kUnimplemented, "is dilated"},
        BadCase{"ExternalMissing", External("weights.data"), Code::kNotFound, "its external data is missing"},
        BadCase{"ExternalElsewhere", External("../secret"), Code::kInvalidArgument, "outside the model's folder"},
        BadCase{"ExternalAbsolute", External("/etc/passwd"), Code::kInvalidArgument, "outside the model's folder"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ReadableName, IsThatOfTheModule) {
  onnx::NodeProto node;
  node.set_op_type("Conv");
  node.set_name("/features/features.1/conv/conv.0/conv.0.0/Conv");
  EXPECT_EQ(ReadableName(node), "features.1.conv.0.0");
  node.add_input("x");
  node.add_input("layer1.0.conv1.weight");
  EXPECT_EQ(ReadableName(node), "layer1.0.conv1");
  onnx::NodeProto add;
  add.set_op_type("Add");
  add.set_name("/layer1/layer1.0/Add");
  EXPECT_EQ(ReadableName(add), "layer1.0.Add");
  add.set_name("");
  add.add_output("odd name:0");
  EXPECT_EQ(ReadableName(add), "odd_name_0");
}

}  // namespace
}  // namespace hot
