#include "deploy/session.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace hot {
namespace {

void CheckFinite(const Artifact& artifact, const std::vector<Tensor>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (std::ranges::all_of(outputs[i].data, [](float value) { return std::isfinite(value); })) continue;
    throw Error(Code::kOutOfRange, artifact.toolchain,
                "output " + artifact.output_names.at(i) + " is not finite in " + artifact.precision,
                artifact.precision == "fp16" ? "fp16 ends at 65504; bf16 and fp32 do not" : "are the weights sound?");
  }
}

}  // namespace

void AddGoldenPair(Artifact& artifact, Session& session, const Tensor& input) {
  if (artifact.input_shapes.size() != 1) return;
  std::vector<Tensor> outputs = session.Run(std::span(&input, 1));
  CheckFinite(artifact, outputs);
  artifact.golden.push_back({input, std::move(outputs)});
}

void AddGoldenPair(Artifact& artifact, Session& session, uint64_t seed) {
  if (artifact.input_shapes.size() != 1) return;
  const double span = artifact.flags.find("borders=int8") == std::string::npos ? 1 : 128;
  Rng rng(MixSeed(seed, "golden"));
  Tensor input(artifact.input_shapes[0]);
  for (float& value : input.data) value = static_cast<float>(rng.Uniform(-span, span));
  if (span > 1)
    std::transform(input.data.begin(), input.data.end(), input.data.begin(), [](float v) { return std::floor(v); });
  AddGoldenPair(artifact, session, input);
}

void AddGoldenPairs(Artifact& artifact, Session& session, std::span<const Tensor> inputs, uint64_t seed) {
  for (const Tensor& input : inputs) AddGoldenPair(artifact, session, input);
  if (inputs.empty()) AddGoldenPair(artifact, session, seed);
}

double GoldenDifference(const Artifact& artifact, Session& session) {
  double worst = 0;
  for (const GoldenPair& pair : artifact.golden) {
    const std::vector<Tensor> outputs = session.Run(std::span(&pair.input, 1));
    if (outputs.size() != pair.outputs.size())
      throw Error(Code::kDataLoss, "golden pairs", "another number of outputs");
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].shape != pair.outputs[i].shape)
        throw Error(Code::kDataLoss, "golden pairs", "another output shape");
      double largest = 1e-12, difference = 0;
      for (size_t k = 0; k < outputs[i].data.size(); ++k) {
        const double expected = pair.outputs[i].data[k];
        largest = std::max(largest, std::abs(expected));
        difference = std::max(difference, std::abs(expected - outputs[i].data[k]));
      }
      worst = std::max(worst, difference / largest);
    }
  }
  return worst;
}

std::vector<std::string> ConvolutionsNotIn(const std::map<std::string, std::string>& layers,
                                           const std::string& expected) {
  std::vector<std::string> others;
  for (const auto& [layer, precision] : layers) {
    const bool computes =
        layer.starts_with("Convolution") || layer.starts_with("FullyConnected") || layer.starts_with("MatMul");
    if (computes && precision != expected) others.push_back(layer);
  }
  return others;
}

}  // namespace hot
