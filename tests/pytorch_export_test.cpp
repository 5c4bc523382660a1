// The exported Python module computes what our own does, can be trained, and its state dict comes back in through
// model.pretrained. Needs a Python with torch (Debian's python3-torch).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <span>

#include "core/subprocess.h"
#include "deploy/pytorch_writer.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "graph_outputs.h"
#include "models/pretrained/pretrained.h"
#include "tasks/task.h"

namespace hot {
namespace {

using testing::HasSubstr;
using testing::Not;

// Runs every */network.py of a folder.
constexpr const char* kScript = R"(
import glob, importlib.util, os, sys
try:
    import numpy, torch
except ImportError as error:
    print(error)
    sys.exit(77)
for folder in sorted(glob.glob(os.path.join(sys.argv[1], '*'))):
    spec = importlib.util.spec_from_file_location('network', os.path.join(folder, 'network.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.load(os.path.join(folder, 'weights.safetensors')).eval()
    image = torch.from_numpy(numpy.fromfile(os.path.join(folder, 'image'), numpy.float32)).view(1, *module.INPUT)
    with torch.no_grad():
        outputs = network(image)
    assert len(outputs) == len(module.OUTPUTS)
    with open(os.path.join(folder, 'outputs'), 'wb') as file:
        for output in outputs:
            file.write(output.contiguous().numpy().tobytes())
    torch.save(network.state_dict(), os.path.join(folder, 'state.pt'))
    again = module.Network()
    again.load_state_dict(torch.load(os.path.join(folder, 'state.pt'), weights_only=True))
    grey = torch.full((1, *module.INPUT[1:], 3), 128, dtype=torch.uint8)
    assert abs(module.preprocess(grey)[0, 1, 0, 0] - (128 / 255 - module.MEAN[1]) / module.STDDEV[1]) < 1e-6
    sum((output ** 2).mean() for output in again.train()(torch.cat([image, image + 1]))).backward()
    for name, parameter in again.named_parameters():
        assert parameter.grad is not None, name
)";

constexpr std::array kBaseline{"irb-k3-e1", "irb-k3-e6", "irb-k3-e6", "irb-k3-e6",
                               "irb-k3-e6", "irb-k3-e6", "irb-k3-e6"};
constexpr std::array kMixed{"sandglass-k5-e1", "fused-k3-e3", "irb-k5-e9",      "sandglass-k3-e6",
                            "fused-k5-e6",     "irb-k3-e3",   "sandglass-k5-e3"};

constexpr std::array kResNet18{"basic-k3-e1", "basic-k3-e1", "basic-k3-e1", "basic-k3-e1"};
constexpr std::array kMixedResNet50{"bottleneck-k3-e4", "irb-k5-e1", "basic-k5-e8", "sandglass-k3-e2"};

Graph Whole(const char* task, std::span<const char* const> slots, GraphStyle style = {},
            const char* backbone = "mobilenet_v2") {
  TaskOptions options;
  options.task = task;
  options.keypoints = {"head", "hand"};
  options.input = {3, 64, 96};
  options.classes = {"a", "b"};
  options.convention.style = style;
  std::vector<Choice> choices;
  for (const char* slot : slots) choices.push_back(Choice::Parse(slot));
  return BuildNetwork(FindBackbone(backbone), 0.35, choices, *MakeTask(options));
}

// Everything a graph can hold that a detector does not: branches, pools, an activation behind an addition, parts of one
// name that are apart, and outputs in the middle.
Graph Branches() {
  GraphBuilder builder;
  builder.BeginSection("stem");
  NodeId x = builder.ConvBn("stem", builder.Input("image", {3, 64, 96}), 8, 3, 2, 1, Op::kRelu);
  x = builder.Pool(Op::kMaxPool, "pool", x, 3, 2, 1);
  builder.BeginSection("slot1");
  NodeId left = builder.ConvBn("slot1.0.a", x, 8, 3, 1, 1, Op::kRelu);
  left = builder.ConvBn("slot1.0.b", left, 12, 3, 1, 1, Op::kInput);
  const NodeId shortcut = builder.ConvBn("slot1.0.shortcut", x, 12, 1, 1, 1, Op::kInput);
  x = builder.Unary(Op::kRelu, "slot1.0.act", builder.Add("slot1.0.add", left, shortcut));
  builder.BeginSection("head");
  const NodeId fine = builder.ConvBn("head.lateral.p1", x, 6, 1, 1, 1, Op::kRelu6);
  const NodeId pooled = builder.Pool(Op::kAvgPool, "head.half", x, 2, 2, 0);
  const NodeId coarse = builder.ConvBn("head.lateral.p2", pooled, 6, 1, 1, 1, Op::kRelu6);
  const NodeId up = builder.Upsample("head.up", coarse, 2);
  const NodeId both = builder.Concat("head.cat", {fine, up});
  builder.Output(builder.Unary(Op::kSigmoid, "head.heat", both));
  const NodeId norm = builder.BatchNorm("head.norm", builder.Unary(Op::kGlobalAvgPool, "head.pool", both), 1e-2f);
  builder.Output(norm);
  const NodeId flat = builder.Unary(Op::kFlatten, "head.flat", norm);
  builder.Output(builder.Unary(Op::kSoftmax, "head.softmax", builder.Linear("head.classifier", flat, 5)));
  return std::move(builder).Build();
}

struct Case {
  std::string name;
  Graph graph;
  const char* backbone = "mobilenet_v2";  // with a head; null: none
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const GraphStyle same{.padding = Padding::kSame, .bn_eps = 1e-3};
  cases.push_back({"ssd", Whole("ssd", kBaseline)});
  cases.push_back({"ssd-mixed-same", Whole("ssd", kMixed, same)});
  cases.push_back({"cpn", Whole("cpn", kBaseline)});
  cases.push_back({"cpn-mixed-same", Whole("cpn", kMixed, same)});
  cases.push_back({"resnet18-ssd", Whole("ssd", kResNet18, {}, "resnet18"), "resnet18"});
  cases.push_back({"resnet50-cpn", Whole("cpn", kMixedResNet50, {}, "resnet50"), "resnet50"});
  cases.push_back({"branches", Branches(), nullptr});
  return cases;
}

PytorchOptions Options() {
  return {.title = "a test",
          .preprocessing = {.mean = {0.1f, 0.2f, 0.3f}, .stddev = {1, 0.5f, 0.25f}},
          .classes = {"a\"b"}};
}

class PytorchExport : public testing::Test {
 protected:
  // Writes the module, its weights and an input; returns our own outputs.
  std::vector<float> Prepare(const Case& one) {
    const fs::path folder = Folder(one);
    const Weights weights = TrainedLookingWeights(one.graph);
    const Tensor image = NormalInput(one.graph);
    EnsureFolder(folder);
    WriteFileAtomic(folder / "network.py", WritePytorch(one.graph, Options()));
    WriteSafetensors(folder / "weights.safetensors", weights, ConventionMetadata({}));
    WriteFloats(folder / "image", image.data);
    return AllValues(LibTorchOutputs(one.graph, weights, image));
  }

  fs::path Folder(const Case& one) const { return folder_.path() / one.name; }

  // The state dict that Python saved gives another network the same weights.
  void ExpectComesBack(const Case& one) {
    const Weights weights = TrainedLookingWeights(one.graph);
    Weights again = RandomWeights(one.graph, 5);
    const Pretrained pretrained = ReadPretrained(Folder(one) / "state.pt", FindBackbone(one.backbone));
    const Inheritance inheritance = Inherit(one.graph, pretrained, again);
    EXPECT_EQ(inheritance.taken, weights.size()) << inheritance.Summary();
    for (const auto& [name, tensor] : weights) EXPECT_EQ(again.at(name).data, tensor.data) << name;
  }

  const TempFolder folder_;
};

TEST_F(PytorchExport, GivesTheSameOutputsAndComesBack) {
  const std::vector<Case> cases = Cases();
  std::vector<std::vector<float>> expected;
  if (!fs::exists(kDebianPython)) GTEST_SKIP() << "skipped: no " << kDebianPython;
  for (const Case& one : cases) expected.push_back(Prepare(one));
  const ProcessResult run = RunProcess({kDebianPython, "-c", kScript, folder_.path().string()});
  if (run.status.code == 77) GTEST_SKIP() << "skipped: no Python with torch: " << run.output;
  ASSERT_TRUE(run.status.ok()) << run.output;
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].name);
    const std::vector<float> theirs = ReadFloats(Folder(cases[i]) / "outputs");
    EXPECT_GT(LargestMagnitude(theirs), 0.1);
    EXPECT_LT(LargestDifference(theirs, expected[i]), 1e-4 * LargestMagnitude(theirs));
    if (cases[i].backbone != nullptr) ExpectComesBack(cases[i]);
  }
}

