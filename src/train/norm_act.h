// Batch normalisation by the batch's own statistics and the clamp behind it (ReLU, ReLU6 or nothing) as one autograd
// function over channels-last maps. Written by hand because these are the memory-bound half of a small network's step:
// LibTorch's separate operations walk the maps nine times for what takes five. Called by GraphModule; same result for
// any thread count.
#pragma once

#include <ATen/ATen.h>

#include <limits>

namespace hot {

struct NormActOptions {
  double momentum = 0.1;  // weight of the new batch in the running statistics
  double eps = 1e-5;
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
};

// Learned and running parts of one batch norm, each [channels].
struct NormParameters {
  at::Tensor weight, bias, running_mean, running_var;
};

// y = clamp(weight * (x - mean) / sqrt(var + eps) + bias); mean and (biased) variance over n, h, w of x [n, c, h, w].
// Updates the running statistics (with the unbiased variance, as LibTorch does). Ioffe and Szegedy, 2015, algorithm 1.
at::Tensor BatchNormAct(const at::Tensor& x, const NormParameters& parameters, const NormActOptions& options);

// The same by LibTorch's operations: what BatchNormAct does with maps on a GPU, where the loops here can't run.
at::Tensor BatchNormActByOperations(const at::Tensor& x, const NormParameters& parameters,
                                    const NormActOptions& options);

}  // namespace hot
