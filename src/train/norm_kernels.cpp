#include "train/norm_kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>

#include "core/vector_clones.h"

namespace hot {
namespace {

constexpr int64_t kPeriod = 128;       // shortest inner loop: rows are joined until they are at least this long
constexpr int64_t kChunk = 16 * 1024;  // elements that stay in the first-level caches

// Joins rows to runs of `period` elements that all start at channel 0, and runs to chunks.
struct Tiling {
  explicit Tiling(Rows shape)
      : period(shape.channels * ((kPeriod + shape.channels - 1) / shape.channels)),
        chunk(std::max<int64_t>(1, kChunk / period) * period),
        elements(shape.elements()),
        chunks((elements + chunk - 1) / chunk) {}
  int64_t begin(int64_t index) const { return index * chunk; }
  int64_t size(int64_t index) const { return std::min(chunk, elements - index * chunk); }

  int64_t period, chunk, elements, chunks;
};

std::vector<float> Repeat(const std::vector<float>& channel, int64_t period) {
  std::vector<float> repeated(static_cast<size_t>(period));
  for (size_t i = 0; i < repeated.size(); ++i) repeated[i] = channel[i % channel.size()];
  return repeated;
}

// bfloat16 is the upper half of a float.
HOT_VECTOR_CLONES void Widen(const uint16_t* __restrict x, int64_t n, float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] = std::bit_cast<float>(static_cast<uint32_t>(x[i]) << 16);
}

// To the nearest, ties to even. What is not a number may become infinite, which is noticed all the same.
HOT_VECTOR_CLONES void Narrow(const float* __restrict x, int64_t n, uint16_t* __restrict y) {
  for (int64_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<uint32_t>(x[i]);
    y[i] = static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
}

// A run of a map as floats: where it lies, or in a buffer of the caller's thread.
class Run {
 public:
  explicit Run(int64_t period) : period_(period) {}

  const float* Read(const float* x, int64_t) { return x; }
  const float* Read(const c10::BFloat16* x, int64_t n) {
    Widen(reinterpret_cast<const uint16_t*>(x), n, Buffer());
    return buffer_.data();
  }
  // Where to compute what Write() puts to `y`.
  float* Target(float* y) { return y; }
  float* Target(c10::BFloat16*) { return Buffer(); }
  void Write(float*, int64_t) {}
  void Write(c10::BFloat16* y, int64_t n) { Narrow(buffer_.data(), n, reinterpret_cast<uint16_t*>(y)); }

 private:
  float* Buffer() {
    buffer_.resize(static_cast<size_t>(period_));
    return buffer_.data();
  }
  int64_t period_;
  std::vector<float> buffer_;
};

HOT_VECTOR_CLONES void SumRun(const float* __restrict x, int64_t n, float* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] += x[i];
}

HOT_VECTOR_CLONES void SquareRun(const float* __restrict x, const float* __restrict mean, int64_t n,
                                 float* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) {
    const float deviation = x[i] - mean[i];
    sum[i] += deviation * deviation;
  }
}

struct Bounds {
  float low, high;
};

HOT_VECTOR_CLONES void AffineRun(const float* __restrict x, const float* __restrict scale,
                                 const float* __restrict shift, Bounds bounds, int64_t n, float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) {
    const float z = x[i] * scale[i] + shift[i];
    const float floored = z > bounds.low ? z : bounds.low;
    y[i] = floored < bounds.high ? floored : bounds.high;
  }
}

struct RunParameters {
  const float *scale, *shift, *a, *b;
};

HOT_VECTOR_CLONES void GradientSumRun(const float* __restrict x, const float* __restrict dy, RunParameters p,
                                      Bounds bounds, int64_t n, float* __restrict sum,
                                      float* __restrict sum_deviation) {
  const float* __restrict scale = p.scale, * __restrict shift = p.shift, * __restrict mean = p.a;
  for (int64_t i = 0; i < n; ++i) {
    const float z = x[i] * scale[i] + shift[i], incoming = dy[i];
    const float g = (z > bounds.low) & (z < bounds.high) ? incoming : 0.0f;
    sum[i] += g;
    sum_deviation[i] += g * (x[i] - mean[i]);
  }
}

