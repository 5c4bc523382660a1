#include "train/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/backbone.h"
#include "tasks/task.h"
#include "train/objective.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Device, CpuNeedsNothing) {
  EXPECT_FALSE(ChooseDevice("cpu").gpu);
  EXPECT_EQ(ChooseDevice("cpu").about, "cpu");
}

TEST(Device, AutoIsTheCpuWithoutAGpu) {
  const Gpus gpus = FindGpus();
  if (gpus.count > 0) GTEST_SKIP() << "skipped: this machine has a GPU";
  EXPECT_NE(gpus.fault, "");
  const ChosenDevice device = ChooseDevice("auto");
  EXPECT_FALSE(device.gpu);
  EXPECT_EQ(device.about, "cpu (" + gpus.fault + ")");
  try {
    ChooseDevice("cuda");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(ExitCode(error.code()), 2);
    EXPECT_THAT(error.what(), StartsWith("train.device: cuda: " + gpus.fault + " ("));
  }
}

TEST(Device, OtherNamesAreRefused) {
  try {
    ChooseDevice("tpu");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("known: auto, cpu, cuda"));
  }
}

// LibTorch's device without memory stands for a GPU: operations refuse tensors of two devices.
TEST(Device, LossesMakeTheirTargetsWhereTheOutputsAre) {
  for (const std::string& name : TaskNames()) {
    SCOPED_TRACE(name);
    TaskOptions options{.task = name, .input = {3, 64, 64}, .classes = {"a", "b"}, .keypoints = {"left", "right"}};
    const auto task = MakeTask(options);
    const Backbone& backbone = FindBackbone("mobilenet_v2");
    const Graph graph =
        BuildNetwork(backbone, 0.35, BaselineChoices(backbone, 0.35, Precision::kFp32), *task, Purpose::kTraining);
    Object object{.box = {8, 8, 40, 40}, .label = 1, .area = 1024, .keypoints = {{9, 9, 2}, {20, 20, 2}}};
    std::vector<at::Tensor> outputs;
    for (const NodeId output : graph.outputs()) {
      const Shape& shape = graph.node(output).shape;
      outputs.push_back(at::empty({1, shape.c, shape.h, shape.w}, at::TensorOptions(at::kMeta)));
    }
    const at::Tensor loss = MakeObjective(*task, graph)->Loss(outputs, {{object}});
    EXPECT_TRUE(loss.is_meta());
    EXPECT_EQ(loss.numel(), 1);
  }
}

}  // namespace
}  // namespace hot
