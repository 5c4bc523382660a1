// Imported weights compute what they computed where they come from: through LibTorch, and through the ONNX file that
// OpenVINO runs. References: Keras' activations in HOT_TEST_DATA, and torchvision where Python has it.
#include "models/pretrained/pretrained.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/subprocess.h"
#include "data/test_data.h"
#include "deploy/device.h"
#include "deploy/toolchain.h"
#include "graph/fold.h"
#include "graph_outputs.h"
#include "tasks/task.h"

namespace hot {
namespace {

using Json = nlohmann::json;

// Keras' name, ours.
constexpr std::pair<const char*, const char*> kLayers[] = {{"Conv1_relu", "stem.act"},
                                                           {"block_3_expand_relu", "slot3.0.expand.act"},
                                                           {"block_6_expand_relu", "slot4.0.expand.act"},
                                                           {"block_13_expand_relu", "slot6.0.expand.act"},
                                                           {"out_relu", "tail.act"}};

// The baseline's backbone at width 1.0 with those layers as outputs.
Graph BackboneGraph(const Convention& convention, Shape image) {
  const Backbone& net = FindBackbone("mobilenet_v2");
  GraphBuilder builder(convention.style);
  const NodeId input = builder.Input("image", image);
  const Features features = BuildBackbone(builder, input, net, 1.0, BaselineChoices(net, 1.0, Precision::kFp32));
  for (const auto& [theirs, ours] : kLayers) {
    for (NodeId id = 0; id <= features.tail; ++id) {
      if (builder.node(id).name == ours) builder.Output(id);
    }
  }
  return std::move(builder).Build();
}

std::vector<Tensor> RunOpenVino(const Graph& graph, const Weights& weights, const Tensor& input) {
  const Network network = FoldBatchNorm(graph, weights);
  const Artifact artifact = MakeToolchain("openvino")->Compile({.network = network, .precision = Precision::kFp32});
  return MakeDevice("host", 1)->Load(artifact)->Run(std::span(&input, 1));
}

Weights Imported(const Graph& graph, const Pretrained& pretrained) {
  Weights weights = RandomWeights(graph, 1);
  const Inheritance inheritance = Inherit(graph, pretrained, weights);
  EXPECT_THAT(inheritance.random, testing::IsEmpty()) << inheritance.Summary();
  return weights;
}

Tensor KerasInput(const fs::path& folder, const Convention& convention) {
  TaskOptions options;
  options.input = {3, 160, 160};
  options.convention = convention;
  Tensor input({1, 3, 160, 160});
  ToInput(DecodeImage(folder / "ref_input_160.png"), TaskPreprocessing(options), input.data.data());
  return input;
}

// Largest difference from the stored activations, over the five layers' first values and the two that are stored whole.
double KerasDifference(const fs::path& folder, const std::vector<Tensor>& outputs) {
  const Json layers = Json::parse(ReadFile(folder / "reference.json")).at("layers");
  double worst = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Json& layer = layers.at(kLayers[i].first);
    const std::vector<float>& ours = outputs[i].data;
    std::vector<float> theirs = layer.at("first8").get<std::vector<float>>();
    const std::vector<float> first(ours.begin(), ours.begin() + std::ssize(theirs));
    worst = std::max(worst, LargestDifference(first, theirs));
    const fs::path whole = folder / ("ref_" + std::string(kLayers[i].first) + "_chw_f32.bin");
    if (fs::exists(whole)) worst = std::max(worst, LargestDifference(ours, ReadFloats(whole)));
    double sum = 0;
    for (float value : ours) sum += value;
    worst = std::max(worst, std::abs(sum / static_cast<double>(ours.size()) - layer.at("mean").get<double>()));
  }
  return worst;
}

TEST(KerasWeights, GiveKerasActivations) {
  const std::optional<fs::path> folder = RealData("mobilenetv2_imagenet");
  if (!folder) GTEST_SKIP() << "skipped: no weights mobilenetv2_imagenet on this machine (set HOT_TEST_DATA)";
  const Pretrained pretrained = ReadPretrained(*folder, FindBackbone("mobilenet_v2"));
  EXPECT_EQ(pretrained.naming, "keras");
  EXPECT_EQ(pretrained.weights.size(), 260u);
  EXPECT_THAT(pretrained.unknown, testing::IsEmpty());
  const Tensor input = KerasInput(*folder, pretrained.convention);
  const Graph graph = BackboneGraph(pretrained.convention, {3, 160, 160});
  const Weights weights = Imported(graph, pretrained);
  EXPECT_LT(KerasDifference(*folder, LibTorchOutputs(graph, weights, input)), 1e-3);
  EXPECT_LT(KerasDifference(*folder, RunOpenVino(graph, weights, input)), 1e-3);

  // Each part of the convention matters; without one of them the features are others.
  Convention eps = pretrained.convention, padding = pretrained.convention, mean = pretrained.convention;
  eps.style.bn_eps = 1e-5;
  padding.style.padding = Padding::kSymmetric;
  mean.mean = {0.485, 0.456, 0.406};
  for (const Convention& other : {eps, padding, mean}) {
    const Graph wrong = BackboneGraph(other, {3, 160, 160});
    EXPECT_GT(KerasDifference(*folder, LibTorchOutputs(wrong, weights, KerasInput(*folder, other))), 0.05);
  }
}

// Saves a trained-looking network, an input and its logits: torch.save in its default format.
constexpr const char* kTorchvision = R"(
import sys
try:
    import torch, torchvision
except ImportError as error:
    print(error)
    sys.exit(77)
torch.manual_seed(0)
network = getattr(torchvision.models, sys.argv[2])().eval()
for module in network.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        for value in (module.weight.data, module.running_var):
            value.uniform_(0.5, 1.5)
        for value in (module.bias.data, module.running_mean):
            value.uniform_(-0.5, 0.5)
image = torch.randn(1, 3, 96, 96)
torch.save(network.state_dict(), sys.argv[1] + '/w.pth')
image.numpy().tofile(sys.argv[1] + '/image')
with torch.no_grad():
    network(image).contiguous().numpy().tofile(sys.argv[1] + '/logits')
)";

