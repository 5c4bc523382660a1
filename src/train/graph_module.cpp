#include "train/graph_module.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "train/norm_act.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

bool IsClamp(Op op) { return op == Op::kRelu || op == Op::kRelu6; }

at::Tensor Pad(const at::Tensor& x, const Attrs& attrs) {
  const auto& [top, left, bottom, right] = attrs.pads;
  if (top == bottom && left == right) return x;
  return at::constant_pad_nd(x, {left, right, top, bottom});
}

at::Tensor Convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Attrs& attrs) {
  const auto& [top, left, bottom, right] = attrs.pads;
  const bool even = top == bottom && left == right;
  const std::vector<int64_t> padding = even ? std::vector<int64_t>{top, left} : std::vector<int64_t>{0, 0};
  const std::vector<int64_t> stride{attrs.stride, attrs.stride};
  return at::conv2d(Pad(x, attrs), weight, bias, stride, padding, {1, 1}, attrs.groups);
}

at::Tensor RunPool(const Node& node, const at::Tensor& x) {
  const Attrs& attrs = node.attrs;
  const std::vector<int64_t> kernel{attrs.kernel, attrs.kernel}, stride{attrs.stride, attrs.stride};
  const std::vector<int64_t> padding{attrs.pads[0], attrs.pads[1]};
  if (node.op == Op::kMaxPool) return at::max_pool2d(x, kernel, stride, padding);
  return at::avg_pool2d(x, kernel, stride, padding, /*ceil_mode=*/false, /*count_include_pad=*/false);
}

at::Tensor RunActivation(const Node& node, const at::Tensor& x) {
  switch (node.op) {
    case Op::kRelu:
      return at::relu(x);
    case Op::kRelu6:
      return at::hardtanh(x, 0, 6);
    case Op::kSigmoid:
      return at::sigmoid(x);
    case Op::kHardSigmoid:
      return at::hardsigmoid(x);
    case Op::kHardSwish:
      return at::hardswish(x);
    case Op::kSoftmax:
      return at::softmax(x, 1);
    default:
      break;
  }
  throw Error(Code::kUnimplemented, node.name, "LibTorch module lacks the operation " + std::string(OpName(node.op)));
}

at::Tensor RunUnary(const Node& node, const at::Tensor& x) {
  switch (node.op) {
    case Op::kMaxPool:
    case Op::kAvgPool:
      return RunPool(node, x);
    case Op::kGlobalAvgPool:
      return at::mean(x, {2, 3}, /*keepdim=*/true);
    case Op::kUpsample:
      return at::upsample_nearest2d(x, {node.shape.h, node.shape.w});
    case Op::kFlatten:
      return x.contiguous().reshape({x.size(0), -1, 1, 1});
    default:
      return RunActivation(node, x);
  }
}

}  // namespace

GraphModule::GraphModule(Graph graph, at::Device device)
    : graph_(std::move(graph)), consumers_(graph_.Consumers()), parameters_(graph_, device) {
  if (graph_.inputs().size() != 1) throw Error(Code::kInvalidArgument, "graph", "training needs exactly one input");
  Plan();
  PlanLifetimes();
}

void GraphModule::Train(double momentum) {
  training_ = true;
  momentum_ = momentum;
}

NodeId GraphModule::SoleReader(NodeId id) const {
  const auto& outputs = graph_.outputs();
  const auto& readers = consumers_[static_cast<size_t>(id)];
  const bool is_output = std::find(outputs.begin(), outputs.end(), id) != outputs.end();
  return is_output || readers.size() != 1 ? -1 : readers[0];
}

NodeId GraphModule::ClampAfter(NodeId batch_norm) const {
  const NodeId reader = SoleReader(batch_norm);
  return reader >= 0 && IsClamp(graph_.node(reader).op) ? reader : batch_norm;
}

// A batch norm keeps its input for the backward pass, not its output, so an addition may overwrite that.
bool GraphModule::MayOverwrite(NodeId add) const {
  const NodeId other = graph_.node(add).inputs[1];
  return graph_.node(other).op == Op::kBatchNorm && SoleReader(other) == add;
}

void GraphModule::Plan() {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    if (node.op == Op::kInput) continue;
    const NodeId before = node.inputs[0];
    if (graph_.node(before).op == Op::kBatchNorm && ClampAfter(before) == id) continue;
    steps_.push_back({.node = id,
                      .result = node.op == Op::kBatchNorm ? ClampAfter(id) : id,
                      .in_place = node.op == Op::kAdd && MayOverwrite(id),
                      .last_reads = {}});
  }
}

