#include "quantize/interpreter_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/vector_clones.h"

namespace hot {
namespace {

// The part of an output cell's window that lies inside the input.
struct Window {
  int top, bottom, left, right;
};

Window WindowAt(const Attrs& attrs, const Shape& in, int y, int x) {
  const int top = y * attrs.stride - attrs.pads[0], left = x * attrs.stride - attrs.pads[1];
  return {.top = std::max(top, 0),
          .bottom = std::min(top + attrs.kernel, in.h),
          .left = std::max(left, 0),
          .right = std::min(left + attrs.kernel, in.w)};
}

// Calls reduce(channel, output cell's index, window) for every cell of a pool's output.
template <typename Reduce>
void ForEachWindow(const Node& pool, const Shape& in, const Reduce& reduce) {
  size_t cell = 0;
  for (int c = 0; c < pool.shape.c; ++c) {
    for (int y = 0; y < pool.shape.h; ++y) {
      for (int x = 0; x < pool.shape.w; ++x) reduce(c, cell++, WindowAt(pool.attrs, in, y, x));
    }
  }
}

const double* RowAt(const Reals& x, const Shape& in, int channel, int row) {
  return x.data() + (static_cast<size_t>(channel) * static_cast<size_t>(in.h) + static_cast<size_t>(row)) *
                        static_cast<size_t>(in.w);
}

// The input under one output cell's window: [channels, kernel, kernel], zeros where padding is.
template <typename Number>
void GatherPatch(const Attrs& attrs, const Shape& in, std::span<const Number> channels, int y, int x,
                 std::vector<Number>& patch) {
  const int top = y * attrs.stride - attrs.pads[0], left = x * attrs.stride - attrs.pads[1];
  const auto plane = static_cast<size_t>(in.h) * static_cast<size_t>(in.w);
  size_t i = 0;
  for (size_t first = 0; first < channels.size(); first += plane) {
    for (int row = top; row < top + attrs.kernel; ++row) {
      for (int column = left; column < left + attrs.kernel; ++column) {
        const bool inside = row >= 0 && row < in.h && column >= 0 && column < in.w;
        patch[i++] = inside ? channels[first + static_cast<size_t>(row * in.w + column)] : Number{0};
      }
    }
  }
}

// A run this long of products of a 16-bit step and a weight stays below 2^31.
constexpr size_t kExactRun = 512;

HOT_VECTOR_CLONES void PatchSums(const int16_t* __restrict patch, const int16_t* __restrict weight, size_t length,
                                 std::span<int64_t> sums) {
  for (size_t c = 0; c < sums.size(); ++c, weight += length) {
    sums[c] = 0;
    for (size_t begin = 0; begin < length; begin += kExactRun) {
      int32_t run = 0;
      const size_t end = std::min(begin + kExactRun, length);
      for (size_t i = begin; i < end; ++i) run += static_cast<int32_t>(patch[i]) * weight[i];
      sums[c] += run;
    }
  }
}

void PatchSums(const double* patch, const double* weight, size_t length, std::span<double> sums) {
  for (size_t c = 0; c < sums.size(); ++c, weight += length) {
    sums[c] = 0;
    for (size_t i = 0; i < length; ++i) sums[c] += patch[i] * weight[i];
  }
}

// Number: of inputs and weights.
template <typename Sum, typename Number>
std::vector<Sum> SumsOf(const Node& conv, const Shape& in, std::span<const Number> inputs,
                        const std::vector<Number>& weight) {
  const auto groups = static_cast<size_t>(conv.attrs.groups), channels = static_cast<size_t>(conv.shape.c) / groups;
  const auto cells = static_cast<size_t>(conv.shape.h) * static_cast<size_t>(conv.shape.w);
  const size_t length = weight.size() / static_cast<size_t>(conv.shape.c), share = inputs.size() / groups;
  std::vector<Number> patch(length);
  std::vector<Sum> cell_sums(channels), sums(static_cast<size_t>(conv.shape.elements()));
  for (size_t group = 0; group < groups; ++group) {
    for (size_t cell = 0; cell < cells; ++cell) {
      const int y = static_cast<int>(cell) / conv.shape.w, x = static_cast<int>(cell) % conv.shape.w;
      GatherPatch(conv.attrs, in, inputs.subspan(group * share, share), y, x, patch);
      PatchSums(patch.data(), weight.data() + group * channels * length, length, cell_sums);
      for (size_t c = 0; c < channels; ++c) sums[(group * channels + c) * cells + cell] = cell_sums[c];
    }
  }
  return sums;
}

}  // namespace

std::vector<int64_t> WindowSums(const Node& conv, const Shape& in, const std::vector<int16_t>& steps,
                                const std::vector<int8_t>& weight) {
  return SumsOf<int64_t, int16_t>(conv, in, steps, std::vector<int16_t>(weight.begin(), weight.end()));
}

Reals WindowSums(const Node& conv, const Shape& in, const Reals& x, const std::vector<float>& weight) {
  return SumsOf<double, double>(conv, in, x, Reals(weight.begin(), weight.end()));
}

Reals ClampReals(Reals x, double low, double high) {
  for (double& value : x) value = std::clamp(value, low, high);
  return x;
}

Reals AddReals(Reals a, const Reals& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

Reals MulReals(Reals x, const Reals& factor) {
  const size_t cells = x.size() / factor.size();
  for (size_t i = 0; i < x.size(); ++i) x[i] *= factor[i / cells];
  return x;
}

Reals MaxPoolReals(const Node& pool, const Shape& in, const Reals& x) {
  Reals out(static_cast<size_t>(pool.shape.elements()), -std::numeric_limits<double>::infinity());
  ForEachWindow(pool, in, [&](int channel, size_t cell, const Window& window) {
    for (int row = window.top; row < window.bottom; ++row) {
      const double* values = RowAt(x, in, channel, row);
      for (int column = window.left; column < window.right; ++column) out[cell] = std::max(out[cell], values[column]);
    }
  });
  return out;
}

Reals AveragePoolReals(const Node& pool, const Shape& in, const Reals& x) {
  Reals out(static_cast<size_t>(pool.shape.elements()), 0);
  ForEachWindow(pool, in, [&](int channel, size_t cell, const Window& window) {
    for (int row = window.top; row < window.bottom; ++row) {
      const double* values = RowAt(x, in, channel, row);
      for (int column = window.left; column < window.right; ++column) out[cell] += values[column];
    }
    out[cell] /= (window.bottom - window.top) * (window.right - window.left);
  });
  return out;
}

Reals ChannelMeans(const Shape& in, const Reals& x) {
  const int cells = in.h * in.w;
  Reals out(static_cast<size_t>(in.c), 0);
  for (size_t i = 0; i < x.size(); ++i) out[i / static_cast<size_t>(cells)] += x[i];
  for (double& value : out) value /= cells;
  return out;
}

Reals UpsampleReals(const Shape& in, int factor, const Reals& x) {
  Reals out;
  out.reserve(x.size() * static_cast<size_t>(factor) * static_cast<size_t>(factor));
  for (int c = 0; c < in.c; ++c) {
    for (int y = 0; y < in.h * factor; ++y) {
      const double* row = RowAt(x, in, c, y / factor);
      for (int column = 0; column < in.w * factor; ++column) out.push_back(row[column / factor]);
    }
  }
  return out;
}

Reals SigmoidReals(Reals x) {
  for (double& value : x) value = 1 / (1 + std::exp(-value));
  return x;
}

Reals HardSigmoidReals(Reals x) {
  for (double& value : x) value = std::clamp(value / 6 + 0.5, 0.0, 1.0);
  return x;
}

Reals SoftmaxReals(const Shape& in, Reals x) {
  const auto cells = static_cast<size_t>(in.h) * static_cast<size_t>(in.w);
  for (size_t cell = 0; cell < cells; ++cell) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (size_t i = cell; i < x.size(); i += cells) largest = std::max(largest, x[i]);
    for (size_t i = cell; i < x.size(); i += cells) sum += x[i] = std::exp(x[i] - largest);
    for (size_t i = cell; i < x.size(); i += cells) x[i] /= sum;
  }
  return x;
}

}  // namespace hot
