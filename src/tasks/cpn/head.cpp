#include <string>
#include <utility>

#include "tasks/cpn/cpn.h"
#include "tasks/prediction_layer.h"

namespace hot {
namespace {

// A residual block with a narrow middle (He et al., 2016, figure 5): 1x1 to half of `channels`, 3x3, 1x1 to `channels`,
// added to the input, or to a 1x1 of it where that has other channels.
NodeId Bottleneck(GraphBuilder& builder, NodeId x, const std::string& name, int channels) {
  NodeId y = builder.ConvBn(name + ".reduce", x, channels / 2, 1, 1, 1, Op::kRelu6);
  y = builder.ConvBn(name + ".middle", y, channels / 2, 3, 1, 1, Op::kRelu6);
  y = builder.ConvBn(name + ".expand", y, channels, 1, 1, 1, Op::kInput);
  if (builder.shape(x).c != channels) x = builder.ConvBn(name + ".shortcut", x, channels, 1, 1, 1, Op::kInput);
  return builder.Unary(Op::kRelu6, name + ".act", builder.Add(name + ".add", x, y));
}

NodeId ToFinest(GraphBuilder& builder, NodeId x, const std::string& name, const CpnLevel& level) {
  const int factor = level.stride / kCpnStride;
  return factor == 1 ? x : builder.Upsample(name + ".up", x, factor);
}

std::string NameAt(const std::string& part, const CpnLevel& level) {
  return "head." + part + std::to_string(level.slot);
}

// Features of the levels, coarse to fine.
std::vector<NodeId> Pyramid(GraphBuilder& builder, const Features& features, int channels) {
  std::vector<NodeId> levels;
  for (const CpnLevel& level : kCpnLevels) {
    const NodeId tap = features.slots.at(static_cast<size_t>(level.slot - 1));
    NodeId x = builder.ConvBn(NameAt("lateral", level), tap, channels, 1, 1, 1, Op::kRelu6);
    if (!levels.empty()) {
      const std::string name = NameAt("topdown", level);
      const NodeId above = builder.ConvBn(name, levels.back(), channels, 1, 1, 1, Op::kInput);
      x = builder.Add(name + ".add", x, builder.Upsample(name + ".up", above, 2));
    }
    levels.push_back(x);
  }
  return levels;
}

NodeId Refine(GraphBuilder& builder, const std::vector<NodeId>& levels, int channels) {
  std::vector<NodeId> maps;
  for (size_t i = 0; i < levels.size(); ++i) {
    const std::string name = NameAt("refine", kCpnLevels[i]);
    NodeId x = levels[i];
    for (size_t block = 0; block + 1 + i < levels.size(); ++block) {
      x = Bottleneck(builder, x, name + "." + std::to_string(block), channels);
    }
    maps.push_back(ToFinest(builder, x, name, kCpnLevels[i]));
  }
  return Bottleneck(builder, builder.Concat("head.concat", maps), "head.merge", channels);
}

}  // namespace

void CpnTask::BuildHead(GraphBuilder& builder, const Features& features, Purpose purpose) const {
  const int channels = options_.pyramid_channels, keypoints = static_cast<int>(options_.keypoints.size());
  const std::vector<NodeId> levels = Pyramid(builder, features, channels);
  builder.Output(SeparablePrediction(builder, Refine(builder, levels, channels), "head.refine", keypoints));
  if (purpose != Purpose::kTraining) return;
  for (size_t i = 0; i < levels.size(); ++i) {
    const std::string name = NameAt("global", kCpnLevels[i]);
    builder.Output(ToFinest(builder, SeparablePrediction(builder, levels[i], name, keypoints), name, kCpnLevels[i]));
  }
}

}  // namespace hot
