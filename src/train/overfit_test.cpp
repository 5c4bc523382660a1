// What a network can be made to learn, and what it then finds: the whole chain of a training without files.
#include <gtest/gtest.h>

#include "core/rng.h"
#include "graph/fold.h"
#include "models/backbone.h"
#include "tasks/metric.h"
#include "train/cpn_loss.h"
#include "train/graph_module.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

// Eight pictures, each with one bright box on noise: the whole chain from pixels through targets and loss to decoding
// works only if the network can learn them by heart. For poses the keypoints are three corners of the box, one of them
// hidden.
class Overfit : public testing::Test {
 protected:
  static constexpr int kPictures = 8, kSide = 64;

  explicit Overfit(const std::string& task = "ssd", const std::string& backbone = "mobilenet_v2")
      : backbone_(backbone) {
    options_.task = task;
    options_.input = {3, kSide, kSide};
    options_.classes = {"dark", "bright"};
    options_.keypoints = {"left", "right", "hidden"};
    options_.pyramid_channels = 32;
    task_ = MakeTask(options_);
    at::manual_seed(1);
    at::set_num_threads(1);
    images_ = at::randn({kPictures, 3, kSide, kSide}) * 0.2;
    Rng rng(3);
    for (int64_t i = 0; i < kPictures; ++i) {
      const int64_t w = 16 + rng.Below(24), h = 16 + rng.Below(24), x = rng.Below(kSide - w), y = rng.Below(kSide - h);
      images_[i].narrow(1, y, h).narrow(2, x, w).fill_(i % 2 == 0 ? -1.0f : 1.0f);
      Object object;
      object.box = {static_cast<float>(x), static_cast<float>(y), static_cast<float>(x + w), static_cast<float>(y + h)};
      object.label = options_.task == "cpn" ? 0 : static_cast<int>(i % 2);
      object.area = object.box.area();
      const auto point = [](int64_t px, int64_t py, int visibility) {
        return Keypoint{static_cast<float>(px), static_cast<float>(py), visibility};
      };
      object.keypoints = {point(x, y, 2), point(x + w, y, 2), point(x + w, y + h, 1)};
      objects_.push_back({object});
    }
  }

  Graph Net() const {
    const Backbone& net = FindBackbone(backbone_);
    return BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kFp32), *task_, Purpose::kTraining);
  }

  double Train(GraphModule& module, int steps, double momentum) {
    const auto objective = MakeObjective(*task_, module.graph());
    FlatParameters& parameters = module.parameters();
    Optimizer adam(parameters.values(), parameters.gradients(), {});
    double last = 0;
    module.Train(momentum);
    for (int step = 0; step < steps; ++step) {
      parameters.gradients().zero_();
      const at::Tensor loss = objective->Loss(module.Forward(images_), objects_);
      loss.backward();
      last = loss.item<double>();
      adam.Step(parameters.Ranges(0), 3e-3, 10);
    }
    return last;
  }

  double ScoreOf(GraphModule& module, const ScoreOptions& scoring = {.metric = Metric::kAp50}) {
    const at::NoGradGuard no_grad;
    module.Evaluate();
    const std::vector<at::Tensor> outputs = module.Forward(images_);
    std::vector<ScoredPicture> pictures;
    for (int64_t i = 0; i < kPictures; ++i) {
      std::vector<Tensor> one;
      for (const at::Tensor& output : outputs) {
        const at::Tensor dense = output.narrow(0, i, 1).contiguous(at::MemoryFormat::Contiguous);
        one.emplace_back(dense.sizes().vec());
        std::copy_n(dense.const_data_ptr<float>(), one.back().data.size(), one.back().data.begin());
      }
      pictures.push_back({.id = i, .truth = objects_[static_cast<size_t>(i)], .detections = task_->Decode(one)});
    }
    return Score(pictures, scoring);
  }

  const std::string backbone_;
  TaskOptions options_;
  std::unique_ptr<Task> task_;
  at::Tensor images_;
  std::vector<std::vector<Object>> objects_;
};

TEST_F(Overfit, EightPicturesAreLearntByHeartAndFoundAtInference) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  EXPECT_LT(Train(module, 120, 0.1), 0.05);
  EXPECT_GT(ScoreOf(module), 0.99);
}

class OverfitResNet : public Overfit {
 protected:
  OverfitResNet() : Overfit("ssd", "resnet18") {}
};

TEST_F(OverfitResNet, EightPicturesAreLearntByHeartAndFoundAtInference) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  EXPECT_LT(Train(module, 120, 0.1), 0.05);
  EXPECT_GT(ScoreOf(module), 0.99);
}

// Weights, their gradients and the statistics stay float, so tiny steps are not lost.
TEST_F(Overfit, EightPicturesAreLearntInBfloat16Too) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  module.SetTrainingType(at::kBFloat16);
  EXPECT_LT(Train(module, 120, 0.1), 0.1);
  EXPECT_GT(ScoreOf(module), 0.99);
}

class OverfitPose : public Overfit {
 protected:
  OverfitPose() : Overfit("cpn") {}

  // The loss without GlobalNet's part, which stays above zero: enlarged cells of a coarse level are no Gaussian.
  double RefineLoss(GraphModule& module) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> maps = module.Forward(images_);
    const CpnKeypoints keypoints = KeypointsInCells(objects_, options_.keypoints.size());
    const int side = kSide / kCpnStride;
    for (size_t i = 0; i < kCpnLevels.size(); ++i) {
      maps[i + 1] = Heatmaps(keypoints, side, side, HeatmapSigma(kCpnLevels[i], side, side));
    }
    return CpnLoss(maps, keypoints).item<double>();
  }
};

TEST_F(OverfitPose, EightPosesAreLearntByHeartAndFoundAtInference) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  Train(module, 200, 0.1);
  EXPECT_LT(RefineLoss(module), 0.05);  // 1 for empty maps
  // Within 10 % of the box: at least 1.6 pixels of the input; a quarter of a heat map's cell is one.
  EXPECT_GT(ScoreOf(module, {.metric = Metric::kPck, .predicted = Predicted::kKeypoints, .pck_threshold = 0.1}), 0.9);
  EXPECT_EQ(ScoreOf(module, {.metric = Metric::kPck, .predicted = Predicted::kKeypoints, .pck_threshold = 0.15}), 1);
}

class OverfitClasses : public Overfit {
 protected:
  OverfitClasses() : Overfit("classify") {}
};

TEST_F(OverfitClasses, EightPicturesAreLearntByHeartAndToldApartAtInference) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  EXPECT_LT(Train(module, 60, 0.1), 0.01);  // log 2 at first
  EXPECT_EQ(ScoreOf(module, {.metric = Metric::kTop1, .predicted = Predicted::kClasses}), 1);
}

// A running average that is too slow for a short training makes a good network look broken; recomputed statistics do
// not.
TEST_F(Overfit, SlowStatisticsBreakInferenceAndRecomputedOnesMendIt) {
  GraphModule module(Net());
  module.Load(RandomWeights(module.graph(), 1));
  EXPECT_LT(Train(module, 120, 0.001), 0.05);
  EXPECT_LT(ScoreOf(module), 0.5);
  const at::NoGradGuard no_grad;
  for (int pass = 1; pass <= 3; ++pass) {
    module.Train(1.0 / pass);
    module.Forward(images_);
  }
  EXPECT_GT(ScoreOf(module), 0.99);
}

}  // namespace
}  // namespace hot
