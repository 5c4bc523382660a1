#include "tasks/stand_in.h"

#include <gtest/gtest.h>

namespace hot {
namespace {

std::vector<Detection> Found(const std::string& name, int classes) {
  TaskOptions options;
  options.task = name;
  options.input = {3, 320, 320};
  options.keypoints = {"head", "hand"};
  options.pyramid_channels = 16;
  for (int i = 0; i < classes; ++i) options.classes.push_back("c" + std::to_string(i));
  const auto task = MakeTask(options);
  const Backbone& net = FindBackbone("mobilenet_v2");
  const Graph network = BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), *task);
  const std::vector<Tensor> outputs = StandInOutputs(*task, network, 1);
  EXPECT_EQ(outputs.size(), network.outputs().size());
  return task->Decode(outputs);
}

// Some objects, not as many as the decoding lets through.
TEST(StandIn, OutputsLookLikeAPictureWithSomeObjects) {
  const size_t few = Found("ssd", 3).size(), more = Found("ssd", 20).size();
  EXPECT_GE(few, 1u);
  EXPECT_GT(more, few);
  EXPECT_LT(more, 100u);
  EXPECT_EQ(Found("cpn", 1).size(), 1u);
  EXPECT_EQ(Found("classify", 4).size(), 4u);
}

}  // namespace
}  // namespace hot
