#include "train/flat_parameters.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "graph/fold.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

constexpr int64_t kAlignment = 16;  // floats: a parameter starts on a cache line

int64_t Elements(const Parameter& parameter) {
  int64_t elements = 1;
  for (int64_t side : parameter.shape) elements *= side;
  return elements;
}

bool IsDecayed(const Parameter& parameter) { return parameter.trainable && parameter.shape.size() > 1; }

std::map<std::string, NodeId> NodesByName(const Graph& graph) {
  std::map<std::string, NodeId> nodes;
  for (NodeId id = 0; id < graph.size(); ++id) nodes.emplace(graph.node(id).name, id);
  return nodes;
}

}  // namespace

FlatParameters::FlatParameters(const Graph& graph, at::Device device) {
  const std::map<std::string, NodeId> nodes = NodesByName(graph);
  int64_t trainable = 0, fixed = 0;
  const auto append = [&](const auto& wanted, int64_t& end) {
    for (Parameter& parameter : Parameters(graph)) {
      if (!wanted(parameter)) continue;
      const NodeId node = nodes.at(parameter.name.substr(0, parameter.name.rfind('.')));
      slices_.push_back({.offset = end, .parameter = parameter, .node = node});
      end += (Elements(parameter) + kAlignment - 1) / kAlignment * kAlignment;
    }
  };
  append(IsDecayed, trainable);
  decayed_ = trainable;
  append([](const Parameter& parameter) { return parameter.trainable && !IsDecayed(parameter); }, trainable);
  append([](const Parameter& parameter) { return !parameter.trainable; }, fixed);

  values_ = at::zeros({trainable}, device);
  gradients_ = at::zeros({trainable}, device);
  statistics_ = at::zeros({fixed}, device);
  for (const Slice& slice : slices_) {
    at::Tensor tensor = View(slice.parameter.trainable ? values_ : statistics_, slice).detach();
    if (slice.parameter.trainable) {
      tensor.requires_grad_(true);
      tensor.mutable_grad() = View(gradients_, slice);  // backward adds to it in place
    }
    tensors_.emplace(slice.parameter.name, std::move(tensor));
  }
}

at::Tensor FlatParameters::View(const at::Tensor& buffer, const Slice& slice) const {
  const std::vector<int64_t>& shape = slice.parameter.shape;
  const at::Tensor run = buffer.narrow(0, slice.offset, Elements(slice.parameter));
  if (shape.size() != 4) return run.view(shape);
  return run.view({shape[0], shape[2], shape[3], shape[1]}).permute({0, 3, 1, 2});
}

// Slices of either kind lie in node order, so what belongs to the nodes from `first` on is the end of each.
std::vector<ValueRange> FlatParameters::Ranges(NodeId first) const {
  ValueRange decayed{.begin = decayed_, .end = decayed_, .decayed = true};
  ValueRange plain{.begin = values_.numel(), .end = values_.numel(), .decayed = false};
  for (const Slice& slice : slices_) {
    if (!slice.parameter.trainable || slice.node < first) continue;
    int64_t& begin = slice.offset < decayed_ ? decayed.begin : plain.begin;
    begin = std::min(begin, slice.offset);
  }
  return {decayed, plain};
}

const at::Tensor& FlatParameters::Get(const std::string& name) const { return tensors_.at(name); }

void FlatParameters::Load(const Graph& graph, const Weights& weights) {
  CheckWeights(graph, weights, "weights");
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : tensors_) {
    const Tensor& source = weights.at(name);
    at::Tensor target = tensor.detach();
    target.copy_(at::from_blob(const_cast<float*>(source.data.data()), source.shape));  // only read
  }
}

Weights FlatParameters::Store() const {
  Weights weights;
  for (const auto& [name, tensor] : tensors_) {
    Tensor copy(tensor.sizes().vec());
    const at::Tensor dense = tensor.detach().cpu().contiguous();
    std::copy_n(dense.const_data_ptr<float>(), copy.data.size(), copy.data.begin());
    weights[name] = std::move(copy);
  }
  return weights;
}

}  // namespace hot
