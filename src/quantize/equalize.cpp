#include "quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"

namespace hot {
namespace {

constexpr double kClip = 6;              // of ReLU6
constexpr double kClipMargin = 0.8;      // of it that scaled channels may use
constexpr double kLargestFactor = 1024;  // and its inverse the smallest

struct Pair {
  NodeId first, between, second;  // convolution, it or its activation, convolution
};

bool IsOutput(const Graph& graph, NodeId id) { return std::ranges::count(graph.outputs(), id) > 0; }

bool IsDepthwise(const Graph& graph, const Node& node) {
  const int in = graph.node(node.inputs[0]).shape.c;
  return node.attrs.groups == in && node.shape.c == in;
}

class PairFinder {
 public:
  explicit PairFinder(const Graph& graph) : graph_(graph), readers_(graph.Consumers()) {}

  std::optional<Pair> Find(NodeId first) const {
    if (graph_.node(first).op != Op::kConv) return std::nullopt;
    NodeId between = first, second = OnlyReader(first);
    if (second >= 0 && (graph_.node(second).op == Op::kRelu || graph_.node(second).op == Op::kRelu6)) {
      between = second;
      second = OnlyReader(between);
    }
    if (second < 0 || graph_.node(second).op != Op::kConv) return std::nullopt;
    const Node& reader = graph_.node(second);
    if (reader.attrs.groups != 1 && !IsDepthwise(graph_, reader)) return std::nullopt;
    return Pair{first, between, second};
  }

 private:
  // -1: none, or several, or the outside.
  NodeId OnlyReader(NodeId id) const {
    const auto& list = readers_[static_cast<size_t>(id)];
    return list.size() == 1 && !IsOutput(graph_, id) ? list[0] : -1;
  }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> readers_;
};

std::vector<Pair> FindPairs(const Graph& graph) {
  const PairFinder finder(graph);
  std::vector<Pair> pairs;
  for (NodeId first = 0; first < graph.size(); ++first) {
    if (const auto pair = finder.Find(first)) pairs.push_back(*pair);
  }
  return pairs;
}

// What `visit` is given: index of a weight of convolution `node`, its output channel and the input channel it reads.
template <typename Visit>
void EachWeight(const Node& node, const Tensor& weight, const Visit& visit) {
  const auto kernel = static_cast<size_t>(node.attrs.kernel * node.attrs.kernel);
  const auto ins = static_cast<size_t>(weight.shape.at(1));
  for (size_t i = 0; i < weight.data.size(); ++i) {
    const size_t out = i / (ins * kernel);
    visit(i, out, node.attrs.groups == 1 ? i / kernel % ins : out);
  }
}

// How much each input channel weighs in the rows that read it, relative to their largest weights: at most 1.
std::vector<double> ColumnMaxima(const Node& node, const Tensor& weight, size_t channels) {
  std::vector<double> rows(static_cast<size_t>(node.shape.c), 0), columns(channels, 0);
  EachWeight(node, weight, [&](size_t i, size_t out, size_t) {
    rows[out] = std::max(rows[out], std::abs(static_cast<double>(weight.data[i])));
  });
  EachWeight(node, weight, [&](size_t i, size_t out, size_t in) {
    if (rows[out] > 0) columns[in] = std::max(columns[in], std::abs(static_cast<double>(weight.data[i])) / rows[out]);
  });
  return columns;
}

// A channel's divisor within the limits of the activation and of numbers.
double Limited(double divisor, double maximum, bool clips) {
  if (clips && maximum > kClipMargin * kClip) return 1;
  if (clips) divisor = std::max(divisor, maximum / (kClipMargin * kClip));
  return std::clamp(divisor, 1 / kLargestFactor, kLargestFactor);
}

// The channels' divisors. Before the limits: equation 11 of the paper, sqrt(r1 / r2), with the largest channel of the
// tensor as large as before; a depthwise reader has a scale a channel, so that only r1 counts. 1 for dead channels.
std::vector<double> Divisors(const Graph& graph, const Pair& pair, const Tensor& reader_weight,
                             const std::vector<float>& maxima) {
  const Node& reader = graph.node(pair.second);
  const bool depthwise = IsDepthwise(graph, reader), clips = graph.node(pair.between).op == Op::kRelu6;
  const double largest = *std::ranges::max_element(maxima);
  const std::vector<double> columns = ColumnMaxima(reader, reader_weight, maxima.size());
  std::vector<double> divisors(maxima.size(), 0);
  double after = 0;
  for (size_t c = 0; c < maxima.size(); ++c) {
    if (maxima[c] <= 0 || columns[c] <= 0) continue;
    divisors[c] = depthwise ? maxima[c] / largest : std::sqrt(maxima[c] / columns[c]);
    after = std::max(after, maxima[c] / divisors[c]);
  }
  for (size_t c = 0; c < maxima.size(); ++c)
    divisors[c] = divisors[c] > 0 ? Limited(divisors[c] * after / largest, maxima[c], clips) : 1;
  return divisors;
}

void Scale(Network& network, const Pair& pair, const std::vector<double>& divisors) {
  const Node& first = network.graph.node(pair.first);
  const Node& second = network.graph.node(pair.second);
  Tensor& weight = network.weights.at(first.name + ".weight");
  EachWeight(first, weight, [&](size_t i, size_t out, size_t) {
    weight.data[i] = static_cast<float>(weight.data[i] / divisors[out]);
  });
  if (first.attrs.bias) {
    Tensor& bias = network.weights.at(first.name + ".bias");
    for (size_t c = 0; c < divisors.size(); ++c) bias.data[c] = static_cast<float>(bias.data[c] / divisors[c]);
  }
  Tensor& reader = network.weights.at(second.name + ".weight");
  EachWeight(second, reader,
             [&](size_t i, size_t, size_t in) { reader.data[i] = static_cast<float>(reader.data[i] * divisors[in]); });
}

}  // namespace

std::vector<std::string> EqualizableNodes(const Graph& folded) {
  std::vector<std::string> names;
  for (const Pair& pair : FindPairs(folded)) names.push_back(folded.node(pair.between).name);
  return names;
}

void Equalize(Network& network, const std::map<std::string, std::vector<float>>& maxima) {
  for (const Pair& pair : FindPairs(network.graph)) {
    const Node& between = network.graph.node(pair.between);
    const auto found = maxima.find(between.name);
    if (found == maxima.end() || std::ssize(found->second) != between.shape.c)
      throw Error(Code::kNotFound, "node " + between.name, "its channels were not observed during calibration");
    const Tensor& reader = network.weights.at(network.graph.node(pair.second).name + ".weight");
    Scale(network, pair, Divisors(network.graph, pair, reader, found->second));
  }
}

}  // namespace hot
