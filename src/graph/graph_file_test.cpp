#include "graph/graph_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>

#include "core/error.h"
#include "graph/fold.h"
#include "graph/key.h"
#include "tasks/task.h"

namespace hot {
namespace {

// Everything of a graph, also what its key leaves out.
void ExpectEqual(const Graph& read, const Graph& written) {
  ASSERT_EQ(read.size(), written.size());
  for (NodeId id = 0; id < read.size(); ++id) {
    const Node &a = read.node(id), &b = written.node(id);
    EXPECT_TRUE(a.op == b.op && a.name == b.name && a.inputs == b.inputs && a.attrs == b.attrs && a.shape == b.shape)
        << b.name;
  }
  EXPECT_EQ(read.inputs(), written.inputs());
  EXPECT_EQ(read.outputs(), written.outputs());
  ASSERT_EQ(read.sections().size(), written.sections().size());
  for (size_t i = 0; i < read.sections().size(); ++i) {
    const Section &a = read.sections()[i], &b = written.sections()[i];
    EXPECT_TRUE(a.name == b.name && a.first == b.first && a.last == b.last) << b.name;
  }
}

// As it is trained, and as it is compiled.
void ExpectRoundTrip(const Graph& graph) {
  const Graph folded = FoldBatchNorm(graph, RandomWeights(graph, 1)).graph;
  for (const Graph* written : {&graph, &folded}) {
    const Graph read = ParseGraph(ToJson(*written), "test");
    ExpectEqual(read, *written);
    EXPECT_EQ(GraphKey(read, Precision::kInt8), GraphKey(*written, Precision::kInt8));
  }
}

TEST(GraphFile, KeepsEveryBlock) {
  for (const Block* block : AllBlocks()) {
    for (const int kernel : {3, 5}) {
      for (const int stride : {1, 2}) {
        GraphBuilder builder({.padding = stride == 1 ? Padding::kSame : Padding::kSymmetric, .bn_eps = 1e-3});
        const NodeId x = builder.Input("x", {16, 15, 12});
        builder.Output(block->Build(builder, x, {.out_channels = 16, .stride = stride, .kernel = kernel}, "b"));
        ExpectRoundTrip(std::move(builder).Build());
      }
    }
  }
}

TEST(GraphFile, KeepsEveryBackboneWithEveryTask) {
  for (const Backbone* backbone : AllBackbones()) {
    for (const std::string& name : TaskNames()) {
      TaskOptions options;
      options.task = name;
      options.input = {3, 64, 64};
      options.classes = {"a", "b"};
      options.keypoints = {"head", "hand"};
      const auto task = MakeTask(options);
      ExpectRoundTrip(BuildNetwork(*backbone, 0.5, BaselineChoices(*backbone, 0.5, Precision::kFp32), *task));
    }
  }
}

TEST(GraphFile, KeepsEveryOperation) {
  GraphBuilder builder;
  const NodeId x = builder.Input("image", {4, 16, 16}), y = builder.Input("other", {4, 16, 16});
  builder.BeginSection("empty");
  builder.BeginSection("first");
  const NodeId sum = builder.Add("sum", builder.BatchNorm("norm", x, 1e-3f), y);
  const NodeId conv = builder.Conv(
      "conv", sum, {.out_channels = 8, .kernel = 5, .stride = 2, .groups = 4, .pads = {0, 1, 2, 3}, .bias = true});
  const NodeId relu = builder.Unary(Op::kRelu, "relu", conv);
  builder.BeginSection("second");
  const NodeId average = builder.Pool(Op::kAvgPool, "average", relu, 3, 2, 1);
  const NodeId most = builder.Pool(Op::kMaxPool, "most", relu, 3, 2, 1);
  const NodeId both = builder.Concat("both", {average, most, average});
  const NodeId clipped = builder.Unary(Op::kRelu6, "clipped", builder.Upsample("up", both, 2));
  const NodeId flat = builder.Unary(Op::kFlatten, "flat", builder.Unary(Op::kGlobalAvgPool, "mean", clipped));
  builder.Output(builder.Unary(Op::kSoftmax, "softmax", builder.Linear("plain", flat, 3, false)));
  builder.Output(builder.Unary(Op::kSigmoid, "sigmoid", builder.Linear("linear", flat, 5)));
  const NodeId gate = builder.Unary(Op::kHardSigmoid, "gate", builder.Unary(Op::kGlobalAvgPool, "squeezed", clipped));
  builder.Output(builder.Mul("excited", builder.Unary(Op::kHardSwish, "swish", clipped), gate));
  builder.BeginSection("behind");
  const Graph graph = std::move(builder).Build();
  ExpectEqual(ParseGraph(ToJson(graph), "test"), graph);
}

// Version 1 as it was first written: text in a file somewhere must stay readable.
TEST(GraphFile, ReadsVersion1) {
  const Graph graph =
      ParseGraph(R"({"version":1,"nodes":[{"op":"input","name":"x","shape":[3,8,8]},)"
                 R"({"op":"conv","name":"a","inputs":[0],"out_channels":4,"kernel":3,"stride":2,"groups":1,)"
                 R"("pads":[1,1,1,1],"bias":true},)"
                 R"({"op":"relu6","name":"a.act","inputs":[1]}],"outputs":[2],"sections":[{"name":"stem","first":0}]})",
                 "test");
  EXPECT_EQ(graph.node(2).shape, (Shape{4, 4, 4}));
  EXPECT_EQ(graph.sections()[0].last, 3);
  EXPECT_TRUE(graph.node(1).attrs.bias);
}

struct BrokenCase {
  std::string text;
  Code code;
  std::string says;
};

// A graph of one input and `node`, whose output is node 1.
std::string Two(const std::string& node) {
  return R"({"version":1,"nodes":[{"op":"input","name":"x","shape":[4,8,8]},)" + node + R"(],"outputs":[1]})";
}

void ExpectRefused(std::span<const BrokenCase> cases) {
  for (const BrokenCase& c : cases) {
    try {
      ParseGraph(c.text, "g.json");
      ADD_FAILURE() << c.text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), c.code) << c.text << " " << error.what();
      EXPECT_THAT(error.what(), testing::HasSubstr(c.says)) << c.text;
      EXPECT_FALSE(error.where().empty());
    }
  }
}

