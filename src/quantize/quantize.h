// Post-training quantization as a reader of the graph: S8S8, per-channel symmetric weights, per-tensor asymmetric
// activations (Jacob et al., 2018; Nagel et al., "A White Paper on Neural Network Quantization", 2021). Values.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "graph/fold.h"
#include "graph/graph.h"
#include "graph/tensor.h"

namespace hot {

// real = scale * (q - zero_point), q in [-128, 127].
struct ActivationScale {
  float scale = 1;
  int zero_point = 0;
};

struct Quantization {
  std::string scheme = "s8s8";
  std::map<std::string, ActivationScale> activations;       // by node name: outputs that are quantized
  std::map<std::string, std::vector<float>> weight_scales;  // by node name: conv and linear, one a channel
};

// Collects one tensor's range over calibration pictures: extremes and a histogram whose bins double in width when a
// value falls outside, so that memory stays fixed and no picture is read twice.
class RangeObserver {
 public:
  // A value that is not finite makes min, max and Percentile NaN for good.
  void Observe(const float* values, int64_t count);
  bool empty() const { return histogram_.empty() && !broken_; }
  float min() const { return min_; }
  float max() const { return max_; }
  // Range that leaves at most `tail` of the observed values outside on each side; tail 0 is min-max.
  std::pair<float, float> Percentile(double tail) const;

 private:
  static constexpr int kBins = 2048;
  void Start(float low, float high);
  void Grow(float low, float high);
  std::vector<int64_t> histogram_;  // over [low_, low_ + kBins * width_)
  double low_ = 0, width_ = 0;
  float min_ = 0, max_ = 0;
  bool broken_ = false;
};

struct QuantizeOptions {
  std::string ranges = "percentile";  // or "minmax"
  double percentile_tail = 1e-5;
};

// Names of the nodes whose outputs must be observed: what a quantized graph keeps (after fusing conv + activation),
// graph inputs and outputs included.
std::vector<std::string> ObservedNodes(const Graph& folded);

using Observations = std::map<std::string, RangeObserver>;

// `network` has its batch norms folded. Throws Error(kNotFound) when a node was not observed, kFailedPrecondition when
// a range is empty or not finite (a calibration set of one black picture, NaN weights).
Quantization Quantize(const Network& network, const Observations& observations, const QuantizeOptions& options);

// One JSON object: {"version": 1, "scheme", "activations": {node: [scale, zero_point]}, "weight_scales": {node:
// [...]}}.
std::string ToJson(const Quantization& quantization);
// Throws Error(kDataLoss) on a broken file, kNotFound when it is missing.
Quantization ReadQuantization(const fs::path& file);

// Plausible ranges without data (relu6: [0, 6], else [-4, 4]): for timing a block with random weights.
Quantization SyntheticQuantization(const Network& network);

}  // namespace hot
