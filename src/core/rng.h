// A small seeded generator whose stream is the same on every machine (std:: distributions are not).
// Thread rule: one Rng a thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

#include "core/hash.h"

namespace hot {

class Rng {
 public:
  explicit Rng(uint64_t seed) : seed_(seed) {}

  uint64_t Next() { return MixSeed(seed_, counter_++); }

  // Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }

  // Uniform integer in [0, count); count >= 1.
  int64_t Below(int64_t count) { return static_cast<int64_t>(Next() % static_cast<uint64_t>(count)); }

  bool Chance(double probability) { return Uniform() < probability; }

  // Standard normal (Box-Muller).
  double Normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * Uniform());
  }

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::span<T> items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(static_cast<int64_t>(i))]);
  }

 private:
  uint64_t seed_;
  uint64_t counter_ = 0;
};

}  // namespace hot
