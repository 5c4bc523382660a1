#include "quantize/plan.h"

#include <algorithm>

namespace hot {
namespace {

bool CanFuse(Op op) { return IsLayer(op) || op == Op::kAdd; }
bool KeepsNumbers(Op op) { return op == Op::kMaxPool || op == Op::kUpsample || op == Op::kFlatten; }
bool NeedsFloat(Op op) { return op == Op::kSigmoid || op == Op::kSoftmax; }

bool IsOutput(const Graph& graph, NodeId id) {
  return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
}

QuantPlace PlaceOf(const Graph& graph, NodeId id, const std::vector<NodeId>& readers) {
  const Op op = graph.node(id).op;
  const bool output = IsOutput(graph, id);
  if (NeedsFloat(op) && readers.empty()) return QuantPlace::kFloat;
  if (KeepsNumbers(op)) return QuantPlace::kPassThrough;
  if (output) return QuantPlace::kScaled;
  if (CanFuse(op) && readers.size() == 1 && IsActivation(graph.node(readers[0]).op)) return QuantPlace::kFusedAway;
  const auto reads_float = [&](NodeId reader) { return NeedsFloat(graph.node(reader).op); };
  if (op != Op::kInput && std::all_of(readers.begin(), readers.end(), reads_float)) return QuantPlace::kFloat;
  return QuantPlace::kScaled;
}

}  // namespace

bool IsActivation(Op op) {
  return op == Op::kRelu || op == Op::kRelu6 || op == Op::kHardSigmoid || op == Op::kHardSwish;
}

std::vector<QuantPlace> PlanQuantization(const Graph& folded) {
  const auto consumers = folded.Consumers();
  std::vector<QuantPlace> places;
  for (NodeId id = 0; id < folded.size(); ++id) {
    places.push_back(PlaceOf(folded, id, consumers[static_cast<size_t>(id)]));
  }
  return places;
}

NodeId ScaleOwner(const Graph& folded, const std::vector<QuantPlace>& places, NodeId id) {
  while (places[static_cast<size_t>(id)] == QuantPlace::kPassThrough) id = folded.node(id).inputs[0];
  return id;
}

}  // namespace hot
