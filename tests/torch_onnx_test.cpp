// LibTorch's output = ONNX Runtime's output on the same weights, for every block type and for whole networks: what was
// trained is what will be deployed.
#include <gtest/gtest.h>

#include "core/subprocess.h"
#include "deploy/onnx_writer.h"
#include "graph/fold.h"
#include "graph_outputs.h"
#include "whole_graphs.h"

namespace hot {
namespace {

// Runs every *.onnx of a folder on the .in beside it and writes the outputs one behind the other.
constexpr const char* kScript = R"(
import glob, os, sys
try:
    import numpy, onnxruntime
except ImportError as error:
    print(error)
    sys.exit(77)
for model in glob.glob(os.path.join(sys.argv[1], '*.onnx')):
    session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
    spec = session.get_inputs()[0]
    data = numpy.fromfile(model[:-5] + '.in', numpy.float32).reshape(spec.shape)
    with open(model[:-5] + '.out', 'wb') as file:
        for output in session.run(None, {spec.name: data}):
            file.write(output.astype(numpy.float32).tobytes())
)";

struct Case {
  std::string name;
  Graph graph;
};

void AddResNets(std::vector<Case>& cases) {
  for (const Backbone* net : AllBackbones()) {
    if (net == &FindBackbone("mobilenet_v2")) continue;
    for (const char* task : {"ssd", "cpn", "classify"}) {
      for (const uint64_t seed : {0, 1, 2}) {
        const std::string name = std::string(net->name()) + "-" + task + "-" + std::to_string(seed);
        cases.push_back({name, WholeGraph(task, 64, seed, {.backbone = std::string(net->name()), .width = 0.25})});
      }
    }
  }
  const GraphStyle same{.padding = Padding::kSame, .bn_eps = 1e-3};
  cases.push_back({"resnet50-same", WholeGraph("ssd", 96, 1, {.style = same, .backbone = "resnet50", .width = 0.25})});
}

// Slots of one block each, and choices that no backbone has of its own: each block type with other kernels and
// expansions.
void AddSpaces(std::vector<Case>& cases) {
  const std::vector<std::string> choices{"irb-k7-e2",   "irb-k9-e1",        "fused-k7-e1",     "sandglass-k11-e1",
                                         "basic-k7-e3", "bottleneck-k9-e1", "bottleneck-k3-e5"};
  for (const char* backbone : {"mobilenet_v2", "resnet18", "resnet50"}) {
    for (const char* task : {"ssd", "cpn", "classify"}) {
      const std::string name = std::string(backbone) + "-" + task;
      WholeOptions whole{.backbone = backbone, .width = 0.25, .slot_size = SlotSize::kBlock};
      cases.push_back({name + "-blocks", WholeGraph(task, 64, 3, whole)});
      whole.choices = choices;
      cases.push_back({name + "-own", WholeGraph(task, 64, 4, whole)});
    }
  }
}

// What only imported networks have: hard swish, squeeze-and-excitation (Howard et al., 2019, figure 4).
Graph ExcitedBlock() {
  GraphBuilder b;
  const NodeId x = b.ConvBn("stem", b.Input("image", {3, 16, 16}), 8, 3, 2, 1, Op::kHardSwish);
  const NodeId y =
      b.ConvBn("depthwise", b.ConvBn("expand", x, 24, 1, 1, 1, Op::kHardSwish), 24, 5, 1, 24, Op::kHardSwish);
  const NodeId squeezed = b.Conv("squeeze", b.Unary(Op::kGlobalAvgPool, "pool", y), {.out_channels = 8, .bias = true});
  const NodeId excited =
      b.Conv("excite", b.Unary(Op::kRelu, "squeeze_act", squeezed), {.out_channels = 24, .bias = true});
  const NodeId scaled = b.Mul("scale", y, b.Unary(Op::kHardSigmoid, "gate", excited));
  b.Output(b.Add("add", x, b.ConvBn("project", scaled, 8, 1, 1, 1, Op::kInput)));
  return std::move(b).Build();
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"excited", ExcitedBlock()});
  for (auto& [name, graph] : BlockGraphs()) cases.push_back({name, std::move(graph)});
  for (const char* task : {"ssd", "cpn", "classify"}) {
    for (uint64_t seed : {0, 1, 2}) cases.push_back({task + ("-" + std::to_string(seed)), WholeGraph(task, 96, seed)});
  }
  cases.push_back({"cpn-training", WholeGraph("cpn", 64, 3, {.purpose = Purpose::kTraining})});
  for (const char* task : {"ssd", "cpn"}) {
    const WholeOptions same{.style = {.padding = Padding::kSame, .bn_eps = 1e-3}};
    cases.push_back({task + std::string("-same"), WholeGraph(task, 96, 1, same)});
  }
  AddResNets(cases);
  AddSpaces(cases);
  return cases;
}

class TorchOnnx : public testing::Test {
 protected:
  // Writes model and input; returns LibTorch's outputs.
  std::vector<float> Prepare(const Case& one) {
    const Weights weights = TrainedLookingWeights(one.graph);
    const Tensor image = NormalInput(one.graph);
    WriteFloats(folder_.path() / (one.name + ".in"), image.data);
    WriteFileAtomic(folder_.path() / (one.name + ".onnx"), WriteOnnx(FoldBatchNorm(one.graph, weights), {}));
    return AllValues(LibTorchOutputs(one.graph, weights, image));
  }

  const TempFolder folder_;
};

TEST_F(TorchOnnx, GiveTheSameOutputs) {
  const fs::path python = fs::path(HOT_VENV) / "bin" / "python";
  if (!fs::exists(python)) GTEST_SKIP() << "skipped: no Python in " << HOT_VENV;
  const std::vector<Case> cases = Cases();
  std::vector<std::vector<float>> expected;
  for (const Case& one : cases) expected.push_back(Prepare(one));
  const ProcessResult run = RunProcess({python.string(), "-c", kScript, folder_.path().string()});
  if (run.status.code == 77) GTEST_SKIP() << "skipped: " << run.output;
  ASSERT_TRUE(run.status.ok()) << run.output;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::vector<float> theirs = ReadFloats(folder_.path() / (cases[i].name + ".out"));
    EXPECT_GT(LargestMagnitude(theirs), 0.01) << cases[i].name;
    EXPECT_LT(LargestDifference(theirs, expected[i]), 2e-4 * LargestMagnitude(theirs)) << cases[i].name;
  }
}

}  // namespace
}  // namespace hot
