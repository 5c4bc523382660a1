// Dense float tensors and named sets of them. Values: copied or moved, never shared.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hot {

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> data;  // row-major; data.size() is the product of shape

  Tensor() = default;
  explicit Tensor(std::vector<int64_t> shape_in, float fill = 0.0f);
  int64_t size() const { return static_cast<int64_t>(data.size()); }
};

// Parameters of a Graph by name: "<node>.weight", "<node>.bias", and for batch norm also "<node>.running_mean" and
// "<node>.running_var". Convolution weights are [out, in/groups, k, k]; linear weights [out, in].
using Weights = std::map<std::string, Tensor>;

}  // namespace hot
