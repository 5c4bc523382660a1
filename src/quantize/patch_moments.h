// What the kernel of one convolution or linear layer sees of its input during calibration: means and products of
// the patches that are multiplied with its weights, from a few positions a picture. With them the error that rounded
// weights make is known in closed form (rounding.h). Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "graph/tensor.h"

namespace hot {

class PatchMoments {
 public:
  // `layer` is a convolution or linear layer, `input` the shape it reads. Without `products` only means are kept.
  PatchMoments(const Node& layer, const Shape& input, bool products);

  // One picture's input, [1, c, h, w]. The positions depend on the seed only.
  void Observe(const Tensor& input, uint64_t seed);

  // Weights of one output channel, in their order.
  size_t patch_size() const { return patch_size_; }
  int64_t patches() const { return patches_; }
  // By weight of an output channel of group `group`.
  std::vector<double> Mean(size_t group) const;
  // patch_size x patch_size, row-major. Throws Error(kInvalidArgument) when it was not kept.
  std::vector<double> Covariance(size_t group) const;
  // The same without the mean taken off: E[x x^T].
  std::vector<double> SecondMoments(size_t group) const;

 private:
  struct Group {
    std::vector<double> sums, products;  // of the patches minus shift; products: lower triangle, rows of patch_size
    std::vector<float> shift;            // the first picture's mean: what is subtracted before squaring
  };
  // [positions][patch_size] of group `group`.
  std::vector<float> Patches(const Tensor& input, size_t group,
                             const std::vector<std::pair<int, int>>& positions) const;
  void Add(Group& group, const std::vector<float>& patches, size_t count) const;
  void AddProducts(Group& group, const std::vector<float>& centred, size_t count) const;

  Attrs attrs_;
  Shape input_, output_;
  bool products_;
  size_t patch_size_ = 0;
  int64_t patches_ = 0;
  std::vector<Group> groups_;
};

}  // namespace hot
