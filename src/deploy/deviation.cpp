#include "deploy/deviation.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "quantize/interpreter.h"

namespace hot {
namespace {

constexpr double kProbabilityStep = 1.0 / 256;
constexpr double kDiffers = 0.5;  // LSB: a value that far away is another step

// Differences of one output over all inputs, in LSB.
struct Differences {
  double largest = 0, squares = 0;
  int64_t count = 0, over = 0;  // over: more than half an LSB

  void Add(const std::string& output, double step, const Tensor& a, const Tensor& b) {
    if (a.size() != b.size()) {
      throw Error(Code::kInternal, "output " + output,
                  "has " + std::to_string(a.size()) + " values, the reference has " + std::to_string(b.size()));
    }
    for (size_t i = 0; i < a.data.size(); ++i) {
      const double lsb = std::abs(static_cast<double>(a.data[i]) - b.data[i]) / step;
      if (!std::isfinite(lsb))
        throw Error(Code::kInternal, "output " + output, "the compiled network gives NaN or infinity");
      largest = std::max(largest, lsb);
      squares += lsb * lsb;
      over += lsb > kDiffers;
    }
    count += a.size();
  }

  double Rms() const { return std::sqrt(squares / static_cast<double>(std::max<int64_t>(count, 1))); }
};

// What 8 bits would make of an output without a scale.
double StepOf(const std::vector<std::vector<Tensor>>& reference, size_t k) {
  double largest = 1e-9;
  for (const std::vector<Tensor>& outputs : reference) {
    for (const float value : outputs[k].data) largest = std::max<double>(largest, std::abs(value));
  }
  return largest / 127;
}

Borders BordersOf(const Artifact& artifact) {
  if (artifact.format == BlobFormat::kEthosU) return Borders::kRounded;
  return artifact.flags.find("borders=int8") != std::string::npos ? Borders::kIntegers : Borders::kFloat;
}

// Output `k` of the pairs against the reference's outputs by pair.
Differences Compare(const OutputDeviation& output, size_t k, std::span<const GoldenPair> pairs,
                    const std::vector<std::vector<Tensor>>& reference) {
  Differences differences;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].outputs.size() != reference.at(i).size())
      throw Error(Code::kInternal, "golden pairs", "another number of outputs than the graph's");
    differences.Add(output.output, output.step, pairs[i].outputs[k], reference[i][k]);
  }
  return differences;
}

}  // namespace

double OutputStep(const Graph& folded, NodeId output, const Quantization& quantization, bool int8_borders) {
  const std::vector<QuantPlace> places = PlanQuantization(folded);
  if (places[static_cast<size_t>(output)] == QuantPlace::kFloat) return kProbabilityStep;
  const bool has_scale = quantization.activations.contains(folded.node(ScaleOwner(folded, places, output)).name);
  if (!has_scale) return 0;
  if (int8_borders) return 1;
  return OutputScale(folded, places, output, quantization).scale;
}

std::vector<OutputDeviation> MeasureDeviation(const Artifact& artifact, const Network& network,
                                              const Quantization& quantization,
                                              std::span<const GoldenPair> float_pairs) {
  if (artifact.golden.empty()) return {};
  const Borders borders = BordersOf(artifact);
  const Interpreter interpreter(network, quantization, borders);
  std::vector<std::vector<Tensor>> reference;
  for (const GoldenPair& pair : artifact.golden) reference.push_back(interpreter.Run(std::span(&pair.input, 1)));
  std::vector<OutputDeviation> deviations;
  for (size_t k = 0; k < network.graph.outputs().size(); ++k) {
    const NodeId id = network.graph.outputs()[k];
    OutputDeviation& output = deviations.emplace_back();
    output.output = network.graph.node(id).name;
    output.step = OutputStep(network.graph, id, quantization, borders == Borders::kIntegers);
    if (output.step == 0) output.step = StepOf(reference, k);
    const Differences differences = Compare(output, k, artifact.golden, reference);
    output.max_lsb = differences.largest;
    output.rms_lsb = differences.Rms();
    output.share = static_cast<double>(differences.over) / static_cast<double>(differences.count);
    output.noise_lsb = Compare(output, k, float_pairs, reference).Rms();
  }
  return deviations;
}

}  // namespace hot
