#include <string>
#include <utility>

#include "blocks/bottleneck.h"
#include "tasks/cpn/cpn.h"
#include "tasks/prediction_layer.h"

namespace hot {
namespace {

NodeId AddBottleneck(GraphBuilder& builder, NodeId x, const std::string& name, int channels) {
  return BuildBottleneck(builder, x,
                         {.middle_channels = channels / 2, .out_channels = channels, .activation = Op::kRelu6}, name);
}

// A level of the pyramid; nodes are named after the slot that it reads.
struct Level {
  int slot, stride;
  NodeId node;

  std::string NameOf(const std::string& part) const { return "head." + part + std::to_string(slot); }
};

NodeId ToFinest(GraphBuilder& builder, NodeId x, const std::string& name, const Level& level) {
  const int factor = level.stride / kCpnStride;
  return factor == 1 ? x : builder.Upsample(name + ".up", x, factor);
}

// Features of the levels, coarse to fine.
std::vector<Level> Pyramid(GraphBuilder& builder, const Features& features, int channels) {
  std::vector<Level> levels;
  for (const auto& [stride, kernel] : kCpnLevels) {
    const SlotFeature& tap = features.slots.at(stride);
    Level level{.slot = tap.slot, .stride = stride, .node = tap.node};
    level.node = builder.ConvBn(level.NameOf("lateral"), tap.node, channels, 1, 1, 1, Op::kRelu6);
    if (!levels.empty()) {
      const std::string name = level.NameOf("topdown");
      const NodeId above = builder.ConvBn(name, levels.back().node, channels, 1, 1, 1, Op::kInput);
      level.node = builder.Add(name + ".add", level.node, builder.Upsample(name + ".up", above, 2));
    }
    levels.push_back(level);
  }
  return levels;
}

NodeId Refine(GraphBuilder& builder, const std::vector<Level>& levels, int channels) {
  std::vector<NodeId> maps;
  for (size_t i = 0; i < levels.size(); ++i) {
    const std::string name = levels[i].NameOf("refine");
    NodeId x = levels[i].node;
    for (size_t block = 0; block + 1 + i < levels.size(); ++block) {
      x = AddBottleneck(builder, x, name + "." + std::to_string(block), channels);
    }
    maps.push_back(ToFinest(builder, x, name, levels[i]));
  }
  return AddBottleneck(builder, builder.Concat("head.concat", maps), "head.merge", channels);
}

}  // namespace

void CpnTask::BuildHead(GraphBuilder& builder, const Features& features, Purpose purpose) const {
  const int channels = options_.pyramid_channels, keypoints = static_cast<int>(options_.keypoints.size());
  const std::vector<Level> levels = Pyramid(builder, features, channels);
  builder.Output(SeparablePrediction(builder, Refine(builder, levels, channels), "head.refine", keypoints));
  if (purpose != Purpose::kTraining) return;
  for (const Level& level : levels) {
    const std::string name = level.NameOf("global");
    builder.Output(ToFinest(builder, SeparablePrediction(builder, level.node, name, keypoints), name, level));
  }
}

}  // namespace hot
