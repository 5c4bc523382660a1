#include "graph/element_type.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace hot {
namespace {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");

template <typename T>
T Load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
float HalfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half} >> 15 << 31, fraction = half & 0x3ffu, exponent = half >> 10 & 0x1fu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  if (exponent > 0) return std::bit_cast<float>(sign | (exponent + 127 - 15) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

float HalfAt(const char* bytes) { return HalfToFloat(Load<uint16_t>(bytes)); }

float BrainFloatAt(const char* bytes) { return std::bit_cast<float>(uint32_t{Load<uint16_t>(bytes)} << 16); }

template <typename T>
float NumberAt(const char* bytes) {
  return static_cast<float>(Load<T>(bytes));
}

struct Row {
  ElementType type;
  std::string_view name;
  size_t bytes;
  float (*convert)(const char*);
};

constexpr Row kRows[] = {{ElementType::kF64, "F64", 8, NumberAt<double>},
                         {ElementType::kF32, "F32", 4, NumberAt<float>},
                         {ElementType::kF16, "F16", 2, HalfAt},
                         {ElementType::kBF16, "BF16", 2, BrainFloatAt},
                         {ElementType::kI64, "I64", 8, NumberAt<int64_t>},
                         {ElementType::kI32, "I32", 4, NumberAt<int32_t>},
                         {ElementType::kI16, "I16", 2, NumberAt<int16_t>},
                         {ElementType::kI8, "I8", 1, NumberAt<int8_t>},
                         {ElementType::kU8, "U8", 1, NumberAt<uint8_t>},
                         {ElementType::kBool, "BOOL", 1, NumberAt<uint8_t>}};

const Row& RowOf(ElementType type) { return kRows[static_cast<size_t>(type)]; }

}  // namespace

size_t ElementBytes(ElementType type) { return RowOf(type).bytes; }

std::optional<ElementType> ParseElementType(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

void ToFloats(ElementType type, const char* bytes, std::span<float> out) {
  if (type == ElementType::kF32) {
    if (!out.empty()) std::memcpy(out.data(), bytes, out.size_bytes());
    return;
  }
  const Row& row = RowOf(type);
  for (size_t i = 0; i < out.size(); ++i) out[i] = row.convert(bytes + i * row.bytes);
}

uint16_t HalfFromFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffffu;
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;  // NaN
  const float absolute = std::bit_cast<float>(magnitude);
  if (absolute >= 65520.0f) return sign | 0x7c00u;
  // Adding this number leaves the fraction's last place where binary16 has its own; the processor rounds.
  const float ulp = absolute < 0x1p-14f ? 0x1p-24f : std::ldexp(1.0f, std::ilogb(absolute) - 10);
  const float rounded = std::nearbyint(absolute / ulp) * ulp;
  if (rounded < 0x1p-14f) return sign | static_cast<uint16_t>(rounded * 0x1p24f);
  const uint32_t normal = std::bit_cast<uint32_t>(rounded);
  return static_cast<uint16_t>(sign | (((normal >> 23) - 127 + 15) << 10 | (normal >> 13 & 0x3ffu)));
}

}  // namespace hot
