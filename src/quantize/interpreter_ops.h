// The operators of the reference interpreter, on tensors [channels, height, width] in row-major order. Called by
// interpreter.cpp only. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace hot {

using Reals = std::vector<double>;

// Sums of steps * weights over each output cell's window, exact: [output channels, height, width]. `weight` is [output
// channels, input channels / groups, kernel, kernel]. Padding adds nothing.
std::vector<int64_t> WindowSums(const Node& conv, const Shape& in, const std::vector<int16_t>& steps,
                                const std::vector<int8_t>& weight);
// The same of a layer in float, summed in float64 in the order of the weights.
Reals WindowSums(const Node& conv, const Shape& in, const Reals& x, const std::vector<float>& weight);

Reals ClampReals(Reals x, double low, double high);
Reals AddReals(Reals a, const Reals& b);
// `factor` has as many numbers as x, or one a channel.
Reals MulReals(Reals x, const Reals& factor);
Reals MaxPoolReals(const Node& pool, const Shape& in, const Reals& x);
Reals AveragePoolReals(const Node& pool, const Shape& in, const Reals& x);  // padding not counted
Reals ChannelMeans(const Shape& in, const Reals& x);
Reals UpsampleReals(const Shape& in, int factor, const Reals& x);  // nearest
Reals SigmoidReals(Reals x);
Reals HardSigmoidReals(Reals x);
Reals SoftmaxReals(const Shape& in, Reals x);  // along channels

}  // namespace hot