class TorchvisionWeights : public testing::TestWithParam<const char*> {};

TEST_P(TorchvisionWeights, GiveTorchvisionsLogits) {
  if (!fs::exists(kDebianPython)) GTEST_SKIP() << "skipped: no " << kDebianPython;
  const TempFolder folder;
  const ProcessResult run = RunProcess({kDebianPython, "-c", kTorchvision, folder.path().string(), GetParam()});
  if (run.status.code == 77) GTEST_SKIP() << "skipped: no torchvision: " << run.output;
  ASSERT_TRUE(run.status.ok()) << run.output;
  const Backbone& net = FindBackbone(GetParam());
  const Pretrained pretrained = ReadPretrained(folder.path() / "w.pth", net);
  EXPECT_EQ(pretrained.naming, "torchvision");
  EXPECT_THAT(pretrained.unknown, testing::IsEmpty());
  const Graph graph = BuildClassifier(net, 1.0, BaselineChoices(net, 1.0, Precision::kFp32), {3, 96, 96}, 1000);
  const Weights weights = Imported(graph, pretrained);
  Tensor image({1, 3, 96, 96});
  image.data = ReadFloats(folder.path() / "image");
  const std::vector<float> theirs = ReadFloats(folder.path() / "logits");
  const double scale = LargestMagnitude(theirs);
  EXPECT_GT(scale, 0.1);
  EXPECT_LT(LargestDifference(LibTorchOutputs(graph, weights, image)[0].data, theirs), 1e-4 * scale);
  EXPECT_LT(LargestDifference(RunOpenVino(graph, weights, image)[0].data, theirs), 1e-4 * scale);
}

INSTANTIATE_TEST_SUITE_P(Backbones, TorchvisionWeights,
                         testing::Values("mobilenet_v2", "resnet18", "resnet34", "resnet50"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace hot