TEST(GraphFile, RefusesWhatIsNoGraph) {
  const BrokenCase cases[] = {
      {"", Code::kDataLoss, "is no graph"},
      {"[]", Code::kDataLoss, "not an object"},
      {R"({"version":2})", Code::kFailedPrecondition, "newer"},
      {R"({"version":0})", Code::kDataLoss, "no version of ours"},
      {R"({"version":1,"nodes":{},"outputs":[]})", Code::kDataLoss, "expected a list"},
      {R"({"version":1,"nodes":[],"outputs":[]})", Code::kInvalidArgument, "no output"},
      {R"({"version":1,"nodes":[[[[[[[[[]]]]]]]]]})", Code::kDataLoss, "nested too deep"},
      {Two(R"({"op":"relu","name":"r","inputs":[1]})"), Code::kDataLoss, "not before it"},
      {Two(R"({"op":"relu","name":"r","inputs":[-1]})"), Code::kDataLoss, "not before it"},
      {Two(R"({"op":"relu","name":"r","inputs":[0.5]})"), Code::kDataLoss, "whole number"},
      {Two(R"({"op":"relu","name":"r","inputs":[0,0]})"), Code::kDataLoss, "2 inputs instead of 1"},
      {Two(R"({"op":"relu","name":"r"})"), Code::kDataLoss, "inputs"},
      {Two(R"({"op":"relu","name":"x","inputs":[0]})"), Code::kInvalidArgument, "used twice"},
      {Two(R"({"op":"relu","name":"r\n","inputs":[0]})"), Code::kDataLoss, "a name is empty"},
      {Two(R"({"op":"warp","name":"r","inputs":[0]})"), Code::kInvalidArgument, "unknown operation \"warp\""},
      {R"({"version":1,"nodes":[{"op":"input","name":"x","shape":[4,8,8]}],"outputs":[0,0]})", Code::kDataLoss,
       "named twice"},
      {R"({"version":1,"nodes":[{"op":"input","name":"x","shape":[4,8,8]}],"outputs":[0],)"
       R"("sections":[{"name":"b","first":1},{"name":"a","first":0}]})",
       Code::kDataLoss, "order of its nodes"}};
  ExpectRefused(cases);
}

TEST(GraphFile, RefusesShapesThatDoNotFit) {
  const std::string conv = R"("op":"conv","name":"c","stride":1,"groups":1,"bias":false,)";
  const BrokenCase cases[] = {
      {Two(R"({"op":"input","name":"r","shape":[1,2]})"), Code::kDataLoss, "three sides"},
      {Two(R"({"op":"input","name":"r","shape":[1,0,2]})"), Code::kInvalidArgument, "positive shape"},
      {Two(R"({"op":"input","name":"r","shape":[65536,65536,2]})"), Code::kInvalidArgument, "too large"},
      {Two(R"({"op":"upsample","name":"r","inputs":[0],"factor":2000000000})"), Code::kInvalidArgument, "too large"},
      {Two(R"({"op":"batch_norm","name":"r","inputs":[0],"eps":1e300})"), Code::kInvalidArgument, "eps"},
      {Two(R"({"op":"max_pool","name":"r","inputs":[0],"kernel":2,"stride":1,"pad":2})"), Code::kInvalidArgument,
       "in the padding altogether"},
      {Two("{" + conv + R"("inputs":[0],"out_channels":4,"kernel":9,"pads":[0,0,0,0]})"), Code::kInvalidArgument,
       "a window of 9 does not fit"},
      {Two("{" + conv + R"("inputs":[0],"out_channels":4,"kernel":3,"pads":[2147483647,2147483647,1,1]})"),
       Code::kInvalidArgument, "too large"},
      {Two("{" + conv + R"("inputs":[0],"out_channels":4,"kernel":3,"pads":[-1,1,1,1]})"), Code::kInvalidArgument,
       "does not fit"},
      {Two("{" + conv + R"("inputs":[0],"out_channels":4,"kernel":3,"pads":[1,1,1]})"), Code::kDataLoss, "four pads"},
      {Two("{" + conv + R"("inputs":[0],"out_channels":2000000,"kernel":4000,"pads":[2000,2000,2000,2000]})"),
       Code::kInvalidArgument, "weights are too large"}};
  ExpectRefused(cases);
}

TEST(GraphFile, AMissingFileIsNotFound) {
  try {
    ReadGraph("no/graph.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
}

}  // namespace
}  // namespace hot
