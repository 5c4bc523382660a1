#include "deploy/calibrate.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/onnx_writer.h"
#include "quantize/interpreter.h"

namespace hot {
namespace {

// Where a node's output is found: among the network's outputs, or (an input that is not rounded) nowhere.
constexpr size_t kInput = static_cast<size_t>(-1);

struct Plan {
  std::vector<std::string> exposed;
  std::vector<size_t> places;  // of each node
};

Plan PlanOutputs(const Graph& graph, const Quantization* quantization, const std::vector<std::string>& nodes) {
  std::map<std::string, size_t> outputs;
  for (const NodeId id : graph.outputs()) outputs.emplace(graph.node(id).name, outputs.size());
  Plan plan;
  for (const std::string& name : nodes) {
    const bool rounded = quantization != nullptr && quantization->activations.contains(name);
    const bool input = name == graph.node(graph.inputs().at(0)).name && !rounded;
    if (!input && outputs.emplace(name, outputs.size()).second) plan.exposed.push_back(name);
    plan.places.push_back(input ? kInput : outputs.at(name));
  }
  return plan;
}

// The network in OpenVINO, which computes in fp32 unless there is a quantization.
std::unique_ptr<Session> LoadNetwork(const Network& network, OnnxOptions options) {
  Artifact artifact;
  artifact.toolchain = "openvino";
  artifact.precision = PrecisionName(options.quantization == nullptr ? Precision::kFp32 : Precision::kInt8);
  options.unsigned_concatenations = true;
  artifact.blob = WriteOnnx(network, options);
  artifact.blob_sha256 = Sha256Hex(artifact.blob);
  return MakeDevice("host", 1)->Load(artifact);
}

using Read = std::function<std::vector<Tensor>(const Tensor& input)>;

Read ReadInOpenVino(const Network& network, const Quantization* quantization, const std::vector<std::string>& nodes) {
  Plan plan = PlanOutputs(network.graph, quantization, nodes);
  const std::shared_ptr<Session> session =  // std::function wants a copy
      LoadNetwork(network, {.quantization = quantization, .exposed = std::move(plan.exposed)});
  return [session, places = std::move(plan.places)](const Tensor& input) {
    const std::vector<Tensor> outputs = session->Run(std::span(&input, 1));
    std::vector<Tensor> read;
    for (const size_t place : places) read.push_back(place == kInput ? input : outputs.at(place));
    return read;
  };
}

Read ReadInInterpreter(const Network& network, const Quantization& quantization,
                       const std::vector<std::string>& nodes) {
  for (const std::string& name : nodes) {
    const bool known = std::ranges::count(network.graph.nodes(), name, &Node::name) > 0;
    if (!known) throw Error(Code::kNotFound, "node " + name, "can't be shown: the graph has no such node");
  }
  return [interpreter = Interpreter(network, quantization), nodes](const Tensor& input) {
    std::vector<Tensor> read(nodes.size());
    interpreter.Run(std::span(&input, 1), [&](const Node& node, Interpreter::Value& value) {
      for (size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i] != node.name) continue;
        read[i] = Tensor({1, node.shape.c, node.shape.h, node.shape.w});
        std::ranges::transform(value.reals, read[i].data.begin(), [](double real) { return static_cast<float>(real); });
      }
    });
    return read;
  };
}

// Whether each channel has one value in all pictures: black ones, say.
bool ShowsNothing(const std::vector<Tensor>& inputs) {
  const Tensor& first = inputs.front();
  const auto channels = static_cast<size_t>(first.shape.at(1));
  const size_t plane = first.data.size() / channels;
  return std::ranges::all_of(inputs, [&](const Tensor& input) {
    for (size_t i = 0; i < input.data.size(); ++i) {
      if (input.data[i] != first.data[i / plane * plane]) return false;
    }
    return true;
  });
}

using Observers = std::vector<RangeObserver>;

// Sees every value.
Observers ObserveMaps(const Network& network, const std::vector<std::string>& nodes,
                      const std::vector<Tensor>& inputs) {
  Observers observers(nodes.size());
  ReadActivations(network, nullptr, nodes, inputs, [&](size_t, size_t node, const Tensor& output) {
    observers[node].Observe(output.data.data(), output.size());
  });
  return observers;
}

// Has the network itself find the extremes, so that no map is read: half the time and less.
Observers ObserveExtremes(const Network& network, const std::vector<std::string>& nodes,
                          const std::vector<Tensor>& inputs) {
  Observers observers(nodes.size(), RangeObserver(/*histogram=*/false));
  const std::string& input_name = network.graph.node(network.graph.inputs().at(0)).name;
  std::vector<std::string> inner;
  std::ranges::remove_copy(nodes, std::back_inserter(inner), input_name);
  const auto session = LoadNetwork(network, {.extremes = inner});
  for (const Tensor& input : inputs) {
    const std::vector<Tensor> outputs = session->Run(std::span(&input, 1));
    size_t at = network.graph.outputs().size();
    for (size_t node = 0; node < nodes.size(); ++node) {
      if (nodes[node] == input_name) {
        observers[node].Observe(input.data.data(), input.size());
      } else {
        for (int i = 0; i < 2; ++i) observers[node].Observe(outputs.at(at++).data.data(), 1);
      }
    }
  }
  return observers;
}

}  // namespace

ActivationReader::ActivationReader(const Network& network, const Quantization* quantization,
                                   const std::vector<std::string>& nodes) {
  const bool wide = quantization != nullptr && SchemeOf(quantization->scheme).precision == Precision::kInt16x8;
  read_ = wide ? ReadInInterpreter(network, *quantization, nodes) : ReadInOpenVino(network, quantization, nodes);
}

void ReadActivations(const Network& network, const Quantization* quantization, const std::vector<std::string>& nodes,
                     const std::vector<Tensor>& inputs, const ReadActivation& read) {
  if (inputs.empty()) throw Error(Code::kFailedPrecondition, "calibration", "has no pictures");
  ActivationReader reader(network, quantization, nodes);
  for (size_t picture = 0; picture < inputs.size(); ++picture) {
    const std::vector<Tensor> outputs = reader.Read(inputs[picture]);
    for (size_t node = 0; node < nodes.size(); ++node) read(picture, node, outputs[node]);
  }
}

Observations Calibrate(const Network& network, const std::vector<Tensor>& inputs, bool histograms) {
  if (inputs.empty()) throw Error(Code::kFailedPrecondition, "calibration", "has no pictures");
  if (ShowsNothing(inputs)) {
    throw Error(Code::kFailedPrecondition, "calibration",
                "its pictures (" + std::to_string(inputs.size()) + ") show nothing: all of one and the same colour",
                "calibrate with more and different pictures of data.train (quantize.pictures)");
  }
  const std::vector<std::string> nodes = ObservedNodes(network.graph);
  Observers observers = histograms ? ObserveMaps(network, nodes, inputs) : ObserveExtremes(network, nodes, inputs);
  Observations observations;
  for (size_t i = 0; i < nodes.size(); ++i) observations.emplace(nodes[i], std::move(observers[i]));
  return observations;
}

}  // namespace hot
