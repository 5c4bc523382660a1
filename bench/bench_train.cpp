// Our side of `scripts/bench train`: training steps of a MobileNetV2 SSD on one fixed batch. Writes the very network,
// weights and batch for the peers (bench_train.py), then answers each line "N" on stdin with "SECONDS LOSS": the time
// of N steps and the loss of the first. Usage: hot_bench_train FOLDER WIDTH SIDE BATCH THREADS [bf16]
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/clock.h"
#include "core/rng.h"
#include "graph/fold.h"
#include "graph/safetensors.h"
#include "models/backbone.h"
#include "tasks/ssd/ssd.h"
#include "train/learner.h"
#include "train/trainer.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kLearningRate = 1e-4, kClipNorm = 10;

Json NetworkJson(const Graph& graph, const SsdTask& task) {
  Json json{{"lr", kLearningRate}, {"clip_norm", kClipNorm}, {"nodes", Json::array()}, {"outputs", graph.outputs()}};
  for (const Node& node : graph.nodes()) {
    json["nodes"].push_back({{"op", OpName(node.op)},
                             {"name", node.name},
                             {"inputs", node.inputs},
                             {"channels", node.shape.c},
                             {"kernel", node.attrs.kernel},
                             {"stride", node.attrs.stride},
                             {"groups", node.attrs.groups},
                             {"pads", node.attrs.pads},
                             {"bias", node.attrs.bias},
                             {"eps", node.attrs.eps}});
  }
  for (const Anchor& anchor : task.anchors()) json["anchors"].push_back({anchor.cx, anchor.cy, anchor.w, anchor.h});
  return json;
}

// Noise with one to four boxes a picture, each in a quarter of its own, so that no two have the same best anchor: there
// matching rules differ.
Batch MakeBatch(int size, Shape input, int classes) {
  Rng rng(1);
  Batch batch{.size = size, .images = {}, .objects = {}, .indices = {}};
  batch.images.resize(static_cast<size_t>(size * input.elements()));
  for (float& value : batch.images) value = static_cast<float>(rng.Normal());
  for (int i = 0; i < size; ++i) {
    std::vector<Object>& objects = batch.objects.emplace_back();
    const int64_t count = 1 + rng.Below(4);
    for (int64_t quarter = 0; quarter < count; ++quarter) {
      const double half_w = input.w / 2.0, half_h = input.h / 2.0;
      const double w = rng.Uniform(0.2, 1) * half_w, h = rng.Uniform(0.2, 1) * half_h;
      const double x = rng.Uniform(0, half_w - w) + (quarter % 2 == 0 ? 0 : half_w);
      const double y = rng.Uniform(0, half_h - h) + (quarter < 2 ? 0 : half_h);
      Object& object = objects.emplace_back();
      object.box = {x, y, x + w, y + h};
      object.label = static_cast<int>(rng.Below(classes));
    }
  }
  return batch;
}

Json BatchJson(const Batch& batch, Shape input) {
  Json json{{"shape", {batch.size, input.c, input.h, input.w}}, {"objects", Json::array()}};
  for (const auto& objects : batch.objects) {
    Json picture = Json::array();
    for (const Object& object : objects) {
      const Box& box = object.box;
      picture.push_back({object.label, box.x0, box.y0, box.x1, box.y1});
    }
    json["objects"].push_back(picture);
  }
  return json;
}

int Run(const fs::path& folder, double width, int side, int size, int threads, bool bfloat16) {
  SetUpTorch(threads);
  TaskOptions options;
  options.input = {3, side, side};
  options.classes = {"a", "b", "c"};
  const SsdTask task(options);
  const Backbone& backbone = FindBackbone("mobilenet_v2");
  Learner learner(BuildNetwork(backbone, width, BaselineChoices(backbone, width, Precision::kFp32), task), task,
                  {.clip_norm = kClipNorm, .bfloat16 = bfloat16});
  const Weights weights = RandomWeights(learner.module().graph(), 1);
  learner.Start(weights);
  const Batch batch = MakeBatch(size, options.input, static_cast<int>(options.classes.size()));

  WriteSafetensors(folder / "weights.safetensors", weights);
  WriteFileAtomic(folder / "network.json", NetworkJson(learner.module().graph(), task).dump());
  WriteFileAtomic(folder / "batch.json", BatchJson(batch, options.input).dump());
  const auto* bytes = reinterpret_cast<const char*>(batch.images.data());
  WriteFileAtomic(folder / "images.f32", std::string_view(bytes, batch.images.size() * sizeof(float)));
  std::cout << "ready" << std::endl;

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
  return 0;
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::fprintf(stderr, "usage: hot_bench_train FOLDER WIDTH SIDE BATCH THREADS [bf16]\n");
    return 2;
  }
  return hot::Run(argv[1], std::atof(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[5]), argc == 7);
}