HOT_VECTOR_CLONES void InputGradientRun(const float* __restrict x, const float* __restrict dy, RunParameters p,
                                        Bounds bounds, int64_t n, float* __restrict dx) {
  const float* __restrict scale = p.scale;
  const float* __restrict shift = p.shift;
  const float* __restrict slope = p.a;
  const float* __restrict offset = p.b;
  for (int64_t i = 0; i < n; ++i) {
    const float z = x[i] * scale[i] + shift[i], incoming = dy[i];
    const float g = (z > bounds.low) & (z < bounds.high) ? incoming : 0.0f;
    dx[i] = scale[i] * g + slope[i] * x[i] + offset[i];
  }
}

// Calls visit(begin, length) for every run of a chunk; only the last one is shorter than the period.
template <typename Visit>
void ForRuns(const Tiling& tiling, int64_t chunk, const Visit& visit) {
  const int64_t end = tiling.begin(chunk) + tiling.size(chunk);
  for (int64_t at = tiling.begin(chunk); at < end; at += tiling.period) visit(at, std::min(tiling.period, end - at));
}

template <typename Work>
void ForChunks(const Tiling& tiling, const Work& work) {
  at::parallel_for(0, tiling.chunks, 1, [&](int64_t first, int64_t last) {
    for (int64_t chunk = first; chunk < last; ++chunk) work(chunk);
  });
}

// Folds a run's lanes onto the channels.
std::vector<double> Fold(const float* lanes, int64_t period, int64_t channels) {
  std::vector<double> folded(static_cast<size_t>(channels), 0.0);
  for (int64_t i = 0; i < period; ++i) folded[static_cast<size_t>(i % channels)] += lanes[i];
  return folded;
}

struct ChunkMoments {
  double rows = 0;
  std::vector<double> mean, squared_deviation;
};

template <typename T>
ChunkMoments MomentsOfChunk(const T* x, const Tiling& tiling, int64_t chunk, int64_t channels) {
  std::vector<float> lanes(static_cast<size_t>(tiling.period), 0.0f);
  ChunkMoments result;
  result.rows = static_cast<double>(tiling.size(chunk) / channels);
  Run run(tiling.period);
  ForRuns(tiling, chunk, [&](int64_t at, int64_t n) { SumRun(run.Read(x + at, n), n, lanes.data()); });
  result.mean = Fold(lanes.data(), tiling.period, channels);
  for (double& mean : result.mean) mean /= result.rows;
  const std::vector<float> mean = Repeat({result.mean.begin(), result.mean.end()}, tiling.period);
  std::fill(lanes.begin(), lanes.end(), 0.0f);
  ForRuns(tiling, chunk, [&](int64_t at, int64_t n) { SquareRun(run.Read(x + at, n), mean.data(), n, lanes.data()); });
  result.squared_deviation = Fold(lanes.data(), tiling.period, channels);
  // The mean was rounded to float before deviations were taken from it: take that shift out again.
  for (size_t c = 0; c < result.mean.size(); ++c) {
    const double shift = result.mean[c] - static_cast<double>(mean[c]);
    result.squared_deviation[c] = std::max(0.0, result.squared_deviation[c] - result.rows * shift * shift);
  }
  return result;
}

}  // namespace

template <typename T>
Moments ChannelMoments(const T* x, Rows shape) {
  const Tiling tiling(shape);
  std::vector<ChunkMoments> parts(static_cast<size_t>(tiling.chunks));
  ForChunks(tiling, [&](int64_t chunk) {
    parts[static_cast<size_t>(chunk)] = MomentsOfChunk(x, tiling, chunk, shape.channels);
  });
  const auto channels = static_cast<size_t>(shape.channels);
  std::vector<double> mean(channels, 0.0), squares(channels, 0.0);
  double rows = 0;
  for (const ChunkMoments& part : parts) {
    const double share = part.rows / (rows + part.rows);
    for (size_t c = 0; c < channels; ++c) {
      const double delta = part.mean[c] - mean[c];
      mean[c] += delta * share;
      squares[c] += part.squared_deviation[c] + delta * delta * rows * share;
    }
    rows += part.rows;
  }
  return {.mean = {mean.begin(), mean.end()}, .squared_deviation = std::move(squares)};
}

