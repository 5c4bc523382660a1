// All parameters of a graph in three flat buffers (trainable values, their gradients, running statistics), with a
// tensor that looks into them for each. So the optimizer, gradient clipping and checkpoints are a few long vector
// operations instead of hundreds of short ones. Private to train/. Thread rule: one thread.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/tensor.h"

namespace hot {

// A run of values that the optimizer treats alike.
struct ValueRange {
  int64_t begin = 0, end = 0;
  bool decayed = false;  // weights of convolutions and linear layers: weight decay applies
};

class FlatParameters {
 public:
  FlatParameters(const Graph& graph, at::Device device);
  at::Device device() const { return values_.device(); }

  // Leaf of the autograd graph (trainable) or plain tensor (running statistic); convolution weights are channels-last.
  const at::Tensor& Get(const std::string& name) const;

  // Throws Error(kDataLoss) when `weights` do not fit the graph.
  void Load(const Graph& graph, const Weights& weights);
  Weights Store() const;

  // The values of nodes from `first` on.
  std::vector<ValueRange> Ranges(NodeId first) const;

  // Views; writing to them changes the network.
  const at::Tensor& values() const { return values_; }
  const at::Tensor& gradients() const { return gradients_; }
  const at::Tensor& statistics() const { return statistics_; }

 private:
  struct Slice {
    int64_t offset = 0;
    Parameter parameter;
    NodeId node = 0;
  };
  at::Tensor View(const at::Tensor& buffer, const Slice& slice) const;

  at::Tensor values_, gradients_, statistics_;
  int64_t decayed_ = 0;  // values before this one are decayed
  std::vector<Slice> slices_;
  std::map<std::string, at::Tensor> tensors_;
};

}  // namespace hot
