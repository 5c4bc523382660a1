// Our side of `scripts/bench train`: training steps of a MobileNetV2 with a task's head on one fixed batch. Writes the
// very network, weights and batch for the peers (bench_train.py), then answers each line "N" on stdin with
// "SECONDS LOSS": the time of N steps and the loss of the first.
// Usage: hot_bench_train FOLDER ssd|cpn WIDTH HEIGHTxWIDTH BATCH THREADS [bf16]
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/rng.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "models/backbone.h"
#include "tasks/cpn/cpn.h"
#include "tasks/ssd/ssd.h"
#include "train/cpn_loss.h"
#include "train/learner.h"
#include "train/trainer.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kLearningRate = 1e-4, kClipNorm = 10;

struct Setting {
  std::string task;
  double width = 1;
  Shape input{3, 160, 160};
  int batch = 16, threads = 1;
  bool bfloat16 = false;
};

TaskOptions MakeOptions(const Setting& setting) {
  TaskOptions options;
  options.task = setting.task;
  options.input = setting.input;
  options.classes = {"a", "b", "c"};
  for (int i = 0; i < (setting.task == "cpn" ? 17 : 0); ++i) options.keypoints.push_back("p" + std::to_string(i));
  options.pyramid_channels = setting.width < 0.5 ? 64 : 128;  // as docs/formats/study.md says
  return options;
}

// What the peers' loss needs to know.
Json LossJson(const Task& task) {
  Json json;
  if (const auto* ssd = dynamic_cast<const SsdTask*>(&task)) {
    for (const Anchor& anchor : ssd->anchors()) json["anchors"].push_back({anchor.cx, anchor.cy, anchor.w, anchor.h});
  }
  if (const auto* cpn = dynamic_cast<const CpnTask*>(&task)) {
    for (const CpnLevel& level : kCpnLevels) {
      json["sigmas"].push_back(HeatmapSigma(level, cpn->map_height(), cpn->map_width()));
    }
    json["stride"] = kCpnStride;
    json["hard"] = HardKeypoints(static_cast<int64_t>(task.options().keypoints.size()));
  }
  return json;
}

Json NetworkJson(const Graph& graph, const Task& task) {
  Json json{{"lr", kLearningRate}, {"clip_norm", kClipNorm}, {"nodes", Json::array()}, {"outputs", graph.outputs()}};
  for (const Node& node : graph.nodes()) {
    json["nodes"].push_back({{"op", OpName(node.op)},
                             {"name", node.name},
                             {"inputs", node.inputs},
                             {"channels", node.shape.c},
                             {"height", node.shape.h},
                             {"kernel", node.attrs.kernel},
                             {"stride", node.attrs.stride},
                             {"groups", node.attrs.groups},
                             {"pads", node.attrs.pads},
                             {"bias", node.attrs.bias},
                             {"eps", node.attrs.eps}});
  }
  json.update(LossJson(task));
  return json;
}

// In [x, x + w) x [y, y + h) of the input.
Object MakeObject(Rng& rng, double x, double y, double w, double h, const TaskOptions& options) {
  Object object;
  object.box = {x, y, x + w, y + h};
  object.label = static_cast<int>(rng.Below(static_cast<int64_t>(options.classes.size())));
  for (size_t k = 0; k < options.keypoints.size(); ++k) {
    object.keypoints.push_back({static_cast<float>(rng.Uniform(x, x + w)), static_cast<float>(rng.Uniform(y, y + h)),
                                static_cast<int>(rng.Below(3))});
  }
  return object;
}

// One to four boxes, each in a quarter of its own, so that no two have the same best anchor: there matching rules
// differ.
std::vector<Object> ObjectsOfSsd(Rng& rng, const TaskOptions& options) {
  std::vector<Object> objects;
  const int64_t count = 1 + rng.Below(4);
  for (int64_t quarter = 0; quarter < count; ++quarter) {
    const double half_w = options.input.w / 2.0, half_h = options.input.h / 2.0;
    const double w = rng.Uniform(0.2, 1) * half_w, h = rng.Uniform(0.2, 1) * half_h;
    const double x = rng.Uniform(0, half_w - w) + (quarter % 2 == 0 ? 0 : half_w);
    const double y = rng.Uniform(0, half_h - h) + (quarter < 2 ? 0 : half_h);
    objects.push_back(MakeObject(rng, x, y, w, h, options));
  }
  return objects;
}