void GraphModule::PlanLifetimes() {
  std::vector<bool> needed(static_cast<size_t>(graph_.size()), false);
  for (NodeId output : graph_.outputs()) needed[static_cast<size_t>(output)] = true;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    for (NodeId input : graph_.node(step->node).inputs) {
      if (needed[static_cast<size_t>(input)]) continue;
      needed[static_cast<size_t>(input)] = true;
      step->last_reads.push_back(input);
    }
  }
}

std::vector<at::Tensor> GraphModule::Forward(const at::Tensor& images) const {
  Values values(static_cast<size_t>(graph_.size()));
  const NodeId input = graph_.inputs()[0];
  values[static_cast<size_t>(input)] =
      Rounded(input, images.to(parameters_.device(), training_ ? training_type_ : at::kFloat, /*non_blocking=*/false,
                               /*copy=*/false, at::MemoryFormat::ChannelsLast));
  for (const Step& step : steps_) {
    const at::AutoGradMode gradients(at::GradMode::is_enabled() && step.node >= frozen_end_);
    values[static_cast<size_t>(step.result)] = Rounded(step.result, Run(step, values));
    for (NodeId dead : step.last_reads) values[static_cast<size_t>(dead)] = at::Tensor();
  }
  std::vector<at::Tensor> outputs;
  for (NodeId output : graph_.outputs()) outputs.push_back(values[static_cast<size_t>(output)].to(at::kFloat));
  return outputs;
}

at::Tensor GraphModule::Run(const Step& step, const Values& values) const {
  const Node& node = graph_.node(step.node);
  const at::Tensor& x = values[static_cast<size_t>(node.inputs[0])];
  switch (node.op) {
    case Op::kConv:
    case Op::kLinear:
      return RunParametric(step.node, x);
    case Op::kBatchNorm:
      return RunBatchNorm(step, x);
    case Op::kAdd: {
      at::Tensor other = values[static_cast<size_t>(node.inputs[1])];
      return step.in_place ? other.add_(x) : at::add(x, other);
    }
    case Op::kMul:
      return at::mul(x, values[static_cast<size_t>(node.inputs[1])]);
    case Op::kConcat: {
      std::vector<at::Tensor> parts;
      for (NodeId input : node.inputs) parts.push_back(values[static_cast<size_t>(input)]);
      return at::cat(parts, 1);
    }
    default:
      return RunUnary(node, x);
  }
}

at::Tensor GraphModule::ParameterLike(const at::Tensor& x, const std::string& name) const {
  return parameters_.Get(name).to(x.scalar_type());
}

at::Tensor GraphModule::RunParametric(NodeId id, const at::Tensor& x) const {
  const Node& node = graph_.node(id);
  at::Tensor weight = ParameterLike(x, node.name + ".weight");
  at::Tensor bias = node.attrs.bias ? ParameterLike(x, node.name + ".bias") : at::Tensor();
  if (rounding_) weight = rounding_->Weight(id, weight);
  if (rounding_ && bias.defined()) bias = rounding_->Bias(id, bias);
  if (node.op == Op::kConv) return Convolve(x, weight, bias, node.attrs);
  return at::linear(x.flatten(1), weight, bias).view({x.size(0), node.shape.c, 1, 1});
}

at::Tensor GraphModule::RunBatchNorm(const Step& step, const at::Tensor& x) const {
  const Node& node = graph_.node(step.node);
  const Op clamp = step.result == step.node ? Op::kInput : graph_.node(step.result).op;
  const NormParameters parts{.weight = parameters_.Get(node.name + ".weight"),
                             .bias = parameters_.Get(node.name + ".bias"),
                             .running_mean = parameters_.Get(node.name + ".running_mean"),
                             .running_var = parameters_.Get(node.name + ".running_var")};
  if (training_ && step.node >= frozen_end_) {
    NormActOptions options{.momentum = momentum_, .eps = node.attrs.eps};
    if (clamp != Op::kInput) options.low = 0;
    if (clamp == Op::kRelu6) options.high = 6;
    return BatchNormAct(x, parts, options);
  }
  at::Tensor y = at::batch_norm(x, parts.weight, parts.bias, parts.running_mean, parts.running_var, /*training=*/false,
                                momentum_, node.attrs.eps, /*cudnn_enabled=*/false);
  if (clamp == Op::kRelu) return at::relu_(y);
  return clamp == Op::kRelu6 ? at::hardtanh_(y, 0, 6) : y;
}

}  // namespace hot
