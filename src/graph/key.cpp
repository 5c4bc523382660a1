#include "graph/key.h"

#include <vector>

#include "core/hash.h"

namespace hot {
namespace {

// Numbers nodes in depth-first order from the outputs, inputs before readers; that order depends on structure alone.
void Number(const Graph& graph, NodeId id, std::vector<int>& number, std::vector<NodeId>& order) {
  if (number[static_cast<size_t>(id)] >= 0) return;
  for (NodeId input : graph.node(id).inputs) Number(graph, input, number, order);
  number[static_cast<size_t>(id)] = static_cast<int>(order.size());
  order.push_back(id);
}

void Add(std::string& text, int64_t value) {
  text += std::to_string(value);
  text += ' ';
}

bool HasAttributes(Op op) {
  switch (op) {
    case Op::kConv:
    case Op::kLinear:
    case Op::kMaxPool:
    case Op::kAvgPool:
    case Op::kUpsample:
      return true;
    default:
      return false;
  }
}

void AddNode(std::string& text, const Node& node, const std::vector<int>& number) {
  text += OpName(node.op);
  text += ' ';
  for (NodeId input : node.inputs) Add(text, number[static_cast<size_t>(input)]);
  const Attrs& attrs = node.attrs;
  for (int value : {node.shape.c, node.shape.h, node.shape.w}) Add(text, value);
  if (node.op == Op::kBatchNorm) text += std::to_string(attrs.eps);
  if (HasAttributes(node.op)) {
    for (int value : {attrs.out_channels, attrs.kernel, attrs.stride, attrs.groups, attrs.bias ? 1 : 0})
      Add(text, value);
    for (int pad : attrs.pads) Add(text, pad);
  }
  text += '\n';
}

}  // namespace

std::string GraphKey(const Graph& graph, Precision precision) {
  std::vector<int> number(static_cast<size_t>(graph.size()), -1);
  std::vector<NodeId> order;
  for (NodeId output : graph.outputs()) Number(graph, output, number, order);
  std::string text = "graph 1 " + PrecisionName(precision) + "\n";
  for (NodeId id : order) AddNode(text, graph.node(id), number);
  text += "inputs ";
  for (NodeId input : graph.inputs()) Add(text, number[static_cast<size_t>(input)]);
  text += "outputs ";
  for (NodeId output : graph.outputs()) Add(text, number[static_cast<size_t>(output)]);
  return Sha256Hex(text);
}

}  // namespace hot
