#include "quantize/quantized_network.h"

#include <algorithm>

#include "core/error.h"
#include "quantize/plan.h"

namespace hot {
namespace {

NodeId FindNode(const Graph& graph, const std::string& name) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).name == name) return id;
  }
  throw Error(Code::kNotFound, "node " + name, "the graph has no such node");
}

class Parts {
 public:
  Parts(const Graph& graph, const Quantization& whole)
      : graph_(graph), whole_(whole), places_(PlanQuantization(graph)), readers_(graph.Consumers()) {}

  // The node whose scale describes what `layer` gives.
  NodeId OutputOwner(NodeId layer) const {
    return Place(layer) == QuantPlace::kFusedAway ? readers_[static_cast<size_t>(layer)].at(0) : layer;
  }
  NodeId InputOwner(NodeId layer) const { return ScaleOwner(graph_, places_, graph_.node(layer).inputs.at(0)); }

  void CopyScale(NodeId owner, Quantization& to) const {
    const auto found = whole_.activations.find(graph_.node(owner).name);
    if (found != whole_.activations.end()) to.activations.insert(*found);
  }

  // Whether any reader of the owner's numbers wants them as integers.
  bool IsReadAsIntegers(NodeId owner, const Quantization& with) const {
    const bool from_float = ComesFromFloat(owner, with);
    const auto& readers = readers_[static_cast<size_t>(owner)];
    return std::any_of(readers.begin(), readers.end(), [&](NodeId reader) {
      if (Place(reader) == QuantPlace::kPassThrough) return IsReadAsIntegers(reader, with);
      if (IsLayer(graph_.node(reader).op)) return with.weight_scales.contains(graph_.node(reader).name);
      return !from_float;
    });
  }

  // Computed in float: by a float layer, or with an operand of one.
  bool ComesFromFloat(NodeId id, const Quantization& with) const {
    const Node& node = graph_.node(id);
    if (IsLayer(node.op)) return !with.weight_scales.contains(node.name);
    return std::ranges::any_of(node.inputs, [&](NodeId input) { return ComesFromFloat(input, with); });
  }

 private:
  QuantPlace Place(NodeId id) const { return places_[static_cast<size_t>(id)]; }

  const Graph& graph_;
  const Quantization& whole_;
  const std::vector<QuantPlace> places_;
  const std::vector<std::vector<NodeId>> readers_;
};

void CopyParameters(const Network& from, const std::string& layer, Network& to) {
  for (const char* parameter : {".weight", ".bias"}) {
    const auto found = from.weights.find(layer + parameter);
    if (found != from.weights.end()) to.weights[found->first] = found->second;
  }
}

}  // namespace

std::vector<std::string> QuantizedLayers(const QuantizedNetwork& quantized) {
  std::vector<std::string> layers;
  for (const Node& node : quantized.network.graph.nodes()) {
    if (quantized.quantization.weight_scales.contains(node.name)) layers.push_back(node.name);
  }
  return layers;
}

QuantizedNetwork OnlyLayer(const QuantizedNetwork& quantized, const std::string& layer) {
  const Graph& graph = quantized.network.graph;
  const Quantization& whole = quantized.quantization;
  const Parts parts(graph, whole);
  const NodeId id = FindNode(graph, layer);
  QuantizedNetwork part = quantized;
  part.network = quantized.exact;
  CopyParameters(quantized.network, layer, part.network);
  part.quantization = {.scheme = whole.scheme, .activations = {}, .weight_scales = {}};
  part.quantization.weight_scales[layer] = whole.weight_scales.at(layer);
  parts.CopyScale(parts.InputOwner(id), part.quantization);
  parts.CopyScale(parts.OutputOwner(id), part.quantization);
  return part;
}

QuantizedNetwork WithFloatLayers(const QuantizedNetwork& quantized, const std::set<std::string>& layers) {
  QuantizedNetwork mixed = quantized;
  Quantization& rest = mixed.quantization;
  for (const std::string& layer : layers) {
    rest.weight_scales.erase(layer);
    CopyParameters(quantized.exact, layer, mixed.network);
  }
  const Graph& graph = quantized.network.graph;
  const Parts parts(graph, quantized.quantization);
  const auto readers = graph.Consumers();
  for (NodeId id = 0; id < graph.size(); ++id) {
    const bool output = readers[static_cast<size_t>(id)].empty();
    if (output ? !parts.ComesFromFloat(id, rest) : parts.IsReadAsIntegers(id, rest)) continue;
    rest.activations.erase(graph.node(id).name);
  }
  return mixed;
}

}  // namespace hot
