#include "graph/precision.h"

#include <array>
#include <utility>

#include "core/error.h"

namespace hot {
namespace {

constexpr std::array<std::pair<Precision, std::string_view>, 5> kNames{{{Precision::kFp32, "fp32"},
                                                                        {Precision::kBf16, "bf16"},
                                                                        {Precision::kFp16, "fp16"},
                                                                        {Precision::kInt8, "int8"},
                                                                        {Precision::kInt16x8, "int16x8"}}};

}  // namespace

std::string PrecisionName(Precision precision) {
  for (const auto& [value, name] : kNames) {
    if (value == precision) return std::string(name);
  }
  return "unknown";
}

Precision ParsePrecision(std::string_view name) {
  std::string known;
  for (const auto& [value, text] : kNames) {
    if (text == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw Error(Code::kInvalidArgument, "precision", "unknown precision \"" + std::string(name) + "\"",
              "known: " + known);
}

int ActivationBytes(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 4;
    case Precision::kInt8:
      return 1;
    default:
      return 2;
  }
}

int WeightBytes(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 4;
    case Precision::kInt8:
    case Precision::kInt16x8:
      return 1;
    default:
      return 2;
  }
}

int BiasBytes(Precision precision) {
  switch (precision) {
    case Precision::kInt8:
      return 4;
    case Precision::kInt16x8:
      return 8;
    default:
      return WeightBytes(precision);
  }
}

}  // namespace hot
