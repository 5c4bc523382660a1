// Number formats a network can be executed in. fp16, bf16 and int16x8 are different things and never called "16-bit".
#pragma once

#include <string>
#include <string_view>

namespace hot {

enum class Precision { kFp32, kBf16, kFp16, kInt8, kInt16x8 };  // int16x8: int16 activations, int8 weights

std::string PrecisionName(Precision precision);
// Throws Error(kInvalidArgument) on an unknown name.
Precision ParsePrecision(std::string_view name);
int ActivationBytes(Precision precision);  // per element
int WeightBytes(Precision precision);
// int8: int32 biases; int16x8: int64 biases; else as the weights.
int BiasBytes(Precision precision);

}  // namespace hot
