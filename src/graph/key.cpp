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

void AddNode(std::string& text, const Node& node, const std::vector<int>& number) {
  text += OpName(node.op);
  text += ' ';
  for (NodeId input : node.inputs) Add(text, number[static_cast<size_t>(input)]);
  for (int value : {node.shape.c, node.shape.h, node.shape.w}) Add(text, value);
  if (node.op == Op::kBatchNorm) text += std::to_string(node.attrs.eps);
  if (node.op == Op::kConv || node.op == Op::kLinear || node.op == Op::kMaxPool || node.op == Op::kAvgPool ||
      node.op == Op::kUpsample) {
    for (int value : {node.attrs.out_channels, node.attrs.kernel, node.attrs.stride, node.attrs.groups}) Add(text, value);
    for (int pad : node.attrs.pads) Add(text, pad);
    Add(text, node.attrs.bias ? 1 : 0);
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
