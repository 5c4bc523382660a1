#include "pipeline/integer_loss.h"

#include <algorithm>

#include "deploy/calibrate.h"
#include "deploy/post_training.h"
#include "pipeline/deployment.h"
#include "quantize/rounding.h"

namespace hot {
namespace {

// 1 / variance of each channel; as in Distillation::MeasureTeacher, a channel that hardly moves counts as if it moved a
// little.
std::vector<double> InverseVariances(const std::vector<Tensor>& maps) {
  const auto channels = static_cast<size_t>(maps.at(0).shape.at(1));
  std::vector<double> sums(channels), squares(channels);
  double count = 0;  // of values a channel
  for (const Tensor& map : maps) {
    const size_t plane = map.data.size() / channels;
    for (size_t i = 0; i < map.data.size(); ++i) {
      const double value = map.data[i];
      sums[i / plane] += value;
      squares[i / plane] += value * value;
    }
    count += static_cast<double>(plane);
  }
  std::vector<double> variances;
  double mean = 0;
  for (size_t c = 0; c < channels; ++c) {
    variances.push_back(squares[c] / count - sums[c] / count * (sums[c] / count));
    mean += variances[c] / static_cast<double>(channels);
  }
  const double least = std::max(kLeastVariance * mean, 1e-12);
  for (double& variance : variances) variance = 1 / std::max(variance, least);
  return variances;
}

std::string OnlyOutput(const Network& network) { return network.graph.node(network.graph.outputs().at(0)).name; }

}  // namespace

TaughtSlot TeachSlot(const Workspace& workspace, double width, int slot, const Weights& weights,
                     const std::vector<Tensor>& pictures) {
  const auto choices = BaselineChoices(workspace.backbone(), width, Precision::kFp32);
  const Graph graph = BuildUpToSlot(workspace.backbone(), width, choices, workspace.task(), slot);
  const Network teacher = FoldBatchNorm(graph, weights);
  std::vector<std::string> nodes;
  for (const NodeId output : teacher.graph.outputs()) nodes.push_back(teacher.graph.node(output).name);
  TaughtSlot taught{.slot = slot, .width = width, .read = {}, .scales = {}};
  std::vector<Tensor> given;
  ReadActivations(teacher, nullptr, nodes, pictures,
                  [&](size_t, size_t node, const Tensor& map) { (node == 0 ? taught.read : given).push_back(map); });
  taught.scales = InverseVariances(given);
  return taught;
}

double IntegerLoss(const Workspace& workspace, const TaughtSlot& taught, const std::string& choice,
                   const Weights& weights, Precision precision) {
  const Graph graph =
      BuildSlotPart(workspace.backbone(), taught.width, workspace.task(), taught.slot, Choice::Parse(choice));
  const Network folded = FoldBatchNorm(graph, weights);
  const std::vector<std::string> nodes = {OnlyOutput(folded)};
  std::vector<Tensor> exact;
  ReadActivations(folded, nullptr, nodes, taught.read,
                  [&](size_t, size_t, const Tensor& map) { exact.push_back(map); });
  const QuantizedNetwork quantized =
      QuantizeAfterTraining(folded, taught.read, PostTraining(workspace, precision), workspace.context());
  const ActivationScale& scale = quantized.quantization.activations.at(nodes[0]);
  const Scheme& scheme = SchemeOf(quantized.quantization.scheme);
  double loss = 0, count = 0;
  ReadActivations(quantized.network, &quantized.quantization, nodes, taught.read,
                  [&](size_t picture, size_t, const Tensor& map) {
                    Tensor rounded = map;
                    RoundToNearest(scale, scheme, rounded);  // as the next slot reads it
                    const size_t plane = map.data.size() / taught.scales.size();
                    for (size_t i = 0; i < map.data.size(); ++i) {
                      const double error = static_cast<double>(rounded.data[i]) - exact[picture].data[i];
                      loss += taught.scales[i / plane] * error * error;
                    }
                    count += static_cast<double>(map.data.size());
                  });
  return loss / count;
}

}  // namespace hot