TEST(PytorchWriter, ReadsLikeTheNetwork) {
  const std::string text = WritePytorch(Cases()[0].graph, Options());
  EXPECT_THAT(text, HasSubstr("self.stem = ConvBn(3, 16, 3, stride=2, pads=1, act=nn.ReLU6)\n"));
  EXPECT_THAT(text, HasSubstr("            Chain(\n"
                              "                expand=ConvBn(8, 48, act=nn.ReLU6),\n"
                              "                depthwise=ConvBn(48, 48, 3, groups=48, pads=1, act=nn.ReLU6),\n"
                              "                project=ConvBn(48, 8),\n"
                              "                residual=True,\n"
                              "            ),\n"));
  EXPECT_THAT(text, HasSubstr("slot3 = self.slot3(slot2)\n"));
  EXPECT_THAT(text, HasSubstr("CLASSES = [\"a\\\"b\"]\n"));
  EXPECT_THAT(text, Not(HasSubstr("class Slot")));  // blocks need no class of their own
  const std::string same = WritePytorch(Cases()[1].graph, Options());
  EXPECT_THAT(same, HasSubstr("self.stem = ConvBn(3, 16, 3, stride=2, pads=(0, 1, 0, 1), act=nn.ReLU6, eps=0.001)"));
}

}  // namespace
}  // namespace hot
