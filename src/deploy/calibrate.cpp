#include "deploy/calibrate.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "deploy/device.h"
#include "deploy/onnx_writer.h"

namespace hot {
namespace {

Artifact ObservableArtifact(const Network& network) {
  Artifact artifact;
  artifact.toolchain = "openvino";
  artifact.precision = "fp32";
  artifact.blob = WriteOnnx(network, {.quantization = nullptr, .int8_borders = false, .expose_activations = true});
  artifact.blob_sha256 = Sha256Hex(artifact.blob);
  return artifact;
}

// Outputs in the order WriteOnnx gives them: the graph's own, then the other observed nodes in node order.
std::vector<std::string> OutputNames(const Network& network) {
  std::vector<std::string> names;
  for (NodeId output : network.graph.outputs()) names.push_back(network.graph.node(output).name);
  std::vector<std::string> inputs;
  for (NodeId input : network.graph.inputs()) inputs.push_back(network.graph.node(input).name);
  for (const std::string& name : ObservedNodes(network.graph)) {
    const bool listed =
        std::count(names.begin(), names.end(), name) + std::count(inputs.begin(), inputs.end(), name) > 0;
    if (!listed) names.push_back(name);
  }
  return names;
}

}  // namespace

Observations Calibrate(const Network& network, const std::vector<Tensor>& inputs) {
  if (inputs.empty()) throw Error(Code::kFailedPrecondition, "calibration", "has no pictures");
  const auto device = MakeDevice("host", 1);
  const auto session = device->Load(ObservableArtifact(network));
  const std::vector<std::string> names = OutputNames(network);
  const std::string input_name = network.graph.node(network.graph.inputs().at(0)).name;
  Observations observations;
  for (const Tensor& input : inputs) {
    observations[input_name].Observe(input.data.data(), input.size());
    const std::vector<Tensor> outputs = session->Run(std::span(&input, 1));
    HOT_ASSERT(outputs.size() == names.size());
    for (size_t i = 0; i < outputs.size(); ++i)
      observations[names[i]].Observe(outputs[i].data.data(), outputs[i].size());
  }
  return observations;
}

}  // namespace hot
