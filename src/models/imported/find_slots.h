// From a network as it was read to one that a study can search: its nodes in sections stem, slot1.., tail and head,
// named as backbones of ours name theirs where a block is recognized. Called by `hot import`. Pure function.
#pragma once

#include <string>
#include <vector>

#include "graph/fold.h"
#include "models/imported/block_match.h"

namespace hot {

// A section of the network, in the order of the graph.
struct FoundSection {
  std::string name;                // "stem", "slot3", "tail", "head"
  std::vector<BlockMatch> blocks;  // of a slot that can be searched; empty: kept as it is
  std::string reason;              // why it is kept
  std::string first, last;         // names of its first and last nodes before they were renamed
  int nodes = 0;
};

struct SlottedNetwork {
  Network network;
  std::vector<FoundSection> sections;
};

// The same network: nodes in another order and with other names, the same weights. Neighbouring blocks of one type and
// width are one slot, as in published tables. Behind the last slot, a network that ends in global pooling and a linear
// layer has a tail and the head "head.pool", "head.classifier"; any other has only a head. Throws Error(kUnimplemented)
// for a network without a block that is known.
SlottedNetwork FindSlots(const Network& network, const std::string& where);

}  // namespace hot
