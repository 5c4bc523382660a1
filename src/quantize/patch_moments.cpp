#include "quantize/patch_moments.h"

#include <algorithm>

#include "core/error.h"
#include "core/rng.h"

namespace hot {
namespace {

constexpr int64_t kPositions = 64;  // a picture

}  // namespace

PatchMoments::PatchMoments(const Node& layer, const Shape& input, bool products)
    : attrs_(layer.attrs), input_(input), output_(layer.shape), products_(products) {
  if (layer.op == Op::kLinear) attrs_ = {.out_channels = layer.attrs.out_channels};
  const auto groups = static_cast<size_t>(attrs_.groups);
  patch_size_ = static_cast<size_t>(input.c) / groups * static_cast<size_t>(attrs_.kernel * attrs_.kernel);
  groups_.resize(groups);
  for (Group& group : groups_) {
    group.sums.assign(patch_size_, 0);
    if (products_) group.products.assign(patch_size_ * patch_size_, 0);
  }
}

void PatchMoments::Observe(const Tensor& input, uint64_t seed) {
  HOT_ASSERT(input.size() == input_.elements());
  Rng rng(seed);
  const int64_t all = static_cast<int64_t>(output_.h) * output_.w;
  std::vector<std::pair<int, int>> positions;
  for (int64_t i = 0; i < std::min(all, kPositions); ++i) {
    const int64_t at = all <= kPositions ? i : rng.Below(all);
    positions.emplace_back(static_cast<int>(at / output_.w), static_cast<int>(at % output_.w));
  }
  for (size_t g = 0; g < groups_.size(); ++g) Add(groups_[g], Patches(input, g, positions), positions.size());
  patches_ += std::ssize(positions);
}

std::vector<float> PatchMoments::Patches(const Tensor& input, size_t group,
                                         const std::vector<std::pair<int, int>>& positions) const {
  std::vector<float> patches;
  patches.reserve(positions.size() * patch_size_);
  const int channels = input_.c / attrs_.groups, first = static_cast<int>(group) * channels;
  const auto value = [&](int c, int y, int x) {
    if (y < 0 || x < 0 || y >= input_.h || x >= input_.w) return 0.0f;
    return input.data[(static_cast<size_t>(c) * static_cast<size_t>(input_.h) + static_cast<size_t>(y)) *
                          static_cast<size_t>(input_.w) +
                      static_cast<size_t>(x)];
  };
  for (const auto& [y, x] : positions) {
    const int top = y * attrs_.stride - attrs_.pads[0], left = x * attrs_.stride - attrs_.pads[1];
    for (int c = first; c < first + channels; ++c) {
      for (int ky = 0; ky < attrs_.kernel; ++ky) {
        for (int kx = 0; kx < attrs_.kernel; ++kx) patches.push_back(value(c, top + ky, left + kx));
      }
    }
  }
  return patches;
}

void PatchMoments::Add(Group& group, const std::vector<float>& patches, size_t count) const {
  const size_t n = patch_size_;
  if (group.shift.empty()) {
    group.shift.assign(n, 0);
    for (size_t i = 0; i < patches.size(); ++i) group.shift[i % n] += patches[i] / static_cast<float>(count);
  }
  std::vector<float> centred = patches;
  for (size_t i = 0; i < centred.size(); ++i) centred[i] -= group.shift[i % n];
  for (size_t i = 0; i < centred.size(); ++i) group.sums[i % n] += centred[i];
  if (products_) AddProducts(group, centred, count);
}

void PatchMoments::AddProducts(Group& group, const std::vector<float>& centred, size_t count) const {
  const size_t n = patch_size_;
  std::vector<float> row(n);
  for (size_t i = 0; i < n; ++i) {
    std::fill(row.begin(), row.end(), 0.0f);
    for (size_t patch = 0; patch < count; ++patch) {
      const float* values = centred.data() + patch * n;
      const float factor = values[i];
      if (factor == 0) continue;
      for (size_t j = 0; j <= i; ++j) row[j] += factor * values[j];
    }
    double* products = group.products.data() + i * n;
    for (size_t j = 0; j <= i; ++j) products[j] += row[j];
  }
}

std::vector<double> PatchMoments::Mean(size_t group) const {
  const Group& from = groups_.at(group);
  std::vector<double> mean(patch_size_, 0);
  if (patches_ == 0) return mean;
  for (size_t i = 0; i < patch_size_; ++i) mean[i] = from.sums[i] / static_cast<double>(patches_) + from.shift[i];
  return mean;
}

std::vector<double> PatchMoments::Covariance(size_t group) const {
  if (!products_) throw Error(Code::kInvalidArgument, "patch moments", "products were not kept");
  const Group& from = groups_.at(group);
  const size_t n = patch_size_;
  const double count = static_cast<double>(std::max<int64_t>(patches_, 1));
  std::vector<double> covariance(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      const double value = from.products[i * n + j] / count - from.sums[i] / count * (from.sums[j] / count);
      covariance[i * n + j] = covariance[j * n + i] = value;
    }
  }
  return covariance;
}

std::vector<double> PatchMoments::SecondMoments(size_t group) const {
  std::vector<double> moments = Covariance(group);
  const std::vector<double> mean = Mean(group);
  for (size_t i = 0; i < moments.size(); ++i) moments[i] += mean[i / patch_size_] * mean[i % patch_size_];
  return moments;
}

}  // namespace hot
