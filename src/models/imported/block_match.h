// Recognizes blocks in a network that others made: which nodes behind a place are an inverted residual, a basic or a
// bottleneck block, with or without batch norm, whatever the activation. Called when a network is imported and when it
// is read again. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace hot {

struct BlockMatch {
  std::string type;  // "irb", "fused", "basic", "bottleneck"
  int kernel = 3;
  int expansion = 0;  // as in BlockSpec; 0: not a whole number
  int out_channels = 0, stride = 1;
  Op activation = Op::kRelu;            // inside
  bool squeezes = false;                // has a squeeze-and-excitation (Hu et al., CVPR 2018)
  bool ours = false;                    // the block of this type, kernel and expansion computes the same
  NodeId last = -1;                     // the block's output
  std::map<NodeId, std::string> names;  // of its nodes, as our block calls them: "expand.conv"

  // "irb-k3-e6", "irb-k5 (hard_swish, squeeze-and-excitation)"
  std::string Text() const;
};

// What is known of a graph around its nodes.
class BlockMatcher {
 public:
  // `trunk`: the nodes that matter; readers that are none of them (a head's) see a block's output only.
  BlockMatcher(const Graph& graph, std::vector<bool> trunk);

  // The block that reads `x`, if there is one that begins there.
  std::optional<BlockMatch> At(NodeId x) const;

  struct Unit;  // block_match.cpp's own

 private:
  struct Branch;
  struct Fork;
  bool IsPrivate(NodeId id) const;
  NodeId SoleReader(NodeId id) const;
  std::vector<NodeId> TrunkReaders(NodeId id) const;
  Unit ReadUnit(NodeId conv) const;
  std::optional<NodeId> ExcitedBy(NodeId y, std::vector<NodeId>& nodes) const;
  Branch Walk(NodeId first) const;
  std::optional<BlockMatch> Plain(NodeId x, NodeId first) const;
  std::optional<Fork> ReadFork(NodeId a, NodeId b) const;
  std::optional<BlockMatch> Residual(NodeId a, NodeId b) const;

  const Graph& graph_;
  const std::vector<bool> trunk_;
  const std::vector<std::vector<NodeId>> readers_;
  std::vector<bool> outputs_;
};

}  // namespace hot
