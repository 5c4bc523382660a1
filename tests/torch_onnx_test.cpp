// LibTorch's output = ONNX Runtime's output on the same weights, for every block type and for whole networks: what was
// trained is what will be deployed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/rng.h"
#include "core/subprocess.h"
#include "deploy/onnx_writer.h"
#include "graph/fold.h"
#include "models/backbone.h"
#include "tasks/task.h"
#include "train/graph_module.h"

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

Graph BlockAlone(const Block& block, const BlockSpec& spec) {
  GraphBuilder builder;
  builder.Output(block.Build(builder, builder.Input("image", {16, 12, 12}), spec, "b"));
  return std::move(builder).Build();
}

Graph Whole(const std::string& task, int side, uint64_t seed, Purpose purpose = Purpose::kShipping) {
  TaskOptions options;
  options.task = task;
  options.input = {3, side, side};
  options.classes = {"a", "b", "c"};
  options.keypoints = {"head", "hand"};
  const Backbone& net = FindBackbone("mobilenet_v2");
  Rng rng(seed);
  std::vector<Choice> pick;
  for (const Slot& slot : net.Slots(0.35, Precision::kFp32)) {
    pick.push_back(seed == 0 ? slot.baseline : slot.choices[static_cast<size_t>(rng.Below(std::ssize(slot.choices)))]);
  }
  return BuildNetwork(net, 0.35, pick, *MakeTask(options), purpose);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Block* block : AllBlocks()) {
    for (int kernel : {3, 5}) {
      for (int stride : {1, 2}) {
        const std::string name =
            std::string(block->type()) + "-k" + std::to_string(kernel) + "-s" + std::to_string(stride);
        cases.push_back({name, BlockAlone(*block, {16, stride, kernel, 3})});
      }
    }
  }
  for (const char* task : {"ssd", "cpn", "classify"}) {
    for (uint64_t seed : {0, 1, 2}) cases.push_back({task + ("-" + std::to_string(seed)), Whole(task, 96, seed)});
  }
  cases.push_back({"cpn-training", Whole("cpn", 64, 3, Purpose::kTraining)});
  return cases;
}

// Batch norm as after a training, so that folding has something to do.
Weights TrainedLooking(const Graph& graph) {
  Weights weights = RandomWeights(graph, 1);
  Rng rng(2);
  for (auto& [name, tensor] : weights) {
    if (tensor.shape.size() > 1) continue;
    const bool positive = name.ends_with(".running_var") || name.ends_with(".weight");
    for (float& value : tensor.data)
      value = static_cast<float>(positive ? rng.Uniform(0.5, 1.5) : rng.Uniform(-0.5, 0.5));
  }
  return weights;
}

std::string Bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class TorchOnnx : public testing::Test {
 protected:
  // Writes model and input; returns LibTorch's outputs, one behind the other.
  std::vector<float> Prepare(const Case& one) {
    const Weights weights = TrainedLooking(one.graph);
    const Shape in = one.graph.node(one.graph.inputs()[0]).shape;
    std::vector<float> image(static_cast<size_t>(in.elements()));
    Rng rng(3);
    for (float& value : image) value = static_cast<float>(rng.Normal());
    WriteFileAtomic(folder_.path() / (one.name + ".in"), Bytes(image));
    WriteFileAtomic(folder_.path() / (one.name + ".onnx"), WriteOnnx(FoldBatchNorm(one.graph, weights), {}));
    GraphModule module(one.graph);
    module.Load(weights);
    std::vector<float> outputs;
    for (const at::Tensor& output : module.Forward(at::from_blob(image.data(), {1, in.c, in.h, in.w}))) {
      const at::Tensor dense = output.detach().contiguous(at::MemoryFormat::Contiguous);
      outputs.insert(outputs.end(), dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel());
    }
    return outputs;
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
    const std::string bytes = ReadFile(folder_.path() / (cases[i].name + ".out"));
    ASSERT_EQ(bytes.size(), expected[i].size() * sizeof(float)) << cases[i].name;
    std::vector<float> theirs(expected[i].size());
    std::memcpy(theirs.data(), bytes.data(), bytes.size());
    double largest = 0, difference = 0;
    for (size_t k = 0; k < theirs.size(); ++k) {
      largest = std::max(largest, std::abs(static_cast<double>(theirs[k])));
      difference = std::max(difference, std::abs(static_cast<double>(theirs[k]) - expected[i][k]));
    }
    EXPECT_GT(largest, 0.1) << cases[i].name;
    EXPECT_LT(difference, 2e-4 * largest) << cases[i].name;
  }
}

}  // namespace
}  // namespace hot
