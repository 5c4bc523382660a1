// A network that `hot import` read, as a backbone: stem, tail and the unchanged slots are copied from its graph, and
// what else may stand in a slot depends on the block that is recognized there. Its folder (docs/formats/import.md)
// holds the graph and the weights. Immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "models/backbone.h"

namespace hot {

inline constexpr const char* kImportPrefix = "import:";  // of the name of such a backbone; its folder is behind it
inline constexpr const char* kImportedGraph = "graph.json";
inline constexpr const char* kImportedWeights = "weights.safetensors";

class ImportedBackbone : public Backbone {
 public:
  // `name` is that of the study file. `graph` has the sections that FindSlots() makes. Throws Error(kDataLoss) at
  // `name` where one reads more than the output of the one before, or there is no slot.
  ImportedBackbone(const Graph& graph, std::string name);

  std::string_view name() const override { return name_; }
  BackboneTraits traits() const override { return traits_; }
  // Of its own width only: Error(kInvalidArgument) for another than 1. Each slot's baseline is kOriginal; a slot where
  // no block is recognized has no other choice.
  std::vector<Slot> Slots(double width, Precision precision) const override;
  NodeId BuildStem(GraphBuilder& builder, NodeId image, double width) const override;
  NodeId BuildTail(GraphBuilder& builder, NodeId x, double width) const override;

 private:
  void AddSlot(Slot slot);

  std::string name_;
  BackboneTraits traits_{.stem_stride = 1, .has_tail = false, .narrow_slots = false};
  Graph stem_, tail_;  // one input and one output each
  std::vector<Slot> slots_;
};

// Whether `name` is that of an imported network, "import:FOLDER".
bool IsImported(std::string_view name);
fs::path ImportedFolder(std::string_view name);
// Throws what ReadGraph() and the constructor throw.
std::unique_ptr<Backbone> ReadImported(const std::string& name);
// SHA-256 of the graph of an imported network; empty for others.
std::string BackboneKey(const std::string& name);

}  // namespace hot
