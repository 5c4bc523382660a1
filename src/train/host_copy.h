// Flat float buffers of a training, which may lie on a GPU, to and from vectors of the host: for checkpoints and
// snapshots. Private to train/. Thread rule: none of its own.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "core/error.h"

namespace hot {

inline std::vector<float> ToHost(const at::Tensor& tensor) {
  const at::Tensor on_host = tensor.cpu();
  const float* data = on_host.const_data_ptr<float>();
  return {data, data + on_host.numel()};
}

// Throws Error(kDataLoss) at `where` when there are not as many values as the tensor has.
inline void FromHost(const std::vector<float>& values, const at::Tensor& tensor, const std::string& where) {
  const auto size = static_cast<int64_t>(values.size());
  if (size != tensor.numel()) throw Error(Code::kDataLoss, where, "has another number of values than the network");
  tensor.copy_(at::from_blob(const_cast<float*>(values.data()), {size}));  // only read
}

}  // namespace hot
