// Graphs that tests of several programs compare outputs of: every block type alone, and whole networks. Tests only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "models/search_space.h"
#include "tasks/task.h"

namespace hot {

inline Graph BlockGraph(const Block& block, const BlockSpec& spec) {
  GraphBuilder builder;
  builder.Output(block.Build(builder, builder.Input("image", {16, 12, 12}), spec, "b"));
  return std::move(builder).Build();
}

// With their names: every block type, with kernels of 3 and 5 and strides of 1 and 2.
inline std::vector<std::pair<std::string, Graph>> BlockGraphs() {
  std::vector<std::pair<std::string, Graph>> graphs;
  for (const Block* block : AllBlocks()) {
    for (int kernel : {3, 5}) {
      for (int stride : {1, 2}) {
        graphs.emplace_back(std::string(block->type()) + "-k" + std::to_string(kernel) + "-s" + std::to_string(stride),
                            BlockGraph(*block, {16, stride, kernel, 3}));
      }
    }
  }
  return graphs;
}

struct WholeOptions {
  Purpose purpose = Purpose::kShipping;
  GraphStyle style = {};
  std::string backbone = "mobilenet_v2";
  double width = 0.35;
  SlotSize slot_size = SlotSize::kStage;
  std::vector<std::string> choices = {};  // names; empty: the backbone's own
};

inline SearchSpace SpaceOf(const WholeOptions& whole) {
  const Backbone& net = FindBackbone(whole.backbone);
  SlotChoices choices;
  if (whole.choices.empty()) return {net, whole.slot_size};
  std::vector<Choice> listed;
  for (const std::string& name : whole.choices) listed.push_back(Choice::Parse(name));
  for (const Slot& slot : SearchSpace(net, whole.slot_size).Slots(whole.width, Precision::kFp32)) {
    choices[slot.index] = listed;
  }
  return {net, whole.slot_size, std::move(choices)};
}

// Of side x side pixels; random choices, with seed 0 the baseline's.
inline Graph WholeGraph(const std::string& task, int side, uint64_t seed, const WholeOptions& whole = {}) {
  TaskOptions options;
  options.task = task;
  options.convention.style = whole.style;
  options.input = {3, side, side};
  options.classes = {"a", "b", "c"};
  options.keypoints = {"head", "hand"};
  const SearchSpace net = SpaceOf(whole);
  Rng rng(seed);
  std::vector<Choice> pick;
  for (const Slot& slot : net.Slots(whole.width, Precision::kFp32)) {
    pick.push_back(seed == 0 ? slot.baseline : slot.choices[static_cast<size_t>(rng.Below(std::ssize(slot.choices)))]);
  }
  return BuildNetwork(net, whole.width, pick, *MakeTask(options), whole.purpose);
}

}  // namespace hot
