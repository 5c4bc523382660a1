#include "graph/fold.h"

#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/rng.h"

namespace hot {
namespace {

const Tensor& Find(const Weights& weights, const std::string& name) {
  const auto found = weights.find(name);
  if (found == weights.end()) throw Error(Code::kNotFound, name, "the weights lack this parameter");
  return found->second;
}

const Tensor& Vector(const Weights& weights, const std::string& name, int channels) {
  const Tensor& tensor = Find(weights, name);
  if (tensor.size() != channels) {
    throw Error(Code::kInvalidArgument, name,
                "expected " + std::to_string(channels) + " values, got " + std::to_string(tensor.size()));
  }
  return tensor;
}

struct Affine {
  std::vector<float> scale, shift;
};

Affine BatchNormAffine(const Node& node, const Weights& weights) {
  const int channels = node.shape.c;
  const Tensor& gamma = Vector(weights, node.name + ".weight", channels);
  const Tensor& beta = Vector(weights, node.name + ".bias", channels);
  const Tensor& mean = Vector(weights, node.name + ".running_mean", channels);
  const Tensor& variance = Vector(weights, node.name + ".running_var", channels);
  Affine affine;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const float scale = gamma.data[c] / std::sqrt(variance.data[c] + node.attrs.eps);
    affine.scale.push_back(scale);
    affine.shift.push_back(beta.data[c] - mean.data[c] * scale);
  }
  return affine;
}

// Copies `source` node by node, replacing conv + batch norm.
class Folder {
 public:
  Folder(const Graph& source, const Weights& weights)
      : source_(source),
        weights_(weights),
        consumers_(source.Consumers()),
        mapped_(static_cast<size_t>(source.size()), -1) {}

  Network Run() {
    size_t section = 0;
    for (NodeId id = 0; id < source_.size(); ++id) {
      while (section < source_.sections().size() && source_.sections()[section].first == id) {
        builder_.BeginSection(source_.sections()[section++].name);
      }
      mapped_[static_cast<size_t>(id)] = Copy(id);
    }
    for (NodeId output : source_.outputs()) builder_.Output(mapped_[static_cast<size_t>(output)]);
    return {.graph = std::move(builder_).Build(), .weights = std::move(result_)};
  }

 private:
  NodeId Mapped(NodeId id) const { return mapped_[static_cast<size_t>(id)]; }

  // The batch norm that alone reads this conv, or -1.
  NodeId BatchNormAfter(NodeId id) const {
    const auto& readers = consumers_[static_cast<size_t>(id)];
    for (NodeId output : source_.outputs()) {
      if (output == id) return -1;
    }
    return readers.size() == 1 && source_.node(readers[0]).op == Op::kBatchNorm ? readers[0] : -1;
  }

  NodeId Copy(NodeId id) {
    const Node& node = source_.node(id);
    if (node.op == Op::kConv) return CopyConv(id);
    if (node.op == Op::kBatchNorm) return CopyBatchNorm(id);
    if (node.op == Op::kLinear) {
      result_[node.name + ".weight"] = Find(weights_, node.name + ".weight");
      if (node.attrs.bias) result_[node.name + ".bias"] = Find(weights_, node.name + ".bias");
    }
    std::vector<NodeId> inputs;
    for (NodeId input : node.inputs) inputs.push_back(Mapped(input));
    return builder_.Copy(node, node.name, inputs);
  }

  NodeId CopyConv(NodeId id) {
    const Node& node = source_.node(id);
    Tensor weight = Find(weights_, node.name + ".weight");
    const int channels = node.shape.c;
    Tensor bias = node.attrs.bias ? Vector(weights_, node.name + ".bias", channels) : Tensor({channels});
    Attrs attrs = node.attrs;
    const NodeId batch_norm = BatchNormAfter(id);
    if (batch_norm >= 0) {
      const Affine affine = BatchNormAffine(source_.node(batch_norm), weights_);
      const size_t row = weight.data.size() / static_cast<size_t>(channels);
      for (size_t i = 0; i < weight.data.size(); ++i) weight.data[i] *= affine.scale[i / row];
      for (size_t c = 0; c < bias.data.size(); ++c) bias.data[c] = bias.data[c] * affine.scale[c] + affine.shift[c];
      attrs.bias = true;
      folded_[batch_norm] = id;
    }
    result_[node.name + ".weight"] = std::move(weight);
    if (attrs.bias) result_[node.name + ".bias"] = std::move(bias);
    return builder_.Conv(node.name, Mapped(node.inputs[0]), attrs);
  }

