// Number types of tensors in files, and their conversion to float. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hot {

enum class ElementType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

size_t ElementBytes(ElementType type);

// Safetensors' names: "F32", "BF16", "BOOL", ...
std::optional<ElementType> ParseElementType(std::string_view name);

// `bytes` holds out.size() little-endian elements, unaligned. Values beyond float's range become infinite.
void ToFloats(ElementType type, const char* bytes, std::span<float> out);

// IEEE 754 binary16, rounded to the nearest, halves to even; beyond its range infinite.
uint16_t HalfFromFloat(float value);

}  // namespace hot
