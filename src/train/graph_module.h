// A Graph as LibTorch runs it: the nodes in order, channels-last, with autograd. Batch norm and the ReLU behind it are
// one step; a value is dropped after its last reader. Called by the trainer and by tests. Thread rule: one thread
// calls; LibTorch may use more inside.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "graph/tensor.h"
#include "train/fake_quantization.h"
#include "train/flat_parameters.h"

namespace hot {

class GraphModule {
 public:
  // Parameters and values lie on `device`.
  explicit GraphModule(Graph graph, at::Device device = at::kCPU);

  // `images` is [n, c, h, w] for the graph's only input, on any device; one tensor [n, c, h, w] an output, in the
  // graph's order.
  std::vector<at::Tensor> Forward(const at::Tensor& images) const;

  // Training mode: batch norm uses the batch's statistics and moves the running ones by `momentum` (weight of the new
  // batch). Evaluation mode (at first): the running statistics, unchanged.
  void Train(double momentum);
  void Evaluate() { training_ = false; }

  // What maps and convolutions hold in training mode: at::kFloat (at first) or at::kBFloat16. Parameters, their
  // gradients, statistics and the outputs stay float.
  void SetTrainingType(at::ScalarType type) { training_type_ = type; }

  // From now on outputs, weights and biases are rounded, in training and evaluation mode. The graph has its batch norms
  // folded.
  void Quantize(const Quantization& quantization) { rounding_.emplace(graph_, quantization, parameters_.device()); }

  // From now on nodes before `end` have no gradient, and their batch norms keep and use their running statistics, in
  // training too. 0: none.
  void Freeze(NodeId end) { frozen_end_ = end; }

  const Graph& graph() const { return graph_; }
  FlatParameters& parameters() { return parameters_; }
  const FlatParameters& parameters() const { return parameters_; }

  // Throws Error(kDataLoss) when the weights don't fit.
  void Load(const Weights& weights) { parameters_.Load(graph_, weights); }
  Weights Store() const { return parameters_.Store(); }

 private:
  // One or two nodes (batch norm and its activation).
  struct Step {
    NodeId node = 0;
    NodeId result = 0;               // whose value this computes: `node`, or the activation that is done with it
    bool in_place = false;           // may overwrite its first input
    std::vector<NodeId> last_reads;  // values nobody reads later
  };
  using Values = std::vector<at::Tensor>;

  // The only node that reads `id`; -1 when there are more, or when it is an output of the graph.
  NodeId SoleReader(NodeId id) const;
  // The activation that can be computed together with a batch norm, else the batch norm itself.
  NodeId ClampAfter(NodeId batch_norm) const;
  bool MayOverwrite(NodeId add) const;
  void Plan();
  void PlanLifetimes();
  at::Tensor Run(const Step& step, const Values& values) const;
  at::Tensor RunBatchNorm(const Step& step, const at::Tensor& x) const;
  at::Tensor RunParametric(NodeId id, const at::Tensor& x) const;
  at::Tensor Rounded(NodeId id, const at::Tensor& y) const { return rounding_ ? rounding_->Output(id, y) : y; }
  // A parameter in the type of `x`.
  at::Tensor ParameterLike(const at::Tensor& x, const std::string& name) const;

  Graph graph_;
  std::vector<std::vector<NodeId>> consumers_;
  FlatParameters parameters_;
  std::vector<Step> steps_;
  bool training_ = false;
  double momentum_ = 0.1;
  NodeId frozen_end_ = 0;
  at::ScalarType training_type_ = at::kFloat;
  std::optional<FakeQuantization> rounding_;
};

}  // namespace hot
