#include "graph/tensor.h"

#include <functional>
#include <numeric>
#include <utility>

namespace hot {

Tensor::Tensor(std::vector<int64_t> shape_in, float fill) : shape(std::move(shape_in)) {
  const int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  data.assign(static_cast<size_t>(count), fill);
}

}  // namespace hot