// Noise.
Batch MakeBatch(int size, const TaskOptions& options) {
  Rng rng(1);
  Batch batch{.size = size, .images = {}, .objects = {}, .indices = {}};
  batch.images.resize(static_cast<size_t>(size * options.input.elements()));
  for (float& value : batch.images) value = static_cast<float>(rng.Normal());
  for (int i = 0; i < size; ++i) {
    batch.objects.push_back(
        options.task == "ssd" ? ObjectsOfSsd(rng, options)
                              : std::vector<Object>{MakeObject(rng, 0, 0, options.input.w, options.input.h, options)});
  }
  return batch;
}

Json BatchJson(const Batch& batch, Shape input) {
  Json json{{"shape", {batch.size, input.c, input.h, input.w}}, {"objects", Json::array()}};
  for (const auto& objects : batch.objects) {
    Json picture = Json::array();
    for (const Object& object : objects) {
      const Box& box = object.box;
      Json points = Json::array();
      for (const Keypoint& point : object.keypoints) points.push_back({point.x, point.y, point.visibility});
      picture.push_back({{"label", object.label}, {"box", {box.x0, box.y0, box.x1, box.y1}}, {"keypoints", points}});
    }
    json["objects"].push_back(picture);
  }
  return json;
}

void WriteForPeers(const fs::path& folder, const Learner& learner, const Task& task, const Batch& batch) {
  WriteSafetensors(folder / "weights.safetensors", learner.module().Store());
  WriteFileAtomic(folder / "network.json", NetworkJson(learner.module().graph(), task).dump());
  WriteFileAtomic(folder / "batch.json", BatchJson(batch, task.options().input).dump());
  const auto* bytes = reinterpret_cast<const char*>(batch.images.data());
  WriteFileAtomic(folder / "images.f32", std::string_view(bytes, batch.images.size() * sizeof(float)));
}

void Answer(Learner& learner, const Batch& batch) {
  for (int steps = 0; std::cin >> steps;) {
    double loss = 0;
    const int64_t start_ns = SystemClock().NowNs();
    for (int i = 0; i < steps; ++i) {
      const Learner::Outcome outcome = learner.Step(batch, kLearningRate);
      if (i == 0) loss = outcome.loss;
    }
    std::printf("%.9f %.9g\n", static_cast<double>(SystemClock().NowNs() - start_ns) * 1e-9, loss);
    std::fflush(stdout);
  }
}

int Run(const fs::path& folder, const Setting& setting) {
  SetUpTorch(setting.threads);
  const auto task = MakeTask(MakeOptions(setting));
  const Backbone& backbone = FindBackbone("mobilenet_v2");
  Graph graph = BuildNetwork(backbone, setting.width, BaselineChoices(backbone, setting.width, Precision::kFp32), *task,
                             Purpose::kTraining);
  Learner learner(std::move(graph), *task, {.clip_norm = kClipNorm, .bfloat16 = setting.bfloat16});
  learner.Start(RandomWeights(learner.module().graph(), 1));
  const Batch batch = MakeBatch(setting.batch, task->options());
  WriteForPeers(folder, learner, *task, batch);
  std::cout << "ready" << std::endl;
  Answer(learner, batch);
  return 0;
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  hot::Setting setting;
  if (argc < 7 || argc > 8 || std::sscanf(argv[4], "%dx%d", &setting.input.h, &setting.input.w) != 2) {
    std::fprintf(stderr, "usage: hot_bench_train FOLDER ssd|cpn WIDTH HEIGHTxWIDTH BATCH THREADS [bf16]\n");
    return 2;
  }
  setting.task = argv[2];
  setting.width = std::atof(argv[3]);
  setting.batch = std::atoi(argv[5]);
  setting.threads = std::atoi(argv[6]);
  setting.bfloat16 = argc == 8;
  return hot::Run(argv[1], setting);
}