template <typename T>
void ApplyAffineClamp(const T* x, Rows shape, const AffineClamp& affine, T* y) {
  const Tiling tiling(shape);
  const std::vector<float> scale = Repeat(affine.scale, tiling.period), shift = Repeat(affine.shift, tiling.period);
  const Bounds bounds{affine.low, affine.high};
  ForChunks(tiling, [&](int64_t chunk) {
    Run in(tiling.period), out(tiling.period);
    ForRuns(tiling, chunk, [&](int64_t at, int64_t n) {
      AffineRun(in.Read(x + at, n), scale.data(), shift.data(), bounds, n, out.Target(y + at));
      out.Write(y + at, n);
    });
  });
}

template <typename T>
GradientSums SumGradients(const T* x, const T* dy, Rows shape, const AffineClamp& affine,
                          const std::vector<float>& mean) {
  const Tiling tiling(shape);
  const std::vector<float> scale = Repeat(affine.scale, tiling.period), shift = Repeat(affine.shift, tiling.period);
  const std::vector<float> means = Repeat(mean, tiling.period);
  const RunParameters parameters{scale.data(), shift.data(), means.data(), nullptr};
  const Bounds bounds{affine.low, affine.high};
  const auto lanes = static_cast<size_t>(tiling.period);
  std::vector<std::vector<float>> parts(static_cast<size_t>(tiling.chunks));  // gradient lanes, then deviation lanes
  ForChunks(tiling, [&](int64_t chunk) {
    std::vector<float>& sums = parts[static_cast<size_t>(chunk)];
    sums.assign(2 * lanes, 0.0f);
    Run in(tiling.period), gradient(tiling.period);
    ForRuns(tiling, chunk, [&](int64_t at, int64_t n) {
      GradientSumRun(in.Read(x + at, n), gradient.Read(dy + at, n), parameters, bounds, n, sums.data(),
                     sums.data() + lanes);
    });
  });
  const auto channels = static_cast<size_t>(shape.channels);
  GradientSums total{std::vector<double>(channels, 0.0), std::vector<double>(channels, 0.0)};
  for (const std::vector<float>& part : parts) {
    for (size_t i = 0; i < lanes; ++i) {
      total.gradient[i % channels] += part[i];
      total.gradient_deviation[i % channels] += part[lanes + i];
    }
  }
  return total;
}

template <typename T>
void ApplyInputGradient(const T* x, const T* dy, Rows shape, const AffineClamp& affine, const InputGradient& input,
                        T* dx) {
  const Tiling tiling(shape);
  const std::vector<float> scale = Repeat(affine.scale, tiling.period), shift = Repeat(affine.shift, tiling.period);
  const std::vector<float> slope = Repeat(input.slope, tiling.period), offset = Repeat(input.offset, tiling.period);
  const RunParameters parameters{scale.data(), shift.data(), slope.data(), offset.data()};
  const Bounds bounds{affine.low, affine.high};
  ForChunks(tiling, [&](int64_t chunk) {
    Run in(tiling.period), gradient(tiling.period), out(tiling.period);
    ForRuns(tiling, chunk, [&](int64_t at, int64_t n) {
      InputGradientRun(in.Read(x + at, n), gradient.Read(dy + at, n), parameters, bounds, n, out.Target(dx + at));
      out.Write(dx + at, n);
    });
  });
}

template Moments ChannelMoments(const float*, Rows);
template Moments ChannelMoments(const c10::BFloat16*, Rows);
template void ApplyAffineClamp(const float*, Rows, const AffineClamp&, float*);
template void ApplyAffineClamp(const c10::BFloat16*, Rows, const AffineClamp&, c10::BFloat16*);
template GradientSums SumGradients(const float*, const float*, Rows, const AffineClamp&, const std::vector<float>&);
template GradientSums SumGradients(const c10::BFloat16*, const c10::BFloat16*, Rows, const AffineClamp&,
                                   const std::vector<float>&);
template void ApplyInputGradient(const float*, const float*, Rows, const AffineClamp&, const InputGradient&, float*);
template void ApplyInputGradient(const c10::BFloat16*, const c10::BFloat16*, Rows, const AffineClamp&,
                                 const InputGradient&, c10::BFloat16*);

}  // namespace hot