  NodeId CopyBatchNorm(NodeId id) {
    if (const auto conv = folded_.find(id); conv != folded_.end()) return Mapped(conv->second);
    const Node& node = source_.node(id);
    const Affine affine = BatchNormAffine(node, weights_);
    Attrs attrs;
    attrs.out_channels = attrs.groups = node.shape.c;
    attrs.bias = true;
    Tensor weight({node.shape.c, 1, 1, 1}), bias({node.shape.c});
    weight.data = affine.scale;
    bias.data = affine.shift;
    result_[node.name + ".weight"] = std::move(weight);
    result_[node.name + ".bias"] = std::move(bias);
    return builder_.Conv(node.name, Mapped(node.inputs[0]), attrs);
  }

  const Graph& source_;
  const Weights& weights_;
  const std::vector<std::vector<NodeId>> consumers_;
  std::vector<NodeId> mapped_;
  std::unordered_map<NodeId, NodeId> folded_;  // batch norm -> the conv that took it in
  GraphBuilder builder_;
  Weights result_;
};

constexpr double kPredictionDeviation =
    0.01;  // layers with a bias predict: they start near zero (Lin et al., 2017, section 4.1)

void FillRandom(const Parameter& parameter, bool predicts, uint64_t seed, Tensor& tensor) {
  const std::string& name = parameter.name;
  if (parameter.shape.size() > 1) {
    int64_t fan_in = 1;
    for (size_t i = 1; i < parameter.shape.size(); ++i) fan_in *= parameter.shape[i];
    const double deviation = predicts ? kPredictionDeviation : std::sqrt(2.0 / static_cast<double>(fan_in));
    Rng rng(MixSeed(seed, name));
    for (float& value : tensor.data) value = static_cast<float>(rng.Normal() * deviation);
  } else if (name.ends_with(".weight") || name.ends_with(".running_var")) {
    tensor.data.assign(tensor.data.size(), 1.0f);
  }
}

}  // namespace

Network FoldBatchNorm(const Graph& graph, const Weights& weights) { return Folder(graph, weights).Run(); }

void CheckWeights(const Graph& graph, const Weights& weights, const std::string& where) {
  for (const Parameter& parameter : Parameters(graph)) {
    const auto found = weights.find(parameter.name);
    if (found == weights.end()) throw Error(Code::kDataLoss, where, "lacks the parameter " + parameter.name);
    if (found->second.shape != parameter.shape)
      throw Error(Code::kDataLoss, where, parameter.name + " has another shape");
    for (float value : found->second.data) {
      if (!std::isfinite(value))
        throw Error(Code::kDataLoss, where, parameter.name + " holds values that are not finite");
    }
  }
}

Weights RandomWeights(const Graph& graph, uint64_t seed) {
  std::set<std::string> biased;  // nodes with weight and bias that are no batch norm
  for (const Node& node : graph.nodes()) {
    if (node.attrs.bias) biased.insert(node.name + ".weight");
  }
  Weights weights;
  for (const Parameter& parameter : Parameters(graph)) {
    Tensor tensor(parameter.shape);
    FillRandom(parameter, biased.contains(parameter.name), seed, tensor);
    weights[parameter.name] = std::move(tensor);
  }
  return weights;
}

Weights TimingWeights(const Graph& graph, uint64_t seed) {
  Weights weights = RandomWeights(graph, seed);
  for (auto& [name, tensor] : weights) {
    if (!name.ends_with(".bias")) continue;
    Rng rng(MixSeed(seed, name));
    for (float& value : tensor.data) value = static_cast<float>(rng.Uniform(-0.5, 0.5));
  }
  return weights;
}

}  // namespace hot
