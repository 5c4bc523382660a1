#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "core/rng.h"
#include "graph/costs.h"
#include "graph/key.h"
#include "models/search_space.h"
#include "tasks/task.h"

namespace hot {
namespace {

TaskOptions Options(const std::string& task, int side) {
  TaskOptions options;
  options.task = task;
  options.input = {3, side, side};
  options.classes = {"a", "b", "c"};
  options.keypoints = {"head", "hand"};
  return options;
}

std::vector<Choice> RandomPick(const std::vector<Slot>& slots, Rng& rng) {
  std::vector<Choice> pick;
  for (const Slot& slot : slots)
    pick.push_back(slot.choices[static_cast<size_t>(rng.Below(static_cast<int64_t>(slot.choices.size())))]);
  return pick;
}

struct Sum {
  int64_t macs = 0, weights = 0, peak = 0, params = 0;
};

Sum SumOfParts(const Backbone& net, double width, const Task& task, const std::vector<Choice>& pick,
               Precision precision) {
  Sum sum;
  const auto carried = CarriedBytes(net, width, task, precision);
  const auto add = [&](const Graph& graph, const std::string& part) {
    const Costs costs = ComputeCosts(graph, precision);
    sum.macs += costs.macs;
    sum.weights += costs.weight_bytes;
    sum.params += costs.params;
    sum.peak = std::max(sum.peak, costs.peak_activation_bytes + carried.at(part));
  };
  add(BuildStemPart(net, width, task), "stem");
  for (int slot = 1; slot <= static_cast<int>(pick.size()); ++slot) {
    add(BuildSlotPart(net, width, task, slot, pick[static_cast<size_t>(slot - 1)]), "slot" + std::to_string(slot));
  }
  if (BuildsTail(net, task)) add(BuildTailPart(net, width, task), "tail");
  add(BuildHeadPart(net, width, task), "head");
  return sum;
}

// The look-up table stands on this: parts add up to the network in everything but time.
TEST(Network, PartsAddUpToTheWhole) {
  Rng rng(5);
  for (const auto& [backbone, name, width, side] : {std::tuple{"mobilenet_v2", "ssd", 0.35, 128},
                                                    {"mobilenet_v2", "ssd", 1.0, 160},
                                                    {"mobilenet_v2", "ssd", 1.3, 320},
                                                    {"mobilenet_v2", "cpn", 0.35, 96},
                                                    {"mobilenet_v2", "cpn", 1.0, 128},
                                                    {"mobilenet_v2", "cpn", 1.3, 256},
                                                    {"mobilenet_v2", "classify", 0.35, 96},
                                                    {"mobilenet_v2", "classify", 1.0, 224},
                                                    {"resnet18", "ssd", 0.25, 96},
                                                    {"resnet18", "cpn", 0.5, 128},
                                                    {"resnet34", "classify", 1.0, 224},
                                                    {"resnet50", "ssd", 1.0, 160},
                                                    {"resnet50", "cpn", 1.0, 96}}) {
    const Backbone& net = FindBackbone(backbone);
    const auto task = MakeTask(Options(name, side));
    for (int round = 0; round < 6; ++round) {
      const auto pick = RandomPick(net.Slots(width, Precision::kInt8), rng);
      const Costs whole = ComputeCosts(BuildNetwork(net, width, pick, *task), Precision::kInt8);
      const Sum sum = SumOfParts(net, width, *task, pick, Precision::kInt8);
      EXPECT_EQ(whole.macs, sum.macs);
      EXPECT_EQ(whole.weight_bytes, sum.weights);
      EXPECT_EQ(whole.params, sum.params);
      EXPECT_EQ(whole.peak_activation_bytes, sum.peak) << backbone << " " << name << " " << width << " " << side;
    }
  }
}

TEST(Network, PartsOfAFinerSpaceAddUpToTheWhole) {
  Rng rng(6);
  for (const auto& [backbone, name, width] : {std::tuple{"mobilenet_v2", "ssd", 0.35},
                                              {"mobilenet_v2", "cpn", 1.0},
                                              {"mobilenet_v2", "classify", 0.35},
                                              {"resnet18", "ssd", 0.25},
                                              {"resnet50", "cpn", 0.25}}) {
    const SearchSpace net(FindBackbone(backbone), SlotSize::kBlock);
    const auto task = MakeTask(Options(name, 96));
    for (int round = 0; round < 6; ++round) {
      const auto pick = RandomPick(net.Slots(width, Precision::kInt8), rng);
      const Costs whole = ComputeCosts(BuildNetwork(net, width, pick, *task), Precision::kInt8);
      const Sum sum = SumOfParts(net, width, *task, pick, Precision::kInt8);
      EXPECT_EQ(whole.macs, sum.macs);
      EXPECT_EQ(whole.weight_bytes, sum.weights);
      EXPECT_EQ(whole.peak_activation_bytes, sum.peak) << backbone << " " << name;
    }
  }
}

TEST(Network, HasSectionsInOrder) {
  for (const auto& [backbone, task, expected] :
       {std::tuple{"mobilenet_v2", "ssd", "stem slot1 slot2 slot3 slot4 slot5 slot6 slot7 tail head "},
        {"mobilenet_v2", "cpn", "stem slot1 slot2 slot3 slot4 slot5 slot6 slot7 head "},
        {"mobilenet_v2", "classify", "stem slot1 slot2 slot3 slot4 slot5 slot6 slot7 tail head "},
        {"resnet18", "ssd", "stem slot1 slot2 slot3 slot4 head "},
        {"resnet34", "cpn", "stem slot1 slot2 slot3 slot4 head "},
        {"resnet50", "classify", "stem slot1 slot2 slot3 slot4 head "}}) {
    const Backbone& net = FindBackbone(backbone);
    const Graph graph =
        BuildNetwork(net, 0.35, BaselineChoices(net, 0.35, Precision::kInt8), *MakeTask(Options(task, 160)));
    std::string names;
    for (const Section& section : graph.sections()) names += section.name + " ";
    EXPECT_EQ(names, expected) << backbone << " " << task;
    EXPECT_EQ(graph.sections().back().last, graph.size());
  }
}

}  // namespace
}  // namespace hot
