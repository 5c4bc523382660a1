// What the tests share that compare LibTorch's outputs of a graph with those of another program.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/rng.h"
#include "graph/fold.h"
#include "graph/tensor.h"
#include "train/graph_module.h"

namespace hot {

// Debian's, which has PyTorch where python3-torch is installed. That of .venv is there for its C++ libraries: Python
// can't import it without NVIDIA's.
inline constexpr const char* kDebianPython = "/usr/bin/python3";

// Random, with batch norm as after a training, so that folding has something to do.
inline Weights TrainedLookingWeights(const Graph& graph) {
  Weights weights = RandomWeights(graph, 1);
  Rng rng(2);
  for (auto& [name, tensor] : weights) {
    if (tensor.shape.size() > 1) continue;
    const bool positive = name.ends_with(".running_var") || name.ends_with(".weight");
    for (float& value : tensor.data)
      value = static_cast<float>(positive ? rng.Uniform(0.5, 1.5) : rng.Uniform(-0.5, 0.5));
  }
  return weights;
}

// [1, c, h, w] of standard normal values, for the graph's only input.
inline Tensor NormalInput(const Graph& graph) {
  const Shape& shape = graph.node(graph.inputs().at(0)).shape;
  Tensor input({1, shape.c, shape.h, shape.w});
  Rng rng(3);
  for (float& value : input.data) value = static_cast<float>(rng.Normal());
  return input;
}

inline std::vector<Tensor> LibTorchOutputs(const Graph& graph, const Weights& weights, Tensor input) {
  GraphModule module(graph);
  module.Load(weights);
  std::vector<Tensor> outputs;
  for (const at::Tensor& output : module.Forward(at::from_blob(input.data.data(), input.shape))) {
    const at::Tensor dense = output.detach().contiguous(at::MemoryFormat::Contiguous);
    Tensor tensor(dense.sizes().vec());
    std::copy_n(dense.const_data_ptr<float>(), tensor.data.size(), tensor.data.begin());
    outputs.push_back(std::move(tensor));
  }
  return outputs;
}

// All values, one tensor behind the other.
inline std::vector<float> AllValues(const std::vector<Tensor>& tensors) {
  std::vector<float> values;
  for (const Tensor& tensor : tensors) values.insert(values.end(), tensor.data.begin(), tensor.data.end());
  return values;
}

inline void WriteFloats(const fs::path& file, const std::vector<float>& values) {
  WriteFileAtomic(file, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

inline std::vector<float> ReadFloats(const fs::path& file) {
  const std::string bytes = ReadFile(file);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

inline double LargestMagnitude(const std::vector<float>& values) {
  double largest = 0;
  for (float value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

// Infinite when they are not equally many.
inline double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return HUGE_VAL;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

}  // namespace hot
