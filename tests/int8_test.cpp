// Every backbone with every head runs in int8 on the host in integer kernels: baseline and candidates, so that no table
// and no verdict compares float layers with integer ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rng.h"
#include "deploy/toolchain.h"
#include "graph/fold.h"
#include "tasks/task.h"

namespace hot {
namespace {

Graph Whole(const Backbone& net, const std::string& task, uint64_t seed) {
  constexpr double kWidth = 0.25;
  TaskOptions options;
  options.task = task;
  options.input = {3, 64, 64};
  options.classes = {"a", "b", "c"};
  options.keypoints = {"head", "hand"};
  options.pyramid_channels = 16;
  Rng rng(seed);
  std::vector<Choice> pick;
  for (const Slot& slot : net.Slots(kWidth, Precision::kInt8)) {
    pick.push_back(seed == 0 ? slot.baseline : slot.choices[static_cast<size_t>(rng.Below(std::ssize(slot.choices)))]);
  }
  return BuildNetwork(net, kWidth, pick, *MakeTask(options));
}

// Layers of a compiled network that compute in float although they could in integers, as "type name: precision".
std::vector<std::string> FloatLayers(const Graph& graph) {
  const Network network = FoldBatchNorm(graph, TimingWeights(graph, 1));
  const Quantization quantization = SyntheticQuantization(network);
  const Artifact artifact =
      MakeToolchain("openvino")
          ->Compile({.network = network, .precision = Precision::kInt8, .quantization = &quantization, .threads = 1});
  std::vector<std::string> layers;
  int convolutions = 0;
  for (const auto& [layer, precision] : artifact.layer_precisions) {
    const std::string type = layer.substr(0, layer.find(' '));
    convolutions += type == "Convolution" ? 1 : 0;
    const bool integer = type == "Convolution" || type == "Pooling" || type == "Eltwise" || type == "FakeQuantize";
    if (integer && precision != "i8") layers.push_back(layer + ": " + precision);
  }
  EXPECT_GE(convolutions, 20) << "or the layers have other names";
  return layers;
}

TEST(Int8, BackbonesAndHeadsRunInIntegerKernels) {
  for (const Backbone* net : AllBackbones()) {
    for (const char* task : {"ssd", "cpn", "classify"}) {
      for (const uint64_t seed : {0, 1}) {
        EXPECT_THAT(FloatLayers(Whole(*net, task, seed)), testing::IsEmpty())
            << net->name() << " " << task << " " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace hot
