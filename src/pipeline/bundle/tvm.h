// The network of this bundle as machine code, as it was measured. Tensors are float32, row-major, batch 1.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <stdexcept>

#include "network.h"  // names, sizes and thresholds

struct Model {
  explicit Model(const std::string& bundle) : library(dlopen((bundle + "/artifact/model.so").c_str(), RTLD_NOW)) {
    if (library != nullptr) infer = reinterpret_cast<decltype(infer)>(dlsym(library, "hot_infer"));
    if (infer == nullptr) throw std::runtime_error(dlerror());
  }
  static std::string Version() { return network::kRuntimeVersion; }  // nothing of it is needed to run
  Outputs Run(const std::vector<float>& input) {
    if (input.size() != network::kInputSize) throw std::runtime_error("the input has another size");
    float* const floats = reinterpret_cast<float*>(memory.data());
    std::copy(input.begin(), input.end(), floats);
    Outputs outputs;
    std::vector<float*> places;
    for (const size_t at : network::kOutputPlaces) places.push_back(floats + at);
    if (infer(&floats, places.data(), floats + network::kArena)) throw std::runtime_error("not for this processor");
    for (size_t i = 0; i < places.size(); ++i) outputs.emplace_back(places[i], places[i] + network::kOutputSizes[i]);
    return outputs;
  }
  void* library;
  int (*infer)(float* const* inputs, float* const* outputs, void* arena) = nullptr;
  std::vector<std::aligned_storage_t<64, 64>> memory = decltype(memory)(network::kMemoryLines);
};
