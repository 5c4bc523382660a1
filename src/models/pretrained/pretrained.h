// Weights that a network starts from: read once from a file in one of several formats and namings, then taken section
// by section by every network that has the same section. Called by `hot` before a study (to fail early, and for what
// the weights expect of the input) and by hot-train. docs/pretrained.md is the user's side of it. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/files.h"
#include "graph/graph.h"
#include "graph/safetensors.h"
#include "models/backbone.h"
#include "models/convention.h"

namespace hot {

struct Pretrained {
  std::string file;
  std::string naming;  // "hot", "torchvision", "timm", "keras"
  Convention convention;
  bool states_convention = true;     // false: weights of ours in a file that can't hold it; the defaults are a guess
  Weights weights;                   // by our names
  std::vector<std::string> unknown;  // by the file's names: tensors that no table knows, counters left out
};

// Throws Error with exit code 2: what ReadTensorFile throws, and kInvalidArgument when no naming of this backbone is
// found or a value is not finite.
Pretrained ReadPretrained(const fs::path& path, const Backbone& backbone);

// What a network took.
struct Inheritance {
  std::string file, naming;
  size_t tensors = 0, taken = 0;      // of the file; a tensor that is taken twice counts once
  std::vector<std::string> in_part;   // slots of the same layers as the file's with other channels or kernels
  std::vector<std::string> random;    // sections that keep the weights they had; of a head that took some: its parts
  std::vector<std::string> no_place;  // groups of the file's tensors that belong to no section of the network

  // "w.pth (torchvision names): 260 of 262 tensors taken; in part: slot3; from random: head; no place for: x.*"
  std::string Summary() const;
};

// Overwrites in `weights`, which fit `graph`, what the file has: stem, slots and tail whole where they are built as in
// the file, a slot in part where only channels inside or kernels are others (channels.h), the head node by node. A 1x1
// of the head that reads what a slot reads and is shaped like that slot's expansion (SSD's taps) starts as that
// expansion. Throws Error(kInvalidArgument) when no section fits: the weights are of another width.
Inheritance Inherit(const Graph& graph, const Pretrained& pretrained, Weights& weights);

// What WriteSafetensors stores beside weights of ours, so that they know their convention when they are read again.
SafetensorsMetadata ConventionMetadata(const Convention& convention);

}  // namespace hot
