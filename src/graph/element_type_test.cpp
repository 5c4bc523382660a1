#include "graph/element_type.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"

namespace hot {
namespace {

float FromHalf(uint16_t half) {
  float value = 0;
  ToFloats(ElementType::kF16, reinterpret_cast<const char*>(&half), {&value, 1});
  return value;
}

TEST(HalfFromFloat, TakesEveryHalfBack) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = FromHalf(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(FromHalf(HalfFromFloat(value))));
    } else {
      EXPECT_EQ(HalfFromFloat(value), half);
    }
  }
}

TEST(HalfFromFloat, RoundsToTheNearestAndHalvesToEven) {
  for (uint16_t half = 0; half < 0x7bff; ++half) {  // all pairs of neighbours, subnormal ones included
    const double below = FromHalf(half), above = FromHalf(static_cast<uint16_t>(half + 1));
    const auto middle = static_cast<float>((below + above) / 2);
    EXPECT_EQ(HalfFromFloat(middle), half % 2 == 0 ? half : half + 1);
    EXPECT_EQ(HalfFromFloat(std::nextafter(middle, 0.0f)), half);
    EXPECT_EQ(HalfFromFloat(std::nextafter(middle, 1e9f)), half + 1);
    EXPECT_EQ(HalfFromFloat(-middle), 0x8000 | (half % 2 == 0 ? half : half + 1));
  }
}

TEST(HalfFromFloat, IsInfiniteBeyondTheRange) {
  EXPECT_EQ(HalfFromFloat(65519.996f), 0x7bff);
  EXPECT_EQ(HalfFromFloat(65520.0f), 0x7c00);
  EXPECT_EQ(HalfFromFloat(-1e30f), 0xfc00);
  EXPECT_EQ(HalfFromFloat(std::numeric_limits<float>::infinity()), 0x7c00);
  EXPECT_EQ(HalfFromFloat(1e-30f), 0);
}

}  // namespace
}  // namespace hot
