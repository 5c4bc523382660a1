#include "graph/costs.h"

#include <algorithm>

namespace hot {
namespace {

// The first node of the run conv -> batch norm -> activation that `id` ends: they share one buffer.
bool InPlace(const Graph& graph, NodeId id, const std::vector<std::vector<NodeId>>& consumers) {
  const Node& node = graph.node(id);
  switch (node.op) {
    case Op::kBatchNorm:
    case Op::kRelu:
    case Op::kRelu6:
    case Op::kSigmoid:
    case Op::kHardSigmoid:
    case Op::kHardSwish:
    case Op::kFlatten:
      break;
    default:
      return false;
  }
  const NodeId input = node.inputs[0];
  const bool sole_reader = consumers[static_cast<size_t>(input)].size() == 1;
  const auto& inputs = graph.inputs();
  return sole_reader && std::find(inputs.begin(), inputs.end(), input) == inputs.end();
}

int64_t MacsOf(const Graph& graph, const Node& node) {
  if (node.op != Op::kConv && node.op != Op::kLinear) return 0;
  const int64_t in = graph.node(node.inputs[0]).shape.c / node.attrs.groups;
  return node.shape.elements() * in * node.attrs.kernel * node.attrs.kernel;
}

int64_t WeightBytesOf(const Graph& graph, const Node& node, Precision precision) {
  if (node.op != Op::kConv && node.op != Op::kLinear) return 0;
  const int64_t in = graph.node(node.inputs[0]).shape.c / node.attrs.groups;
  const int64_t weights = in * node.attrs.kernel * node.attrs.kernel * node.shape.c;
  return weights * WeightBytes(precision) + static_cast<int64_t>(node.shape.c) * BiasBytes(precision);
}

}  // namespace

std::vector<int64_t> LiveActivationBytes(const Graph& graph, const PrecisionOf& precision) {
  const auto count = static_cast<size_t>(graph.size());
  const auto consumers = graph.Consumers();
  std::vector<NodeId> buffer(count);       // the node that owns the memory of node i's output
  std::vector<NodeId> last_use(count, 0);  // of each buffer
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto i = static_cast<size_t>(id);
    buffer[i] = InPlace(graph, id, consumers) ? buffer[static_cast<size_t>(graph.node(id).inputs[0])] : id;
    last_use[static_cast<size_t>(buffer[i])] = id;
    for (NodeId input : graph.node(id).inputs) last_use[static_cast<size_t>(buffer[static_cast<size_t>(input)])] = id;
  }
  for (NodeId output : graph.outputs())
    last_use[static_cast<size_t>(buffer[static_cast<size_t>(output)])] = graph.size();
  std::vector<int64_t> live(count, 0);
  for (NodeId owner = 0; owner < graph.size(); ++owner) {
    if (buffer[static_cast<size_t>(owner)] != owner) continue;
    const bool is_input = graph.node(owner).op == Op::kInput;
    const int64_t bytes = graph.node(owner).shape.elements() * ActivationBytes(precision(graph.node(owner)));
    const NodeId end = std::min(last_use[static_cast<size_t>(owner)], graph.size() - 1);
    for (NodeId id = is_input ? 0 : owner; id <= end; ++id) live[static_cast<size_t>(id)] += bytes;
  }
  return live;
}

std::vector<int64_t> LiveActivationBytes(const Graph& graph, Precision precision) {
  return LiveActivationBytes(graph, [&](const Node&) { return precision; });
}

Costs ComputeCosts(const Graph& graph, Precision precision) {
  return ComputeCosts(graph, [&](const Node&) { return precision; });
}

Costs ComputeCosts(const Graph& graph, const PrecisionOf& precision) {
  Costs costs;
  for (const Node& node : graph.nodes()) {
    costs.macs += MacsOf(graph, node);
    costs.weight_bytes += WeightBytesOf(graph, node, precision(node));
  }
  for (const Parameter& parameter : Parameters(graph)) {
    if (!parameter.trainable) continue;
    int64_t elements = 1;
    for (int64_t side : parameter.shape) elements *= side;
    costs.params += elements;
  }
  const auto live = LiveActivationBytes(graph, precision);
  costs.peak_activation_bytes = live.empty() ? 0 : *std::max_element(live.begin(), live.end());
  return costs;
}

}  // namespace hot
