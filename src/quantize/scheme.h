// Which integers a quantized network computes with. A scheme belongs to a precision: s8s8 and u8s8 to int8 (signed or
// unsigned 8-bit activations, both with int8 weights), s16s8 to int16x8. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "graph/precision.h"

namespace hot {

struct Scheme {
  std::string name;
  int lowest = -128, highest = 127;  // of activations; weights are symmetric int8 in every scheme
  bool symmetric = false;            // activations have zero point 0, as 16-bit integer kernels want it
  Precision precision = Precision::kInt8;
  int steps() const { return highest - lowest; }
};

// Throws Error(kInvalidArgument) with the known names.
const Scheme& SchemeOf(std::string_view name);

// The scheme of a precision: `int8` for int8, empty where nothing is quantized.
std::string SchemeOf(Precision precision, const std::string& int8);

}  // namespace hot
