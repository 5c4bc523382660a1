#include "quantize/scheme.h"

#include <array>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace hot {

const Scheme& SchemeOf(std::string_view name) {
  static const std::array<Scheme, 3> kSchemes{
      {{.name = "s8s8"},
       {.name = "u8s8", .lowest = 0, .highest = 255},
       {.name = "s16s8", .lowest = -32768, .highest = 32767, .symmetric = true, .precision = Precision::kInt16x8}}};
  std::vector<std::string> known;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == name) return scheme;
    known.push_back(scheme.name);
  }
  throw Error(Code::kInvalidArgument, "quantization", "unknown scheme \"" + std::string(name) + "\"",
              "known: " + JoinNames(known));
}

std::string SchemeOf(Precision precision, const std::string& int8) {
  if (precision == Precision::kInt8) return int8;
  return precision == Precision::kInt16x8 ? "s16s8" : "";
}

}  // namespace hot
